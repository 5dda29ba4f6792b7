import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { imageSchema } from "./network-config.ts";
import { optimiserSchema } from "./recipe.ts";

/**
 * Contract of `model` in a recipe of family `disentangle`: variational auto-encoders of one view. Defaults are those of
 * disentanglement_lib, with the weights of Yang et al. ("Split Encoder"), section 5.
 */

const closed = { additionalProperties: false } as const;
const weight = (value: number, description: string) => Type.Number({ minimum: 0, default: value, description });

export const disentangleConfigSchema = Type.Object(
  {
    image: imageSchema,
    latents: Type.Integer({ minimum: 2, maximum: limits.latents, default: 10 }),
    filters: Type.Integer({
      minimum: 1,
      maximum: limits.filters,
      default: 32,
      description: "channels of the first two convolutions and the last deconvolutions, half those of the others",
    }),
    objective: Type.Enum(["vae", "beta-vae", "factor-vae", "beta-tcvae"]),
    weights: Type.Object(
      {
        betaVae: weight(4, "beta of objective beta-vae: of the rate"),
        factorVae: weight(35, "gamma of objective factor-vae: of the total correlation that the discriminator tells"),
        betaTcvae: weight(6, "beta of objective beta-tcvae: the total correlation of the minibatch weighs beta - 1"),
      },
      { ...closed, default: {} },
    ),
    noiseCorrelation: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      description: "sigma: covariance of the noise of any two latents, whose variance is 1; 0 is a plain VAE",
    }),
    encoder: Type.Object(
      {
        kind: Type.Enum(["vanilla", "split", "matched"], {
          default: "vanilla",
          description:
            "matched: vanilla with a dense layer so wide that it has as many parameters as the split encoder of the same options",
        }),
        hidden: Type.Integer({
          minimum: 1,
          maximum: limits.width,
          default: 256,
          description: "width of the shared dense layer",
        }),
        splitAfter: Type.Enum(["conv2", "conv4", "fc"], {
          default: "conv4",
          description: "last layer that all latents share: the second or fourth convolution, or the dense layer",
        }),
        branchWidth: Type.Integer({
          minimum: 1,
          maximum: limits.width,
          default: 256,
          description: "width of each branch's hidden layer",
        }),
        branchFilters: Type.Integer({
          minimum: 1,
          maximum: limits.filters,
          default: 64,
          description: "channels of each branch's two convolutions, with splitAfter conv2",
        }),
      },
      { ...closed, default: {} },
    ),
    discriminator: Type.Object(
      {
        layers: Type.Integer({ minimum: 1, maximum: limits.layers, default: 6 }),
        width: Type.Integer({ minimum: 1, maximum: limits.width, default: 1000 }),
        optimiser: Type.Union([...optimiserSchema.anyOf], {
          default: { kind: "adam", learningRate: 1e-4, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, weightDecay: 0 },
        }),
      },
      { ...closed, default: {}, description: "of objective factor-vae" },
    ),
    optimiser: Type.Union([...optimiserSchema.anyOf], {
      default: { kind: "adam", learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    }),
  },
  { ...closed, $id: "disentangle-config" },
);
export type DisentangleConfig = Static<typeof disentangleConfigSchema>;
