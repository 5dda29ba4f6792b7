import { type Static, Type } from "typebox";

/** Contract of `state.json`, the readable half of a checkpoint; the values are in `state.safetensors` beside it. */

const closed = { additionalProperties: false } as const;

export const checkpointSchema = Type.Object(
  {
    format: Type.Literal(1),
    step: Type.Integer({ minimum: 0, description: "optimiser steps done" }),
    steps: Type.Integer({ minimum: 1, description: "optimiser steps of the whole run" }),
    phase: Type.String({ description: "phase of the last step done; optimiser slots belong to it" }),
    seconds: Type.Number({ minimum: 0, description: "training time so far, over all sessions" }),
    configuration: Type.Object(
      {
        family: Type.String(),
        model: Type.Record(Type.String(), Type.Unknown()),
        data: Type.Record(Type.String(), Type.Unknown()),
        seed: Type.Integer(),
        batchSize: Type.Integer(),
        microBatch: Type.Integer(),
      },
      { ...closed, description: "everything of the recipe that the values depend on, the number of steps apart" },
    ),
    recipeHash: Type.String({ pattern: "^[0-9a-f]{64}$", description: "sha256 of the canonical configuration" }),
    engine: Type.String(),
    device: Type.String(),
    threads: Type.Integer({ minimum: 0, description: "0: not chosen" }),
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$", description: "of state.safetensors" }),
    variables: Type.Array(
      Type.Object({ name: Type.String(), dtype: Type.String(), shape: Type.Array(Type.Integer()) }, closed),
    ),
  },
  { ...closed, $id: "checkpoint" },
);
export type CheckpointState = Static<typeof checkpointSchema>;
export type Configuration = CheckpointState["configuration"];
