import type { Request } from "express";
import {
  datatypeOf,
  inferRequestSchema,
  liveSchema,
  type ModelConfig,
  type ModelMetadata,
  modelConfigSchema,
  modelMetadataSchema,
  modelReadySchema,
  readySchema,
  serverMetadataSchema,
} from "../../schemas/open-inference.ts";
import type { InferenceEngine, ServedModel } from "../engine/inference-engine.ts";
import type { Route } from "../http/route.ts";
import { exampleRequest } from "./example-request.ts";

/** Health and metadata of the server and its models. */
export function modelRoutes(engine: InferenceEngine, { version }: { version: string }): Route[] {
  const modelOf = (request: Request): ServedModel => {
    const { model, version } = request.params as { model: string; version?: string };
    return engine.find(model, version);
  };
  const get = (path: string, rest: Omit<Route, "method" | "path" | "group" | "access"> & Partial<Route>): Route => ({
    method: "GET",
    path,
    group: "protocol",
    access: "token",
    ...rest,
  });

  const server: Route[] = [
    get("/v2", {
      summary: "Name, version and extensions of the server",
      answers: { 200: { description: "Server metadata", content: { "application/json": serverMetadataSchema } } },
      handle: (_request, response) => {
        const extensions = [
          "binary_tensor_data",
          "model_configuration",
          "model_repository",
          "schedule_policy",
          "statistics",
        ];
        response.json({ name: "cominfo", version, extensions });
      },
    }),
    get("/v2/health/live", {
      access: "open",
      summary: "Whether the server runs",
      answers: { 200: { description: "It does", content: { "application/json": liveSchema } } },
      handle: (_request, response) => {
        response.json({ live: true });
      },
    }),
    get("/v2/health/ready", {
      access: "open",
      summary: "Whether every model can be asked",
      answers: {
        200: { description: "Yes", content: { "application/json": readySchema } },
        503: {
          description: "Starting, stopping, or a worker is missing",
          content: { "application/json": readySchema },
        },
      },
      handle: (_request, response) => {
        response.status(engine.ready ? 200 : 503).json({ ready: engine.ready });
      },
    }),
  ];

  const model = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"].flatMap((path) => [
    get(path, {
      summary: "Inputs, outputs and versions of a model",
      answers: { 200: { description: "Model metadata", content: { "application/json": modelMetadataSchema } } },
      handle: (request, response) => {
        response.json(metadata(modelOf(request), String(request.params.model)));
      },
    }),
    get(`${path}/config`, {
      summary: "How a model is batched, queued and run",
      answers: {
        200: { description: "Triton's model configuration", content: { "application/json": modelConfigSchema } },
      },
      handle: (request, response) => {
        response.json(configOf(modelOf(request), String(request.params.model)));
      },
    }),
    get(`${path}/ready`, {
      summary: "Whether a model can be asked",
      answers: {
        200: { description: "Yes", content: { "application/json": modelReadySchema } },
        503: { description: "Not now", content: { "application/json": modelReadySchema } },
      },
      handle: (request, response) => {
        const { name, version } = modelOf(request);
        const ready = isReady(engine, { name, version });
        response.status(ready ? 200 : 503).json({ name: request.params.model, ready });
      },
    }),
    get(`${path}/example`, {
      summary: "A request that the model takes: one row of zeros",
      answers: { 200: { description: "A body for infer", content: { "application/json": inferRequestSchema } } },
      handle: (request, response) => {
        response.json(exampleRequest(modelOf(request)));
      },
    }),
  ]);
  return [...server, ...model];
}

function isReady(engine: InferenceEngine, { name, version }: { name: string; version: string }): boolean {
  if (engine.draining) return false;
  return engine.models().some((state) => state.name === name && state.version === version && state.status === "READY");
}

function metadata({ spec, task, bundle, device, versions, limits }: ServedModel, name: string): ModelMetadata {
  const tensors = (specs: typeof spec.inputs) =>
    specs.map(({ name, dtype, shape }) => ({ name, datatype: datatypeOf[dtype], shape }));
  return {
    name,
    versions: [...versions],
    platform: "onnx_onnxv1",
    inputs: tensors(spec.inputs),
    outputs: tensors(spec.outputs),
    properties: {
      bundle: bundle.name,
      task,
      description: spec.description,
      family: bundle.family,
      sha256: spec.sha256,
      opset: String(spec.opset),
      device,
      ...(limits.maxBatchRows === undefined ? {} : { max_batch_rows: String(limits.maxBatchRows) }),
    },
  };
}

/** What Triton would say of the same model; `name` as the client calls it. */
function configOf({ spec, device, instances, limits }: ServedModel, name: string): ModelConfig {
  const batched = limits.maxBatchRows !== undefined;
  const tensors = (specs: typeof spec.inputs): ModelConfig["input"] =>
    specs.map(({ name, dtype, shape }) => ({
      name,
      data_type: `TYPE_${datatypeOf[dtype]}` as const,
      dims: batched ? shape.slice(1) : shape,
    }));
  return {
    name,
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    max_batch_size: limits.maxBatchRows ?? 0,
    input: tensors(spec.inputs),
    output: tensors(spec.outputs),
    instance_group: [{ kind: device === "cpu" ? "KIND_CPU" : "KIND_GPU", count: instances }],
    // Queue and priorities are also those of a model whose requests run one by one.
    dynamic_batching: {
      preferred_batch_size: [...limits.preferredBatchRows],
      max_queue_delay_microseconds: Math.round(limits.maxDelayMs * 1000),
      priority_levels: limits.priorityLevels,
      default_priority_level: limits.defaultPriority,
      default_queue_policy: {
        timeout_action: "REJECT",
        default_timeout_microseconds: Math.round(limits.defaultTimeoutMs * 1000),
        allow_timeout_override: true,
        max_queue_size: limits.maxQueue,
      },
    },
  };
}
