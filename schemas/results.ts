import { type Static, Type } from "typebox";
import { dataSchema, figureSchema } from "./manifest.ts";

/** Contract of `results.json` in a run folder: what `cominfo evaluate` measured, against what the recipe expects. */

const closed = { additionalProperties: false } as const;

export const notComputedSchema = Type.Object(
  {
    quantity: Type.String(),
    unit: Type.String(),
    estimator: Type.String(),
    reason: Type.String({ description: "why there is no figure, as a clause" }),
  },
  closed,
);
export type NotComputed = Static<typeof notComputedSchema>;

export const resultsSchema = Type.Object(
  {
    format: Type.Literal(1),
    experiment: Type.String({ description: "name of the recipe" }),
    family: Type.String(),
    seed: Type.Integer({ description: "of the training run; its stream `evaluation` drew the pairs" }),
    step: Type.Integer({ minimum: 0, description: "optimiser steps of the checkpoint that was evaluated" }),
    steps: Type.Integer({ minimum: 1, description: "optimiser steps of the whole run" }),
    pairs: Type.Integer({ description: "fresh pairs; the last fifth is the test part of the probes" }),
    data: dataSchema,
    figures: Type.Array(figureSchema),
    notComputed: Type.Optional(
      Type.Array(notComputedSchema, { description: "figures that were measured and came to no finite number" }),
    ),
    importance: Type.Optional(
      Type.Object(
        {
          latents: Type.Array(Type.String()),
          factors: Type.Array(Type.String()),
          values: Type.Array(Type.Number(), { description: "[latents x factors] row-major; a factor adds up to 1" }),
        },
        { ...closed, description: "what boosted trees rest on when they predict a factor: the DCI matrix" },
      ),
    ),
    created: Type.String({ description: "ISO 8601, UTC" }),
    producer: Type.String({ description: "cominfo and its version" }),
  },
  { ...closed, $id: "results" },
);
export type Results = Static<typeof resultsSchema>;
