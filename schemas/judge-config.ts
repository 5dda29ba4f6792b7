import { type Static, Type } from "typebox";
import { limits } from "./limits.ts";
import { imageSchema } from "./network-config.ts";
import { optimiserSchema } from "./recipe.ts";

/** Contract of `model` in a recipe of family `judge`: a classifier that judges generated images. */

const closed = { additionalProperties: false } as const;

export const judgeConfigSchema = Type.Object(
  {
    image: imageSchema,
    classes: Type.Integer({ minimum: 2, maximum: limits.width }),
    filters: Type.Integer({
      minimum: 1,
      maximum: limits.filters,
      default: 16,
      description: "channels of the first convolution; each later one has twice as many",
    }),
    features: Type.Integer({
      minimum: 2,
      maximum: limits.width,
      default: 64,
      description: "width of the last hidden layer, on which the Frechet distance is measured",
    }),
    halvingSteps: Type.Integer({
      minimum: 1,
      default: 600,
      description: "steps after which the learning rate has halved; it falls all the time",
    }),
    optimiser: Type.Union([...optimiserSchema.anyOf], {
      default: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    }),
  },
  { ...closed, $id: "judge-config" },
);
export type JudgeConfig = Static<typeof judgeConfigSchema>;
