import type { Request, Response } from "express";
import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { type TraverseResponse, traverseRequestSchema, traverseResponseSchema } from "../../schemas/tasks.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { meantOrAll } from "../../schemas/nearest.ts";
import { preview } from "../../schemas/validate.ts";
import type { InferenceEngine, PinnedBundle, ServedModel } from "../engine/inference-engine.ts";
import { whenClientGoes } from "../http/client-gone.ts";
import type { Route } from "../http/route.ts";
import { findTask, withBundle } from "./find-task.ts";
import { runRows } from "./run-rows.ts";
import { describeOutputs, pictureOf, sendPng, wantsPng } from "./task-answer.ts";
import { readTaskBody, taskBody } from "./task-body.ts";
import { fillInputs, type GivenInput } from "./task-inputs.ts";
import { bodiesOf, bodyNotes, outputsOf, readInputs, type TaskLimits, viewQueryOf } from "./task-routes.ts";

/** `POST /v1/{bundle}/traverse`: one latent dimension is moved, the others stay, and every step is decoded. */
export function traverseRoute(engine: InferenceEngine, limits: TaskLimits): Route {
  return {
    method: "POST",
    path: "/v1/{bundle}/traverse",
    group: "tasks",
    access: "token",
    summary: "Walk along one latent dimension",
    description: `Starts from the code of the views given (means), from blocks of code given by name, or from 0. With Accept: image/png the walk is a strip: a column for each step, a line for each view. ${bodyNotes}`,
    query: viewQueryOf(traverseRequestSchema),
    body: { required: true, content: bodiesOf(traverseRequestSchema) },
    answers: {
      200: {
        description: "Views at every step",
        content: { "application/json": traverseResponseSchema, "image/png": "binary" },
      },
    },
    handle: [
      ...taskBody(limits.bodyLimit),
      (request, response) =>
        withBundle(engine, String(request.params.bundle), (bundle) => traverse(bundle, { request, response })),
    ],
  };
}

async function traverse(
  bundle: PinnedBundle,
  { request, response }: { request: Request; response: Response },
): Promise<void> {
  const { settings: body, inputs: given } = await readTaskBody(request, traverseRequestSchema);
  const decoder = findTask(bundle.models, { verb: "decode", given: decoderInputs(bundle.models) });
  const model = body.version === undefined ? decoder : bundle.find(decoder.name, body.version);
  const { block, at } = findDimension(model, body.dimension);
  const signal = whenClientGoes(response);
  const code = await startingCode(bundle, { model, given, signal });

  const { steps, from, to } = body;
  const values = Array.from({ length: steps }, (_, step) => from + ((to - from) * step) / (steps - 1));
  const { inputs } = fillInputs(model.spec.inputs, { given: code, samples: steps, seed: 0, maxRows: steps });
  const moved = inputs[block]!;
  const width = moved.shape[1]!;
  for (const [step, value] of values.entries()) moved.data[step * width + at] = value;

  const outputs = outputsOf(model, body.outputs);
  const names = outputs.map(({ name }) => name);
  const tensors = await runRows(bundle, model, { inputs, outputs: names, rows: steps, signal });
  if (wantsPng(request)) return sendPng(response, pictureOf(tensors, { specs: outputs, turned: true }));
  const answer: TraverseResponse = {
    bundle: model.bundle.name,
    task: model.task,
    version: model.version,
    rows: steps,
    outputs: describeOutputs(tensors, { specs: outputs, images: body.images }),
    dimension: body.dimension,
    values,
    code: Object.fromEntries(
      Object.entries(code).map(([name, { data }]) => [name, Array.from(data as Float32Array)] as const),
    ),
  };
  response.json(answer);
}

function decoderInputs(models: readonly ServedModel[]): string[] {
  return models.find(({ task }) => task === "decode")?.spec.inputs.map(({ name }) => name) ?? [];
}

/** Which input of the decoder, and which column of it, a latent dimension is. */
function findDimension({ bundle, spec }: ServedModel, name: string): { block: string; at: number } {
  for (const block of bundle.latents) {
    const at = block.dimensions.indexOf(name);
    const input = spec.inputs.find((candidate) => candidate.name === block.name);
    if (at >= 0 && input?.shape.length === 2 && at < input.shape[1]!) return { block: block.name, at };
  }
  const known = bundle.latents.flatMap(({ dimensions }) => dimensions);
  throw new UsageError(`Cannot traverse: unknown dimension ${preview(name)}${meantOrAll(name, known)}`, {
    code: "bad_dimension",
    path: ["dimension"],
  });
}

/** One row of every input of the decoder: given as it is, told by the views given, or 0. */
async function startingCode(
  bundle: PinnedBundle,
  { model, given, signal }: { model: ServedModel; given: Readonly<Record<string, GivenInput>>; signal: AbortSignal },
): Promise<Record<string, HostTensor>> {
  const blocks = model.spec.inputs;
  const direct = readInputs(given, blocks);
  const views = Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(direct, name)));
  const told = Object.keys(views).length === 0 ? {} : await encode(bundle, { views, signal });
  const code = blocks.map((spec) => {
    const start = direct[spec.name] ?? told[`${spec.name}_mean`] ?? zeros(spec);
    if (start.shape[0] !== 1 || start.shape[1] !== spec.shape[1]) {
      throw new UsageError(`Cannot traverse: "${spec.name}" must be one row, got ${start.shape[0]}`, {
        code: "bad_inputs",
        path: ["inputs", spec.name],
      });
    }
    return [spec.name, start] as const;
  });
  return Object.fromEntries(code);
}

async function encode(
  bundle: PinnedBundle,
  { views, signal }: { views: Readonly<Record<string, GivenInput>>; signal: AbortSignal },
): Promise<Readonly<Record<string, HostTensor>>> {
  const encoder = findTask(bundle.models, { verb: "encode", given: Object.keys(views) });
  const { inputs, rows } = fillInputs(encoder.spec.inputs, {
    given: readInputs(views, encoder.spec.inputs),
    samples: 1,
    seed: 0,
    maxRows: 1,
  });
  return runRows(bundle, encoder, { inputs, rows, signal });
}

function zeros({ shape }: TensorSpec): HostTensor {
  return { dtype: "float32", shape: [1, ...shape.slice(1)], data: new Float32Array(shape[1] ?? 0) };
}
