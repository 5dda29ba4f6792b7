import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { imageSchema } from "./network-config.ts";
import { optimiserSchema } from "./recipe.ts";
import { uniqueWarmUpSchema } from "./unique-warm-up.ts";

/**
 * Contract of `model` in a recipe of family `w-vae`: Ryu et al., "Wyner VAE: Joint and Conditional Generation with
 * Succinct Common Representation Learning". Names of the blocks are those of all two-view families: common is the
 * paper's Z, unique_1 its U, unique_2 its V.
 */

const closed = { additionalProperties: false } as const;

export const block = (minimum: number, description: string) =>
  Type.Object(
    {
      variables: Type.Integer({
        minimum,
        maximum: limits.latents,
        description: "N: how many independent variables; of a Gaussian, dimensions",
      }),
      values: Type.Optional(
        Type.Integer({ minimum: 2, maximum: limits.latents, description: "K: values of each; none for a Gaussian" }),
      ),
    },
    { ...closed, description },
  );

/** What the W-VAE and the CVAE that it is compared with have in common. */
export const wrappedFields = {
  image: imageSchema,
  autoencoder: Type.Object(
    {
      filters: Type.Integer({
        minimum: 1,
        maximum: limits.filters,
        default: 16,
        description: "channels of the first convolution; each later one has twice as many",
      }),
      features: Type.Integer({
        minimum: 1,
        maximum: limits.width,
        default: 64,
        description: "length of an image's feature vector, which the latent variable model sees instead of the image",
      }),
    },
    { ...closed, default: {}, description: "the convolutional wrapper; the paper gives neither shape nor size" },
  ),
  networks: Type.Object(
    {
      layers: Type.Integer({
        minimum: 1,
        maximum: limits.layers,
        default: 3,
        description: "hidden layers of every encoder and decoder",
      }),
      hidden: Type.Integer({ minimum: 1, maximum: limits.width, default: 512, description: "their width" }),
    },
    { ...closed, default: {} },
  ),
  noiseVariance: Type.Number({
    exclusiveMinimum: 0,
    default: 1e-4,
    description:
      "2 epsilon^2 of the decoders, in units of a feature's variance; 1e-4 in the paper, 1 is its mean squared error baseline",
  }),
  errorReduction: Type.Union([Type.Literal("sum"), Type.Literal("mean")], {
    default: "sum",
    description: "squared error over the features: the sum is a Gaussian's log-likelihood",
  }),
  temperature: Type.Object(
    {
      start: Type.Number({ exclusiveMinimum: 0, default: 1 }),
      end: Type.Number({ exclusiveMinimum: 0, default: 0.5 }),
    },
    {
      ...closed,
      default: {},
      description: "of the Gumbel-softmax; falls exponentially from start to end in each phase that samples",
    },
  ),
  learningRateEnd: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.05,
    description: "share of the learning rate that is left at the end of each phase; it falls exponentially",
  }),
  optimiser: Type.Union([...optimiserSchema.anyOf], {
    default: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  }),
};

export const wVaeConfigSchema = Type.Object(
  {
    ...wrappedFields,
    latents: Type.Object(
      {
        kind: Type.Enum(["categorical", "gaussian"], {
          default: "categorical",
          description: "N variables of K values each with a uniform prior (paper), or N standard normal dimensions",
        }),
        common: block(1, "Z: what both decoders read"),
        unique: block(0, "U and V: what the decoder of one view reads; 0 variables is the JVAE, the paper's baseline"),
      },
      closed,
    ),
    lambda: Type.Number({
      minimum: 0,
      default: 0,
      description: "what the rate of Z costs more, beyond the evidence bound; the paper leaves it at 0",
    }),
    uniqueReadsCommon: Type.Boolean({
      default: true,
      description:
        "whether the marginal encoder of U reads Z too: q(u|x,z) of the training step, or q(u|x) of the graph",
    }),
    marginals: Type.Optional(
      Type.Enum(["evidence", "posterior"], {
        description:
          "what the encoders of one view learn: the paper's evidence bound of that view (also where left out), or to guess the joint posterior",
      }),
    ),
    uniqueWarmUp: uniqueWarmUpSchema,
    shares: Type.Object(
      {
        autoencoder: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.2 }),
        joint: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.5 }),
      },
      { ...closed, default: {}, description: "of the run's steps; the marginal encoders have the rest" },
    ),
  },
  { ...closed, $id: "w-vae-config" },
);
export type WVaeConfig = Static<typeof wVaeConfigSchema>;
