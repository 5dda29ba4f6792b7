import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { optimiserSchema } from "./recipe.ts";

/**
 * Contract of `model` in a recipe of family `rine`. Defaults are the values of Kleinman et al., "Redundant Information
 * Neural Estimation", and of the authors' code where the two differ.
 */

const closed = { additionalProperties: false } as const;

export const sourcePartSchema = Type.Object(
  {
    columns: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        minItems: 2,
        maxItems: 2,
        description: "[from, to): columns of pixels that the source has",
      }),
    ),
    channels: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, description: "colour channels that the source has" }),
    ),
  },
  { ...closed, description: "what a source has of its image; the rest is zero after normalisation. {} is all of it" },
);
export type SourcePart = Static<typeof sourcePartSchema>;

export const problemSchema = Type.Object(
  {
    name: Type.String({ pattern: "^[A-Za-z0-9-]+$", description: "part of the names of figures and tasks" }),
    classes: Type.Integer({ minimum: 2, maximum: limits.width, description: "values of the target" }),
    classNames: Type.Optional(Type.Array(Type.String(), { minItems: 2, description: "one for each class" })),
    from: Type.Optional(
      Type.String({ pattern: "^[A-Za-z0-9]+$", description: "prefix of its inputs in the data; without: x1, x2, y" }),
    ),
    parts: Type.Optional(Type.Array(sourcePartSchema, { minItems: 2, description: "of images: one for each source" })),
  },
  { ...closed, description: "sources and a target" },
);
export type RineProblem = Static<typeof problemSchema>;

export const rineInputSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("numbers"),
      size: Type.Integer({ minimum: 1, maximum: limits.width, description: "numbers of one source" }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("images"),
      size: Type.Integer({ minimum: 8, maximum: limits.size, description: "height and width in pixels" }),
      mean: Type.Array(Type.Number(), { minItems: 1, description: "of each channel, intensity 0..1" }),
      deviation: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 1 }),
    },
    closed,
  ),
]);
export type RineInput = Static<typeof rineInputSchema>;

export const rineNetworkSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("mlp"),
      hidden: Type.Array(Type.Integer({ minimum: 1, maximum: limits.width }), {
        minItems: 1,
        maxItems: limits.layers,
        description: "widths; batch norm and ReLU",
      }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("resnet"),
      stemStride: Type.Integer({ minimum: 1, maximum: 2 }),
      filters: Type.Array(Type.Integer({ minimum: 1, maximum: limits.filters }), {
        minItems: 1,
        maxItems: limits.layers,
        description: "of each stage; the stem has those of the first, and every later stage halves the image",
      }),
      blocks: Type.Integer({ minimum: 1, maximum: limits.layers, description: "residual blocks of each stage" }),
    },
    { ...closed, description: "pre-activation ResNet; [64, 128, 256, 512] x 2 with stem stride 1 is the paper's" },
  ),
]);
export type RineNetwork = Static<typeof rineNetworkSchema>;

export const rineConfigSchema = Type.Object(
  {
    problems: Type.Array(problemSchema, { minItems: 1, description: "estimated side by side, sharing nothing" }),
    sources: Type.Integer({ minimum: 2, maximum: 8, default: 2 }),
    input: rineInputSchema,
    network: rineNetworkSchema,
    betas: Type.Array(Type.Number({ minimum: 0 }), {
      minItems: 1,
      uniqueItems: true,
      default: [0, 50],
      description: "weights of the distance; each trains networks of its own. 0 gives usable information",
    }),
    betaSchedule: Type.Enum(["growing", "fixed"], {
      default: "growing",
      description: "growing: beta_i = beta (1 - gamma^i) in epoch i, counted from 0 (equation 17)",
    }),
    gamma: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.97 }),
    distance: Type.Object(
      {
        reduction: Type.Enum(["mean", "l1"], {
          default: "mean",
          description: "over classes: mean is the authors' code, l1 (the sum) the paper's text",
        }),
        form: Type.Enum(["all-pairs", "star"], {
          default: "all-pairs",
          description: "star: to the average prediction, n terms instead of n (n - 1) / 2; the same for two sources",
        }),
      },
      { ...closed, default: {} },
    ),
    joint: Type.Boolean({
      default: false,
      description: "also train a network that sees all sources: with beta 0 it gives the whole decomposition",
    }),
    epochSteps: Type.Integer({ minimum: 1, description: "optimiser steps that count as an epoch in both schedules" }),
    learningRateDecay: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.97,
      description: "factor on the learning rate after each epoch",
    }),
    optimiser: optimiserSchema,
  },
  { ...closed, $id: "rine-config" },
);
export type RineConfig = Static<typeof rineConfigSchema>;
