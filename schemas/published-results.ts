import { type Static, Type } from "typebox";

/** Contract of `docs/results.json`, the machine-readable twin of `docs/results.md`: written by `cominfo results`, never by hand. */

const closed = { additionalProperties: false } as const;

export const publishedRowSchema = Type.Object(
  {
    experiment: Type.String({ description: "name of the recipe or the sweep" }),
    quantity: Type.String({ description: "dotted, for instance usable.label.common" }),
    unit: Type.String(),
    paper: Type.Optional(Type.Number({ description: "the published value" })),
    ours: Type.Optional(Type.Number({ description: "mean over seeds; absent where `notComputed` says why" })),
    notComputed: Type.Optional(Type.String({ description: "why a run has no such figure" })),
    interval: Type.Optional(
      Type.Array(Type.Number(), {
        minItems: 2,
        maxItems: 2,
        description: "one seed: 95 % bootstrap over test rows; several seeds: smallest and largest",
      }),
    ),
    estimator: Type.String(),
    seeds: Type.Array(Type.Integer()),
    budget: Type.String({ description: "named budget, steps and batch size" }),
    device: Type.String(),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    met: Type.Optional(Type.Boolean()),
    command: Type.String({ description: "repeats the figure" }),
    date: Type.String(),
    commit: Type.String({ description: "of the checkout that collected the row" }),
  },
  closed,
);
export type PublishedRow = Static<typeof publishedRowSchema>;

export const publishedResultsSchema = Type.Array(publishedRowSchema, { $id: "published-results" });
