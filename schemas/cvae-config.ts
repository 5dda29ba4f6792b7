import { type Static, Type } from "typebox";
import { block, wrappedFields } from "./w-vae-config.ts";

/** Contract of `model` in a recipe of family `cvae`: the conditional VAE that the W-VAE paper compares itself with. */

const closed = { additionalProperties: false } as const;

export const cvaeConfigSchema = Type.Object(
  {
    ...wrappedFields,
    latents: Type.Object(
      {
        kind: Type.Enum(["categorical", "gaussian"], { default: "categorical" }),
        unique: block(1, "what a view has beyond the other view, which its decoder reads as it is"),
      },
      closed,
    ),
    autoencoderShare: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.2,
      description: "of the run's steps, for the wrapper",
    }),
  },
  { ...closed, $id: "cvae-config" },
);
export type CvaeConfig = Static<typeof cvaeConfigSchema>;
