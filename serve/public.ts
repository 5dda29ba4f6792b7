/** Entry of `cominfo/serve`: the server as functions. Imports nothing of tfjs, train or export. */
export type { Device } from "../runtime/session.ts";
export { FailureError, UsageError } from "../schemas/errors.ts";
export { type AppParts, createApp } from "./app.ts";
export { createEngine, type Engine, type EngineOptions } from "./engine/engine.ts";
export type {
  InferenceAnswer,
  InferenceEngine,
  InferenceRequest,
  ModelState,
  ModelStatistics,
  PinnedBundle,
  ServedModel,
} from "./engine/inference-engine.ts";
export { type RunningServer, type ServerOptions, startServer } from "./start-server.ts";
