import { type Static, Type } from "typebox";

/**
 * Contract of `model.uniqueWarmUp` in recipes of the two-view families. Ours: no paper has it, and a weight of 1 is the
 * paper's objective throughout.
 */
export const uniqueWarmUpSchema = Type.Object(
  {
    weight: Type.Number({
      minimum: 1,
      default: 1,
      description: "factor on the rates of the unique codes at the start of the phase that learns them",
    }),
    share: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.6,
      description: "of that phase's steps, over which the factor falls exponentially to 1",
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description:
      "ours: unique codes that cost more at first leave to the common code what it can tell; weight 1 is the paper's objective throughout",
  },
);
export type UniqueWarmUp = Static<typeof uniqueWarmUpSchema>;
