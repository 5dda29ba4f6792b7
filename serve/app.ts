import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import express, { type Express, type Request, type RequestHandler, type Response } from "express";
import type { Device } from "../runtime/session.ts";
import {
  datatypeOf,
  type InferResponse,
  inferRequestSchema,
  type ModelMetadata,
  type RepositoryIndexEntry,
  repositoryIndexRequestSchema,
} from "../schemas/open-inference.ts";
import { validate } from "../schemas/validate.ts";
import { jsonBody } from "./body.ts";
import type { Gate } from "./gate.ts";
import { answerError, HttpError, unavailable } from "./http-error.ts";
import { exampleRequest, indexPage } from "./index-page.ts";
import { readInputs, readOutputs, writeOutput } from "./json-tensors.ts";
import type { Repository, ServedModel } from "./repository.ts";
import type { InferenceWorker } from "./worker.ts";

export interface AppParts {
  readonly repository: Repository;
  readonly worker: Pick<InferenceWorker, "ready" | "run">;
  readonly gate: Gate;
  /** What the worker really runs on. */
  readonly device: Device;
  /** Largest body, bytes, after decompression. */
  readonly bodyLimit: number;
}

// The package by its own name: the way from dist/ differs from the way from the sources.
const { version } = createRequire(import.meta.url)("cominfo/package.json") as { version: string };

/** The Open Inference Protocol, version 2, over HTTP with JSON tensors. Opens no port. */
export function createApp(parts: AppParts): RequestListener {
  const { repository, worker, gate, device, bodyLimit } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");

  const isReady = (): boolean => worker.ready && !gate.draining && repository.models.length > 0;
  const modelOf = (request: Request): ServedModel => {
    const { model, version } = request.params as { model: string; version?: string };
    return repository.find(model, version);
  };

  get(app, "/", (request, response) => {
    const page = indexPage(repository, { version, device, host: request.headers.host });
    response.type("json").send(`${JSON.stringify(page, null, 2)}\n`); // for people: indented
  });
  get(app, "/v2", (_request, response) => {
    response.json({ name: "cominfo", version, extensions: ["model_repository"] });
  });
  get(app, "/v2/health/live", (_request, response) => {
    response.json({ live: true });
  });
  get(app, "/v2/health/ready", (_request, response) => {
    response.status(isReady() ? 200 : 503).json({ ready: isReady() });
  });
  const modelPaths = ["/v2/models/:model", "/v2/models/:model/versions/:version"];
  get(app, modelPaths, (request, response) => {
    response.json(metadata(modelOf(request), { name: String(request.params.model), device }));
  });
  get(app, suffixed(modelPaths, "/ready"), (request, response) => {
    modelOf(request);
    response.status(isReady() ? 200 : 503).json({ name: request.params.model, ready: isReady() });
  });
  get(app, suffixed(modelPaths, "/example"), (request, response) => {
    response.json(exampleRequest(modelOf(request)));
  });

  const enter: RequestHandler = (_request, response, next) => {
    if (gate.draining) throw unavailable("Cannot infer: the server is stopping", "stopping");
    response.once("close", gate.enter());
    next();
  };
  const infer = async (request: Request, response: Response): Promise<void> => {
    const model = modelOf(request);
    const body = validate(inferRequestSchema, request.body, "read request");
    const inputs = readInputs(body.inputs, model.spec.inputs);
    const names = readOutputs(body, model.spec.outputs);
    const outputs = await worker.run({ model: model.name, inputs, outputs: names });
    const answer: InferResponse = {
      model_name: String(request.params.model),
      model_version: model.spec.version,
      ...(body.id === undefined ? {} : { id: body.id }),
      outputs: names.map((name) => writeOutput(name, outputs[name]!)),
    };
    response.json(answer);
  };
  // The model is looked up before the body is read: a wrong name needs no upload.
  const requireModel: RequestHandler = (request, _response, next) => {
    modelOf(request);
    next();
  };
  post(app, suffixed(modelPaths, "/infer"), [enter, requireModel, ...jsonBody(bodyLimit), infer]);

  const listModels: RequestHandler = (request, response) => {
    const { ready = false } = validate(repositoryIndexRequestSchema, request.body ?? {}, "read request");
    const entries = index(repository, isReady());
    response.json(ready ? entries.filter((entry) => entry.state === "READY") : entries);
  };
  post(app, "/v2/repository/index", [...jsonBody(bodyLimit), listModels]);

  app.use((request) => {
    throw new HttpError(`Cannot serve ${request.method} ${request.path}: there is no such route, GET / lists them`, {
      status: 404,
      code: "no_route",
    });
  });
  app.use(answerError);
  return app;
}

function suffixed(paths: readonly string[], suffix: string): string[] {
  return paths.map((path) => path + suffix);
}

function get(app: Express, path: string | string[], handler: RequestHandler): void {
  app.get(path, handler);
  app.all(path, refuseMethod("GET, HEAD"));
}

function post(app: Express, path: string | string[], handlers: RequestHandler[]): void {
  app.post(path, handlers);
  app.all(path, refuseMethod("POST"));
}

function refuseMethod(allowed: string): RequestHandler {
  return (request) => {
    throw new HttpError(`Cannot serve ${request.method} ${request.path}: the method must be ${allowed}`, {
      status: 405,
      code: "wrong_method",
      headers: { Allow: allowed },
    });
  };
}

function metadata(
  { spec, task, bundle }: ServedModel,
  { name, device }: { name: string; device: Device },
): ModelMetadata {
  const tensors = (specs: typeof spec.inputs) =>
    specs.map(({ name, dtype, shape }) => ({ name, datatype: datatypeOf[dtype], shape }));
  return {
    name,
    versions: [spec.version],
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
    },
  };
}

function index({ models, bad }: Repository, ready: boolean): RepositoryIndexEntry[] {
  const reason = ready ? "" : "the server is starting or stopping";
  const good = models.map(({ name, spec }) => {
    const state = ready ? ("READY" as const) : ("UNAVAILABLE" as const);
    return { name, version: spec.version, state, reason };
  });
  return [...good, ...bad.map(({ name, reason }) => ({ name, version: "", state: "UNAVAILABLE" as const, reason }))];
}
