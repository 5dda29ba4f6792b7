import { once } from "node:events";
import type { Server } from "node:http";
import type { Device } from "../runtime/session.ts";
import { createApp } from "./app.ts";
import type { InferenceEngine } from "./engine/inference-engine.ts";
import { listen } from "./listen.ts";
import { type BadBundle, readRepository, type ServedModel } from "./repository.ts";
import { startWorker } from "./worker.ts";
import { engineOfWorker } from "./worker-engine.ts";

export interface ServerOptions {
  /** A bundle, or a folder of bundles. */
  readonly repository: string;
  /** Default 8080; 0 picks a free one. */
  readonly port?: number;
  /** Default 127.0.0.1: nobody but this machine. */
  readonly host?: string;
  readonly device?: Device;
  /** Threads of the worker inside an operator; default: all cores. */
  readonly threads?: number;
  /** Largest request body, bytes; default 32 MiB. */
  readonly bodyLimit?: number;
  /** How long `close` waits for requests in flight, ms; default 25 s, less than the 30 s that Kubernetes gives. */
  readonly drainMs?: number;
}

export interface RunningServer {
  readonly url: string;
  readonly models: readonly ServedModel[];
  /** Bundles that are not served, and why. */
  readonly bad: readonly BadBundle[];
  /** Process that holds the sessions; changes when a new worker takes over. */
  readonly workerPid: number | undefined;
  /**
   * Not ready from now on; finishes requests in flight, closes the port, ends the worker. A second call waits for the
   * first.
   *
   * @returns false when requests had to be cut off after `drainMs`
   */
  close(): Promise<boolean>;
}

/**
 * Serves bundles until `close` is called.
 *
 * @throws UsageError when there is nothing to serve
 * @throws FailureError when the device cannot start or the port cannot be opened
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { device = "cpu", host = "127.0.0.1", port = 8080, bodyLimit = 32 * 2 ** 20, drainMs = 25_000 } = options;
  const repository = await readRepository(options.repository);
  const worker = await startWorker({
    device,
    threads: options.threads,
    models: repository.models.map(({ name, file, spec }) => {
      const { sha256, inputs, outputs } = spec;
      return { name, file, sha256, inputs, outputs };
    }),
  });
  const engine = engineOfWorker({ repository, worker, device });
  const app = createApp({ engine, bodyLimit });
  let open: { server: Server; url: string };
  try {
    open = await listen(app, { host, port });
  } catch (error) {
    await worker.stop(1000);
    throw error;
  }
  let closing: Promise<boolean> | undefined;
  return {
    url: open.url,
    models: repository.models,
    bad: repository.bad,
    get workerPid() {
      return worker.pid;
    },
    close() {
      closing ??= close(open.server, { engine, drainMs });
      return closing;
    },
  };
}

async function close(
  server: Server,
  { engine, drainMs }: { engine: InferenceEngine; drainMs: number },
): Promise<boolean> {
  // The port stays open meanwhile, so that health checks see "not ready" and late requests a 503 with a reason.
  const drained = await engine.drain(drainMs);
  const closed = once(server, "close");
  server.close(); // also ends idle connections; the others are given a moment
  const timer = setTimeout(() => server.closeAllConnections(), drained ? 1000 : 0);
  await closed;
  clearTimeout(timer);
  await engine.close();
  return drained;
}
