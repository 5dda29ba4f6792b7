import { type Static, Type } from "typebox";
import { type ScoreFormat, scoreFormats } from "./score-plan.ts";

/** Contract of the manifest beside a scored output, and of the record beside each of its parts. */

const closed = { additionalProperties: false } as const;
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const count = Type.Integer({ minimum: 0 });

/** Sums from which the summary is made; those of parts are added in their order. Nats. */
export const scoreSumsSchema = Type.Object(
  {
    rows: count,
    quantities: Type.Record(
      Type.String(),
      Type.Object(
        {
          count: Type.Number({ description: "rows that have it" }),
          sum: Type.Number(),
          resampled: Type.Array(Type.Number(), { description: "one sum a bootstrap replicate; none without interval" }),
          weights: Type.Array(Type.Number(), { description: "rows drawn in each replicate" }),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type ScoreSums = Static<typeof scoreSumsSchema>;

export const scorePartSchema = Type.Object(
  {
    part: count,
    plan: sha256,
    first: count,
    end: count,
    written: count,
    rejected: count,
    bytes: count,
    sha256: Type.Optional(sha256),
    widestId: Type.Integer({ minimum: 0, description: "code points of the longest id, where ids are text" }),
    sums: scoreSumsSchema,
  },
  { ...closed, $id: "score-part" },
);
export type ScorePart = Static<typeof scorePartSchema>;

const quantitySchema = Type.Object(
  {
    quantity: Type.String(),
    unit: Type.Literal("bits"),
    value: Type.Number(),
    rows: count,
    interval: Type.Optional(Type.Unsafe<[number, number]>(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }))),
    description: Type.String(),
  },
  closed,
);
export type ScoreQuantity = Static<typeof quantitySchema>;

export const scoreManifestSchema = Type.Object(
  {
    format: Type.Literal(1),
    model: Type.Object({ name: Type.String(), tasks: Type.Record(Type.String(), sha256) }, closed),
    task: Type.String(),
    plan: sha256,
    inputs: Type.Array(
      Type.Object(
        {
          file: Type.String({ description: "its name, without folders" }),
          bytes: count,
          sha256: Type.Optional(sha256),
          sample: Type.String({ description: "SHA-256 of its size and of 64 pieces of it" }),
        },
        closed,
      ),
    ),
    columns: Type.Record(Type.String(), Type.String(), { description: "input of the task: where it was read" }),
    rows: Type.Object({ read: count, written: count, rejected: count }, closed),
    parts: Type.Object({ count, rows: count }, closed),
    output: Type.Object(
      {
        file: Type.String(),
        format: Type.Unsafe<ScoreFormat>({ type: "string", enum: [...scoreFormats] }),
        bytes: count,
        sha256,
        columns: Type.Array(
          Type.Object(
            {
              name: Type.String(),
              dtype: Type.String(),
              shape: Type.Array(Type.Integer()),
              unit: Type.Optional(Type.String()),
              names: Type.Optional(Type.Array(Type.String())),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    summary: Type.Array(quantitySchema),
    intervals: Type.String({ description: "how they were made" }),
    settings: Type.Object({ batch: count, seed: count, partial: Type.Boolean(), resize: Type.Boolean() }, closed),
    provider: Type.String({ description: "what computed, for instance cpu" }),
    versions: Type.Record(Type.String(), Type.String()),
  },
  { ...closed, $id: "score-manifest" },
);
export type ScoreManifest = Static<typeof scoreManifestSchema>;
