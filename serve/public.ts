/** Entry of `cominfo/serve`: the server as functions. Imports nothing of tfjs, train or export. */
export type { Device } from "../runtime/session.ts";
export { FailureError, UsageError } from "../schemas/errors.ts";
export { type AppParts, createApp } from "./app.ts";
export { type BadBundle, type Repository, readRepository, type ServedModel } from "./repository.ts";
export { type RunningServer, type ServerOptions, startServer } from "./start-server.ts";
export { type InferenceWorker, type RunRequest, startWorker } from "./worker.ts";
