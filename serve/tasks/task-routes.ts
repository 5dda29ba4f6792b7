import { randomInt } from "node:crypto";
import type { Request, Response } from "express";
import { Type } from "typebox";
import { type TaskResponse, taskRequestSchema, taskResponseSchema } from "../../schemas/tasks.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { InferenceEngine, PinnedBundle, ServedModel } from "../engine/inference-engine.ts";
import { whenClientGoes } from "../http/client-gone.ts";
import type { Content, QueryParameter, Route } from "../http/route.ts";
import { unknownName } from "../protocol/infer-request.ts";
import { findTask, withBundle } from "./find-task.ts";
import { runRows } from "./run-rows.ts";
import { describeOutputs, pictureOf, sendPng, wantsPng } from "./task-answer.ts";
import { readTaskBody, taskBody } from "./task-body.ts";
import { draws, fillInputs, type GivenInput, readInput } from "./task-inputs.ts";
import { formOf, queryOf, type RequestSchema } from "./task-settings.ts";

/** The last segment of a route, and the tasks it finds in a manifest: that name, or that name and a variant. */
const verbs: Readonly<Record<string, { readonly task: string; readonly summary: string }>> = {
  encode: { task: "encode", summary: "Codes of a pair, or of one view" },
  decode: { task: "decode", summary: "The views of a code" },
  conditional: { task: "conditional", summary: "The other view: what goes with the one that is given" },
  "style-transfer": { task: "style_transfer", summary: "One view's content in the style of another" },
  joint: { task: "joint", summary: "New pairs" },
  predict: { task: "predict", summary: "What one source tells about the target" },
};

/** Bodies of all routes that take views. */
export function bodiesOf(schema: RequestSchema): Content {
  return { "application/json": schema, "multipart/form-data": formOf(schema), "image/png": "binary" };
}

/** Of all routes that take views. */
export const bodyNotes =
  "A form's files are inputs by name and its other fields settings; a PNG as the body is the input that ?input= names. Settings may stand in the query, whatever the body is; one that stands in both is refused.";

/** Queries of all routes that take views. */
export function viewQueryOf(schema: RequestSchema): QueryParameter[] {
  const input = { description: "of a PNG as the body: which input it is; default view_1", schema: Type.String() };
  return [{ name: "input", ...input }, ...queryOf(schema)];
}

export interface TaskLimits {
  readonly bodyLimit: number;
  /** Rows that one request of a task may ask for. */
  readonly maxRows: number;
}

/** `POST /v1/{bundle}/<verb>`: tasks by the names that all families share, in JSON, forms and PNG. */
export function taskRoutes(engine: InferenceEngine, limits: TaskLimits): Route[] {
  return Object.entries(verbs).map(([verb, { task, summary }]) => ({
    method: "POST" as const,
    path: `/v1/{bundle}/${verb}`,
    group: "tasks" as const,
    access: "token" as const,
    summary,
    description: `Runs the task ${task} of the bundle, or that of its variants (${task}_...) that takes the inputs given. With Accept: image/png the answer is a picture: a line for each row, a column for each output. ${bodyNotes}`,
    query: viewQueryOf(taskRequestSchema),
    body: { required: true, content: bodiesOf(taskRequestSchema) },
    answers: {
      200: {
        description: "Outputs with their units",
        content: { "application/json": taskResponseSchema, "image/png": "binary" as const },
      },
    },
    handle: [
      ...taskBody(limits.bodyLimit),
      (request, response) =>
        withBundle(engine, String(request.params.bundle), (bundle) =>
          runTask(bundle, { request, response, task, limits }),
        ),
    ],
  }));
}

async function runTask(
  bundle: PinnedBundle,
  { request, response, task, limits }: { request: Request; response: Response; task: string; limits: TaskLimits },
): Promise<void> {
  const { settings: body, inputs: given } = await readTaskBody(request, taskRequestSchema);
  const chosen = findTask(bundle.models, { verb: task, given: Object.keys(given), variant: body.variant });
  const model = body.version === undefined ? chosen : bundle.find(chosen.name, body.version);
  const outputs = outputsOf(model, body.outputs);
  const seed = body.seed ?? randomInt(2 ** 47);
  const drawn = draws(model.spec.inputs, given);
  const { inputs, rows } = fillInputs(model.spec.inputs, {
    given: readInputs(given, model.spec.inputs),
    samples: body.samples,
    seed,
    maxRows: limits.maxRows,
  });
  const names = outputs.map(({ name }) => name);
  const tensors = await runRows(bundle, model, { inputs, outputs: names, rows, signal: whenClientGoes(response) });
  if (drawn) response.set("Cominfo-Seed", String(seed));
  if (wantsPng(request)) return sendPng(response, pictureOf(tensors, { specs: outputs, turned: false }));
  const answer: TaskResponse = {
    bundle: model.bundle.name,
    task: model.task,
    version: model.version,
    rows,
    ...(drawn ? { seed } : {}),
    outputs: describeOutputs(tensors, { specs: outputs, images: body.images }),
  };
  response.json(answer);
}

/** What was given, by name, as tensors. Names must be known to be inputs. */
export function readInputs(given: Readonly<Record<string, GivenInput>>, specs: readonly TensorSpec[]) {
  const known = specs.filter(({ name }) => Object.hasOwn(given, name));
  return Object.fromEntries(known.map((spec) => [spec.name, readInput(given[spec.name], spec)]));
}

/** Specs of the outputs asked for, all by default. @throws UsageError for an unknown name */
export function outputsOf({ spec }: ServedModel, asked: readonly string[] | undefined): readonly TensorSpec[] {
  if (asked === undefined) return spec.outputs;
  return [...new Set(asked)].map((name, index) => {
    const found = spec.outputs.find((output) => output.name === name);
    if (found === undefined) throw unknownName("output", { name, specs: spec.outputs, path: ["outputs", index] });
    return found;
  });
}
