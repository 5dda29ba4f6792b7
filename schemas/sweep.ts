import { type Static, Type } from "typebox";

/** Contracts of a sweep: the plan (`train/sweep/plans/*.json`), one line a cell (`cells*.jsonl`), the summary. */

const closed = { additionalProperties: false } as const;
const name = Type.String({ pattern: "^[a-z0-9][a-z0-9.-]*$" });
const set = Type.Record(Type.String(), Type.Unknown(), {
  description: "fields of the recipe by dotted path, as with --set of cominfo train",
});
const seeds = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, uniqueItems: true });

export const sweepSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    format: Type.Literal(1),
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }),
    title: Type.String(),
    source: Type.String({ description: "paper, table or figure that the sweep reproduces" }),
    recipe: Type.String({ description: "name of a recipe, or the path of a JSON file, that all cells start from" }),
    set: Type.Optional(set),
    variants: Type.Array(
      Type.Object(
        { name, title: Type.Optional(Type.String()), recipe: Type.Optional(Type.String()), set: Type.Optional(set) },
        closed,
      ),
      { minItems: 1, description: "every variant is trained with every seed; `set` comes after that of the sweep" },
    ),
    seeds,
    quantities: Type.Record(Type.String({ pattern: "^[a-z0-9_]+$" }), Type.String(), {
      minProperties: 1,
      description: "figures of an evaluation to collect, by a short name; the first is what charts show",
    }),
    comparisons: Type.Array(
      Type.Object(
        {
          of: name,
          against: name,
          quantity: Type.String({ description: "short name" }),
          claim: Type.Enum(["higher", "lower"], { description: "what the source says of the median" }),
          source: Type.String(),
        },
        closed,
      ),
      { default: [] },
    ),
    charts: Type.Array(
      Type.Object({ title: Type.String(), variants: Type.Array(name, { minItems: 1 }), source: Type.String() }, closed),
      { default: [], description: "one violin chart and one scatter chart each" },
    ),
    trends: Type.Array(
      Type.Object(
        {
          title: Type.String(),
          quantity: Type.String({ description: "short name" }),
          axis: Type.String({ description: "what the number of each variant is" }),
          points: Type.Array(Type.Object({ variant: name, at: Type.Number() }, closed), { minItems: 2 }),
          claim: Type.Optional(Type.Enum(["rising", "falling"], { description: "what the source says" })),
          source: Type.String(),
        },
        closed,
      ),
      {
        default: [],
        description: "a quantity against a number that the variants stand for: a curve and its rank correlation",
      },
    ),
    identity: Type.Optional(
      Type.Boolean({
        description: "whether the report shows theorem 2 of the Split Encoder paper on Gaussian encoders",
      }),
    ),
    budgets: Type.Record(
      Type.String(),
      Type.Object(
        {
          label: Type.String({ description: "what is smaller, for readers" }),
          set: Type.Optional(set),
          seeds: Type.Optional(seeds),
        },
        closed,
      ),
      { default: {}, description: "chosen with --budget; `set` comes after all others" },
    ),
  },
  { ...closed, $id: "sweep" },
);
export type Sweep = Static<typeof sweepSchema>;

export const cellLineSchema = Type.Object(
  {
    cell: Type.String({ description: "<variant>-seed<seed>" }),
    variant: Type.String(),
    seed: Type.Integer(),
    recipeHash: Type.String({ description: "of everything that the trained values depend on, steps included" }),
    status: Type.Enum(["finished", "failed"]),
    error: Type.Optional(Type.String()),
    figures: Type.Record(
      Type.String(),
      Type.Object({ value: Type.Number(), unit: Type.String(), estimator: Type.String() }, closed),
    ),
    steps: Type.Integer(),
    batchSize: Type.Integer(),
    seconds: Type.Number({ minimum: 0, description: "training time" }),
    device: Type.String(),
    created: Type.String({ description: "ISO 8601, UTC" }),
    producer: Type.String(),
  },
  { ...closed, $id: "cell-line" },
);
export type CellLine = Static<typeof cellLineSchema>;

const interval = Type.Array(Type.Number(), {
  minItems: 2,
  maxItems: 2,
  description: "95 % bootstrap over seeds; none where a group has one seed, which says nothing of others",
});

export const sweepSummarySchema = Type.Object(
  {
    format: Type.Literal(1),
    sweep: Type.String(),
    title: Type.String(),
    source: Type.String(),
    budget: Type.String(),
    label: Type.String({ description: "what the budget makes smaller; empty for the full one" }),
    command: Type.String({ description: "what repeats it" }),
    planned: Type.Integer({ description: "cells of the plan" }),
    finished: Type.Integer(),
    medians: Type.Array(
      Type.Object(
        {
          variant: Type.String(),
          quantity: Type.String(),
          unit: Type.String(),
          estimator: Type.String(),
          median: Type.Number(),
          interval: Type.Optional(interval),
          seeds: Type.Array(Type.Integer()),
          values: Type.Array(Type.Number()),
        },
        closed,
      ),
    ),
    comparisons: Type.Array(
      Type.Object(
        {
          of: Type.String(),
          against: Type.String(),
          quantity: Type.String(),
          unit: Type.String(),
          difference: Type.Number({ description: "median of `of` minus median of `against`" }),
          interval: Type.Optional(interval),
          claim: Type.Enum(["higher", "lower"]),
          source: Type.String(),
          agrees: Type.Boolean({ description: "whether the difference has the sign of the claim" }),
          isClear: Type.Boolean({
            description: "whether there are at least 3 seeds on either side and the interval lies on one side of 0",
          }),
        },
        closed,
      ),
    ),
    trends: Type.Array(
      Type.Object(
        {
          title: Type.String(),
          quantity: Type.String(),
          unit: Type.String(),
          axis: Type.String(),
          points: Type.Array(
            Type.Object({ variant: Type.String(), at: Type.Number(), values: Type.Array(Type.Number()) }, closed),
          ),
          correlation: Type.Number({ description: "Spearman's, over all finished cells" }),
          pValue: Type.Number({ description: "two-sided permutation test" }),
          claim: Type.Optional(Type.Enum(["rising", "falling"])),
          source: Type.String(),
          agrees: Type.Optional(Type.Boolean({ description: "whether the correlation has the sign of the claim" })),
          isClear: Type.Boolean({ description: "whether the p-value is at most 0.05" }),
        },
        closed,
      ),
      { default: [] },
    ),
    failures: Type.Array(Type.Object({ cell: Type.String(), error: Type.String() }, closed)),
    steps: Type.Integer(),
    batchSize: Type.Integer(),
    seconds: Type.Number({ description: "training time of all finished cells" }),
    device: Type.String(),
    created: Type.String({ description: "when the newest cell ended; ISO 8601, UTC" }),
    producer: Type.String(),
  },
  { ...closed, $id: "sweep-summary" },
);
export type SweepSummary = Static<typeof sweepSummarySchema>;
export type SweepTrend = SweepSummary["trends"][number];
