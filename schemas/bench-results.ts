import { type Static, Type } from "typebox";

/** Contract of `bench/results/<name>.json`: measured by `npm run bench -- <name>`, never written by hand. */

const closed = { additionalProperties: false } as const;

export const benchRowSchema = Type.Object(
  {
    bench: Type.String(),
    metric: Type.String(),
    unit: Type.String(),
    median: Type.Number(),
    min: Type.Number(),
    max: Type.Number(),
    runs: Type.Integer({ minimum: 1 }),
    reference: Type.Optional(Type.String({ description: "what the ratio is taken against, measured in the same run" })),
    ratio: Type.Optional(Type.Number()),
    machine: Type.String(),
    date: Type.String({ description: "ISO 8601 date" }),
    commit: Type.String({ description: "short hash; ends in + when the working tree held changes" }),
  },
  closed,
);
export type BenchRow = Static<typeof benchRowSchema>;

export const benchResultsSchema = Type.Array(benchRowSchema, { $id: "bench-results" });
