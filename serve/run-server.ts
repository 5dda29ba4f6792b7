import { setFlagsFromString } from "node:v8";
import { FailureError } from "../schemas/errors.ts";
import { unusedOptions } from "./engine/options.ts";
import { type ServerOptions, startServer } from "./start-server.ts";

/**
 * Serves until SIGINT, SIGTERM or SIGHUP, then finishes what is in flight. For `cominfo serve` and `cominfo start`.
 *
 * @throws what `startServer` throws
 * @throws FailureError when requests had to be cut off
 */
export async function runServer(options: ServerOptions): Promise<void> {
  const stopped = firstSignal();
  keepRequestsYoung();
  const server = await startServer(options);
  for (const { name, reason } of server.bad) console.error(`Not served: ${name}. ${reason}`);
  const bundles = new Set(server.models.map((model) => model.bundle.name));
  const there = {
    bundles: [...bundles],
    models: server.models.map((model) => model.name),
    unread: server.bad.map(({ name }) => name),
  };
  for (const line of unusedOptions(options.config ?? {}, there)) console.error(line);
  const devices = new Set(server.models.map((model) => model.device));
  console.log(`Serving ${server.models.length} models of ${bundles.size} bundles on ${[...devices].join(" and ")}`);
  console.log(`${server.url}  (what is served and how to call it; Ctrl-C stops)`);
  const signal = await stopped;
  console.log(`${signal}: finishing requests in flight`);
  if (!(await server.close())) {
    throw new FailureError("Cannot finish all requests: they took longer than the time to drain and were cut off");
  }
}

/**
 * V8 counts how many objects of each literal outlive a collection of the young generation, and where most do, it makes
 * the later ones in old space. With 64 clients those of a request do, since it is still at work; but each of them then
 * keeps its request, body and answer alive until the next full collection, long after it was answered. Some servers came
 * into that state while they warmed up and stayed in it, with slower collections of both kinds. Here and not in
 * `startServer`: the flag is the whole process's.
 */
function keepRequestsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}

/**
 * Later signals change nothing: a terminal and `npm start` both send one. SIGHUP is the terminal that was closed; what is
 * configured is not read anew on it, bundles are by `--poll` or a load.
 */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, resolve);
  });
}
