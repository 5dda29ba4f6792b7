import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";

/**
 * Contract of a recipe (`train/recipes/*.json`): one experiment of a paper with its source, budget and expected
 * figures. A run stores the recipe it was started with, after overrides, as `recipe.json` in its folder.
 */

const closed = { additionalProperties: false } as const;

/** No defaults: JSON Schema validators fill none in inside a union, so a recipe spells its optimiser out. */
export const optimiserSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("adam"),
      learningRate: Type.Number({ exclusiveMinimum: 0 }),
      beta1: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
      beta2: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
      epsilon: Type.Number({ exclusiveMinimum: 0 }),
      weightDecay: Type.Number({
        minimum: 0,
        description: "L2 added to the gradient, as in torch.optim.Adam",
      }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("sgd"),
      learningRate: Type.Number({ exclusiveMinimum: 0 }),
      momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
      weightDecay: Type.Number({ minimum: 0 }),
    },
    closed,
  ),
]);
export type OptimiserConfig = Static<typeof optimiserSchema>;

export const trainingSchema = Type.Object(
  {
    seed: Type.Integer({ minimum: 0 }),
    batchSize: Type.Integer({ minimum: 1, maximum: limits.batchSize }),
    steps: Type.Integer({ minimum: 1, maximum: limits.steps, description: "optimiser steps over all phases" }),
    microBatch: Type.Integer({
      minimum: 0,
      maximum: limits.batchSize,
      default: 0,
      description: "rows per pass inside a step; 0 leaves the choice to the engine",
    }),
    logEvery: Type.Integer({ minimum: 1, default: 50 }),
    checkpointEvery: Type.Integer({ minimum: 1, default: 500 }),
    keepCheckpoints: Type.Optional(
      Type.Integer({
        minimum: 2,
        description: "how many, newest first, are kept; default 2: some figures average over several",
      }),
    ),
  },
  closed,
);
export type TrainingConfig = Static<typeof trainingSchema>;

export const expectedSchema = Type.Object(
  {
    quantity: Type.String({ description: "dotted name, for instance usable.label.common" }),
    unit: Type.String(),
    paper: Type.Optional(Type.Number({ description: "the published value" })),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    full: Type.Optional(
      Type.Object(
        { minimum: Type.Optional(Type.Number()), maximum: Type.Optional(Type.Number()) },
        {
          ...closed,
          description: "bounds for the whole training of the recipe, in the place of `minimum` and `maximum`",
        },
      ),
    ),
    source: Type.String(),
  },
  closed,
);

export const recipeSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    format: Type.Literal(1),
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }),
    title: Type.String(),
    source: Type.String({ description: "paper, table or figure that the experiment reproduces" }),
    family: Type.String(),
    model: Type.Record(Type.String(), Type.Unknown(), { description: "the family's own configuration" }),
    data: Type.Object(
      { source: Type.String() },
      { additionalProperties: true, description: "source name and its options" },
    ),
    training: trainingSchema,
    evaluation: Type.Object(
      {
        pairs: Type.Integer({
          minimum: 100,
          maximum: limits.pairs,
          default: 10000,
          description: "fresh pairs; the last fifth is the test part",
        }),
        atEnd: Type.Optional(
          Type.Boolean({ description: "`cominfo train` evaluates the run when it is done, and prints the table" }),
        ),
        classifier: Type.Enum(["linear", "trees"], {
          default: "linear",
          description: "what looks for a factor in a block: a linear probe, or gradient-boosted trees as in the paper",
        }),
        judge: Type.Optional(
          Type.String({
            description: "bundle with the classifier that judges generated images (families that generate)",
          }),
        ),
      },
      closed,
    ),
    budgets: Type.Optional(
      Type.Record(Type.String(), Type.Partial(trainingSchema), {
        description: "named overrides of training, chosen with --budget",
      }),
    ),
    variants: Type.Optional(
      Type.Record(
        Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }),
        Type.Object(
          {
            title: Type.String(),
            source: Type.String(),
            set: Type.Array(Type.String(), { minItems: 1, description: "assignments as of --set" }),
            budgets: Type.Optional(
              Type.Record(Type.String(), Type.Partial(trainingSchema), {
                description: "in place of the recipe's of the same name",
              }),
            ),
          },
          closed,
        ),
        { description: "each is a recipe of its own, <name>-<variant>; a run stores what it comes to" },
      ),
    ),
    seeds: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), { description: "seeds of the paper's trainings, one run each" }),
    ),
    expected: Type.Array(expectedSchema),
  },
  { ...closed, $id: "recipe" },
);
export type Recipe = Static<typeof recipeSchema>;
