import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { burgessFields, imageSchema } from "./network-config.ts";
import { optimiserSchema } from "./recipe.ts";

/**
 * Contract of `model` in a recipe of family `contrastive`: the rival in figure 3 of the GK-VAE paper, contrastive
 * multiview coding (Tian et al. 2020) on the GK-VAE's encoder.
 */

const closed = { additionalProperties: false } as const;

export const contrastiveConfigSchema = Type.Object(
  {
    image: imageSchema,
    embedding: Type.Integer({
      minimum: 1,
      maximum: limits.latents,
      default: 20,
      description: "dimensions of an encoder's embedding",
    }),
    temperature: Type.Number({ exclusiveMinimum: 0, default: 0.07, description: "the cosine is divided by it" }),
    networks: Type.Object(burgessFields, { ...closed, default: {} }),
    optimiser: Type.Union([...optimiserSchema.anyOf], {
      default: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    }),
  },
  { ...closed, $id: "contrastive-config" },
);
export type ContrastiveConfig = Static<typeof contrastiveConfigSchema>;
