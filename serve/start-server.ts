import { once } from "node:events";
import type { Server } from "node:http";
import type { Logger } from "pino";
import type { Device } from "../runtime/session.ts";
import type { ServeConfig } from "../schemas/serve-config.ts";
import { createApp } from "./app.ts";
import { demoSite } from "./demo-site.ts";
import { Exchanges } from "./edge/exchanges.ts";
import type { Tokens } from "./edge/tokens.ts";
import { createEngine, type Engine } from "./engine/engine.ts";
import type { ModelState, ServedModel } from "./engine/inference-engine.ts";
import { measuring } from "./estimates/estimate-routes.ts";
import { EstimateJobs } from "./estimates/jobs.ts";
import { MeasureThreads } from "./estimates/measure-thread.ts";
import { pause } from "./estimates/patience.ts";
import { type Listening, listen } from "./listen.ts";

export interface ServerOptions {
  /** A bundle, or a folder of bundles. */
  readonly repository: string;
  /** Default 8080; 0 picks a free one. */
  readonly port?: number;
  /** Default 127.0.0.1: nobody but this machine. */
  readonly host?: string;
  /** How models are batched, queued and run; see `schemas/serve-config.ts`. */
  readonly config?: ServeConfig;
  /** Shorthand for `config.device`. */
  readonly device?: Device | "auto";
  /** Shorthand for `config.threads`. */
  readonly threads?: number;
  /** How often the repository is looked at for changes, ms; default 0: never. */
  readonly pollMs?: number;
  /** Largest request body, bytes; default 32 MiB. */
  readonly bodyLimit?: number;
  /** Bearer tokens; default: everything is open but load and unload, which are off. */
  readonly tokens?: Tokens;
  /** Requests of one address a minute; default: any number. */
  readonly ratePerMinute?: number | undefined;
  /** Default: nothing is written. */
  readonly logger?: Logger;
  /** Folder that keeps estimates asked for in the background, over restarts too; default: there are none. */
  readonly estimates?: string | undefined;
  /** Certificate and key in PEM; default: plain HTTP. */
  readonly tls?: Listening["tls"];
  /** How long `close` waits for requests in flight, ms; default 25 s, less than the 30 s that Kubernetes gives. */
  readonly drainMs?: number;
}

export interface RunningServer {
  readonly url: string;
  /** Models that can be asked now. */
  readonly models: readonly ServedModel[];
  /** What is not served now, and why. */
  readonly bad: readonly ModelState[];
  /** Processes that hold the sessions; they change when a worker is replaced. */
  readonly workerPids: readonly number[];
  /**
   * Not ready from now on; finishes requests in flight, closes the port, ends the workers. A second call waits for the
   * first.
   *
   * @returns false when requests had to be cut off after `drainMs`
   */
  close(): Promise<boolean>;
}

/**
 * Serves bundles until `close` is called. The port is open at once, for health checks; resolves when all models are
 * loaded and warm.
 *
 * @throws UsageError when there is nothing to serve
 * @throws FailureError when the device cannot start or the port cannot be opened
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8080, bodyLimit = 32 * 2 ** 20, drainMs = 25_000, pollMs = 0 } = options;
  const { device = options.config?.device, threads = options.config?.threads } = options;
  const config: ServeConfig = {
    ...options.config,
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
  };
  const engine = await createEngine({ repository: options.repository, config });
  engine.events.on("worker", ({ bundle, change, reason, batches }) => {
    if (change === "lost") {
      const work = batches === 1 ? "1 batch" : `${batches} batches`;
      console.error(`Worker of "${bundle}" lost (${reason}) with ${work}; starting a new one`);
    }
    if (change === "failed") console.error(reason);
  });
  const { tokens, ratePerMinute, logger, tls } = options;
  const measures = new MeasureThreads();
  const jobs =
    options.estimates === undefined
      ? undefined
      : new EstimateJobs({
          folder: options.estimates,
          // A client that waits goes before one that does not: background work has a thread of its own.
          run: measuring(engine, new MeasureThreads({ limitMs: 3_600_000 }), pause),
          logger: logger ?? { error: () => undefined },
        });
  const exchanges = new Exchanges();
  const parts = {
    engine,
    exchanges,
    measures,
    jobs,
    bodyLimit,
    limits: config.limits,
    ratePerMinute,
    tls: tls !== undefined,
    ...(tokens === undefined ? {} : { tokens }),
    ...(logger === undefined ? {} : { logger }),
  };
  await jobs?.read(); // whoever asks for one while the models are loaded must not be told that there is none
  const demo = demoSite({ repository: options.repository, ...(tokens === undefined ? {} : { tokens }) });
  const { server, url } = await listen(createApp({ ...parts, demo }), { host, port, tls });
  try {
    await engine.start();
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  jobs?.resume();
  const stopPolling = poll(engine, pollMs);
  let closing: Promise<boolean> | undefined;
  return {
    url,
    get models() {
      return engine.served();
    },
    get bad() {
      return engine.models().filter(({ status }) => status !== "READY");
    },
    get workerPids() {
      return engine.workerPids;
    },
    close() {
      stopPolling();
      closing ??= close(server, { engine, exchanges, jobs, drainMs });
      return closing;
    },
  };
}

/** One look at a time: a load that takes longer than the interval is waited for. */
function poll(engine: Engine, intervalMs: number): () => void {
  if (intervalMs === 0) return () => undefined;
  let timer: NodeJS.Timeout;
  let stopped = false;
  const plan = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void engine.refresh().finally(plan), intervalMs);
    timer.unref();
  };
  plan();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

interface Stopping {
  readonly engine: Engine;
  readonly exchanges: Exchanges;
  readonly jobs: EstimateJobs | undefined;
  readonly drainMs: number;
}

async function close(server: Server, { engine, exchanges, jobs, drainMs }: Stopping): Promise<boolean> {
  // The port stays open meanwhile, so that health checks see "not ready" and late requests a 503 with a reason. Nothing
  // is waited for but exchanges: what else the engine still computes, nobody will read.
  const [finished] = await Promise.all([
    exchanges.ended(drainMs),
    engine.drain(0),
    jobs?.stop(), // the next server goes on with them
  ]);
  const closed = once(server, "close");
  server.close(); // also ends idle connections; late requests are given a moment
  const timer = setTimeout(() => server.closeAllConnections(), finished ? 1000 : 0);
  await closed;
  clearTimeout(timer);
  await engine.close();
  return finished;
}
