import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { burgessFields, imageSchema } from "./network-config.ts";
import { optimiserSchema } from "./recipe.ts";
import { uniqueWarmUpSchema } from "./unique-warm-up.ts";

/**
 * Contract of `model` in a recipe of family `gk-vae`. Defaults are the values of Kleinman et al., "Gacs-Korner Common
 * Information Variational Autoencoder", section 4, at their batch of 128.
 */

const closed = { additionalProperties: false } as const;
const weight = (paper: number, description: string) => Type.Number({ minimum: 0, default: paper, description });

export const gkVaeConfigSchema = Type.Object(
  {
    image: imageSchema,
    latents: Type.Object(
      {
        common: Type.Integer({ minimum: 1, maximum: limits.latents, description: "dimensions of the common block" }),
        unique: Type.Integer({
          minimum: 1,
          maximum: limits.latents,
          description: "dimensions of each view's unique block",
        }),
      },
      closed,
    ),
    networks: Type.Object(burgessFields, {
      ...closed,
      default: {},
      description: "the paper's Burgess nets unless a smaller one is asked for",
    }),
    decoders: Type.Union([Type.Literal("all-latents"), Type.Literal("per-view")], {
      default: "all-latents",
      description:
        "what each decoder reads: (unique_1, common, unique_2), or only its own view's unique block and common",
    }),
    prior: Type.Union([Type.Literal("fixed"), Type.Literal("learned")], {
      default: "fixed",
      description: "standard normal, or a diagonal Gaussian whose mean and variance are trained (paper, equation 11)",
    }),
    weights: Type.Object(
      {
        prior: weight(1, "gamma: of both prior terms together"),
        unique: weight(10, "beta_u: of the rate of each unique block"),
        common: weight(0.1, "beta_c: of the rate of the common block of each encoder"),
        matching: weight(
          12.8,
          "lambda_c; with matchingReduction mean, the published 0.1 is 0.1 x batch 128 = 12.8; with sum it is 0.1",
        ),
      },
      { ...closed, default: {} },
    ),
    matchingReduction: Type.Union([Type.Literal("sum"), Type.Literal("mean")], {
      default: "mean",
      description: "over the batch; sum is the authors' code and makes the objective depend on the batch size",
    }),
    matchingRampSteps: Type.Integer({
      minimum: 0,
      default: 0,
      description: "steps over which the matching weight grows linearly from 0; 0 is no ramp",
    }),
    uniqueWarmUp: uniqueWarmUpSchema,
    freeNats: Type.Number({
      minimum: 0,
      default: 0.1,
      description: "free bits, in nats: rate of one dimension (batch mean) below which the objective does not push",
    }),
    learningRateEnd: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description:
        "share of the learning rate that is left at the end; it falls exponentially. The paper's stays; one that falls ends nearer to the optimum where a small batch keeps the gradients noisy",
    }),
    optimiser: Type.Union([...optimiserSchema.anyOf], {
      default: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    }),
  },
  { ...closed, $id: "gk-vae-config" },
);
export type GkVaeConfig = Static<typeof gkVaeConfigSchema>;
