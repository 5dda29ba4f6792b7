import { type Static, Type } from "typebox";
import { dataSchema, tensorSpecSchema } from "./manifest.ts";

/**
 * Contract of `training.json`: a training step as files that any ONNX Runtime can run, a browser's too. Written by
 * `cominfo export-step`. One step is one run of `step.onnx` with
 *
 *   `batch/<name>`   pairs, uint8 [batchSize, ...], from `samples`
 *   `noise/<name>`   drawn as `noise` says
 *   each schedule    its value at this step, a scalar
 *   each `state`     the value under `input`; the output `output` is the next one
 */

const closed = { additionalProperties: false } as const;

export const trainingStepSchema = Type.Object(
  {
    format: Type.Literal(1),
    name: Type.String(),
    title: Type.String(),
    family: Type.String(),
    recipe: Type.String(),
    seed: Type.Integer(),
    batchSize: Type.Integer({ minimum: 1 }),
    parameters: Type.Integer(),
    producer: Type.String(),
    data: dataSchema,
    latents: Type.Array(Type.Object({ name: Type.String(), dimensions: Type.Array(Type.String()) }, closed)),
    step: Type.Object(
      {
        file: Type.String(),
        batch: Type.Array(Type.String(), { description: "names without `batch/`" }),
        noise: Type.Record(
          Type.String({ description: "name without `noise/`" }),
          Type.Object(
            {
              shape: Type.Array(Type.Integer({ minimum: 1 })),
              distribution: Type.Enum(["normal", "uniform", "gumbel", "permutation"]),
            },
            closed,
          ),
        ),
        inputs: Type.Array(Type.String(), { description: "every input that the graph declares" }),
        terms: Type.Array(Type.String(), { description: "outputs that are loss terms, nats per example" }),
        minimises: Type.String({ description: "the term that is minimised" }),
        state: Type.Array(
          Type.Object(
            {
              name: Type.String(),
              input: Type.Optional(Type.String()),
              output: Type.Optional(Type.String()),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    start: Type.Object(
      {
        file: Type.String({
          description:
            "gzip-compressed safetensors: `state/<name>`, the initial values, and `schedule/<input>`, [steps], the scalar inputs step by step; after the last step its value stays",
        }),
        steps: Type.Integer({ minimum: 1 }),
      },
      closed,
    ),
    samples: Type.Object({ file: Type.String(), pairs: Type.Integer({ minimum: 1 }) }, closed),
    tasks: Type.Record(
      Type.String(),
      Type.Object(
        {
          description: Type.String(),
          file: Type.String({ description: "the task's graph with the weights as inputs" }),
          opset: Type.Integer(),
          inputs: Type.Array(tensorSpecSchema),
          outputs: Type.Array(tensorSpecSchema),
          state: Type.Array(Type.String(), { description: "inputs that are weights, by name of the state" }),
        },
        closed,
      ),
    ),
  },
  { ...closed, $id: "training-step" },
);
export type TrainingStep = Static<typeof trainingStepSchema>;
