import type { Request, Response } from "express";
import { UsageError } from "../../schemas/errors.ts";
import {
  type RepositoryIndex,
  repositoryChangeSchema,
  repositoryIndexRequestSchema,
  repositoryIndexSchema,
  type Statistics,
  statisticsSchema,
} from "../../schemas/open-inference.ts";
import { validate } from "../../schemas/validate.ts";
import type { InferenceEngine, ModelStatistics } from "../engine/inference-engine.ts";
import { jsonBody } from "../http/body.ts";
import type { Route } from "../http/route.ts";

const smallBody = 64 * 1024;

/** Triton's model repository extension: what there is, load, unload. */
export function repositoryRoutes(engine: InferenceEngine): Route[] {
  const index = (request: Request, response: Response): void => {
    const { ready = false } = validate(repositoryIndexRequestSchema, request.body ?? {}, "read request");
    const entries: RepositoryIndex = engine
      .models()
      .map(({ name, version, status, reason }) => ({ name, version, state: status, reason }));
    response.json(ready ? entries.filter((entry) => entry.state === "READY") : entries);
  };
  const change = (verb: "load" | "unload", run: (name: string) => Promise<void>): Route => ({
    method: "POST",
    path: `/v2/repository/models/{model}/${verb}`,
    group: "repository",
    access: "operator",
    summary: verb === "load" ? "Read a bundle anew and swap it in" : "Take a bundle out and give its memory back",
    description: `{model} is a bundle or one of its models: a bundle is ${verb}ed whole. ${
      verb === "load"
        ? "The old one answers until the new one is warm, and stays if that fails"
        : "Requests at hand are finished"
    }.`,
    body: { required: false, content: { "application/json": repositoryChangeSchema } },
    answers: { 200: { description: "Done" } },
    handle: [
      ...jsonBody(smallBody),
      async (request, response) => {
        const { parameters = {} } = validate(repositoryChangeSchema, request.body ?? {}, "read request");
        const foreign = Object.keys(parameters).find((key) => key !== "unload_dependents");
        if (foreign !== undefined) {
          throw new UsageError(
            `Cannot ${verb} model: "${foreign}" must be left out, models come from the repository's folder only`,
            { code: "unsupported", path: ["parameters", foreign] },
          );
        }
        await run(String(request.params.model));
        response.json({});
      },
    ],
  });
  return [
    {
      method: "POST",
      path: "/v2/repository/index",
      group: "repository",
      access: "token",
      summary: "Every model, its state, and why it is not ready",
      body: { required: false, content: { "application/json": repositoryIndexRequestSchema } },
      answers: { 200: { description: "Models", content: { "application/json": repositoryIndexSchema } } },
      handle: [...jsonBody(smallBody), index],
    },
    change("load", (name) => engine.load(name)),
    change("unload", (name) => engine.unload(name)),
  ];
}

/** Triton's statistics extension. Its first path must be mounted before `/v2/models/{model}`. */
export function statisticsRoutes(engine: InferenceEngine): Route[] {
  const route = (path: string): Route => ({
    method: "GET",
    path,
    group: "protocol",
    access: "token",
    summary: "Counts and times, as Triton gives them",
    answers: { 200: { description: "Statistics", content: { "application/json": statisticsSchema } } },
    handle: (request, response) => {
      const { model, version } = request.params as { model?: string; version?: string };
      const name = model === undefined ? undefined : engine.find(model, version).name;
      const chosen = engine
        .statistics()
        .filter((one) => (name === undefined || one.name === name) && (version ?? one.version) === one.version);
      const body: Statistics = { model_stats: chosen.map(tritonStatistics) };
      response.json(body);
    },
  });
  return [
    route("/v2/models/stats"),
    route("/v2/models/{model}/stats"),
    route("/v2/models/{model}/versions/{version}/stats"),
  ];
}

function tritonStatistics(one: ModelStatistics): Statistics["model_stats"][number] {
  const none = { count: 0, ns: 0 };
  return {
    name: one.name,
    version: one.version,
    last_inference: one.lastInference,
    inference_count: one.inferenceCount,
    execution_count: one.executionCount,
    inference_stats: {
      success: one.inference.success,
      fail: one.inference.fail,
      queue: one.inference.queue,
      compute_input: one.inference.computeInput,
      compute_infer: one.inference.computeInfer,
      compute_output: one.inference.computeOutput,
      cache_hit: none,
      cache_miss: none,
    },
    batch_stats: one.batches.map((batch) => ({
      batch_size: batch.batchSize,
      compute_input: batch.computeInput,
      compute_infer: batch.computeInfer,
      compute_output: batch.computeOutput,
    })),
  };
}
