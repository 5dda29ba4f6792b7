import { type Static, type TSchema, Type } from "typebox";
import { seedSchema, taskRequestSchema } from "./tasks.ts";

/** HTTP bodies about information in bits: of a model's codes, of a posted table, in the background. */

const closed = { additionalProperties: false } as const;
// Type.Tuple writes the draft-7 form of "items", which is not valid in 2020-12
const interval = Type.Unsafe<[number, number]>(
  Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: "percentile bootstrap over rows, 95 %" }),
);

export const measureRequestSchema = Type.Object(
  {
    inputs: taskRequestSchema.properties.inputs,
    seed: Type.Optional(seedSchema),
    resamples: Type.Integer({ minimum: 100, maximum: 10_000, default: 1000, description: "of the bootstrap" }),
    version: taskRequestSchema.properties.version,
  },
  { ...closed, title: "MeasureRequest" },
);
export type MeasureRequest = Static<typeof measureRequestSchema>;

const quantitySchema = Type.Object(
  {
    name: Type.String(),
    description: Type.String(),
    bits: Type.Number({ description: "mean over rows, in all dimensions" }),
    interval,
    dimensions: Type.Optional(Type.Array(Type.Object({ name: Type.String(), bits: Type.Number(), interval }, closed))),
    is: Type.String({ description: "what it is, or is a bound of" }),
    isNot: Type.String({ description: "what it must not be taken for" }),
  },
  { ...closed, title: "Quantity" },
);

const boundSchema = Type.Object(
  {
    estimator: Type.String(),
    of: Type.String(),
    bits: Type.Union([Type.Number(), Type.Null()], { description: "null: not finite for these rows" }),
    interval: Type.Optional(interval),
    ceilingBits: Type.Optional(Type.Number({ description: "the most it can be, whatever the data" })),
    is: Type.String(),
    isNot: Type.String(),
  },
  { ...closed, title: "InformationBound" },
);

export const measureResponseSchema = Type.Object(
  {
    bundle: Type.String(),
    task: Type.String(),
    version: Type.String(),
    rows: Type.Integer(),
    seed: Type.Integer({ description: "the same seed gives the same answer" }),
    quantities: Type.Array(quantitySchema),
    bounds: Type.Array(boundSchema),
    notes: Type.Array(Type.String()),
  },
  { ...closed, title: "MeasureResponse" },
);
export type MeasureResponse = Static<typeof measureResponseSchema>;

export const estimateRequestSchema = Type.Object(
  {
    ...measureRequestSchema.properties,
    kind: Type.Enum(["common-information", "redundant-information"], { default: "common-information" }),
  },
  { ...closed, title: "EstimateRequest" },
);

export const estimateSchema = Type.Object(
  {
    id: Type.String(),
    bundle: Type.String(),
    kind: Type.String(),
    state: Type.Enum(["waiting", "running", "done", "failed", "cancelled"]),
    created: Type.String({ description: "ISO 8601, UTC" }),
    rows: Type.Integer(),
    progress: Type.Number({ minimum: 0, maximum: 1, description: "share of the rows that went through the model" }),
    result: Type.Optional(measureResponseSchema),
    error: Type.Optional(Type.String()),
  },
  { ...closed, title: "Estimate" },
);
export type Estimate = Static<typeof estimateSchema>;

const symbol = Type.Union([Type.String({ maxLength: 200 }), Type.Number()]);

const cells = <T extends TSchema>(cell: T, description: string) =>
  Type.Array(Type.Array(cell, { minItems: 1, maxItems: 1000 }), {
    minItems: 1,
    maxItems: 1000,
    description: `instead of rows: ${description}`,
  });

export const discreteRequestSchema = Type.Object(
  {
    columns: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 2,
      maxItems: 3,
      description: "x, y, and a target that both tell about",
    }),
    rows: Type.Optional(
      Type.Array(Type.Array(symbol, { minItems: 2, maxItems: 3 }), {
        minItems: 1,
        maxItems: 100_000,
        description: "one an observation; their relative frequencies are the distribution",
      }),
    ),
    counts: Type.Optional(
      // Up to where every whole number is one: the sum of 1000 by 1000 of them is far from overflowing.
      cells(Type.Integer({ minimum: 0, maximum: 2 ** 53 }), "how often x (line) and y (column) occur together"),
    ),
    probabilities: Type.Optional(
      cells(
        Type.Number({ minimum: 0, maximum: 1 }),
        "how likely x (line) and y (column) are together, in all 1: a distribution, not a sample",
      ),
    ),
    seed: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
  },
  { ...closed, title: "DiscreteRequest" },
);
export type DiscreteRequest = Static<typeof discreteRequestSchema>;
