import { parentPort } from "node:worker_threads";
import { FailureError } from "../../schemas/errors.ts";
import { createCompiledEngine } from "./compiled-engine.ts";
import type { Engine } from "./engine.ts";
import type { Answer, Request } from "./threaded-engine.ts";

/** The thread of `startThreadedEngine`: one engine, one request at a time. */

const port = parentPort!;
let engine: Engine | undefined;

port.on("message", (request: Request) => {
  void handle(request).then(
    (value) => port.postMessage({ ok: true, value } satisfies Answer),
    (error: unknown) => port.postMessage(failure(error)),
  );
});

async function handle(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "start":
      engine = await createCompiledEngine(request.step, request.options);
      return undefined;
    case "step":
      return engine!.step(request.feeds);
    case "read":
      return engine!.readState();
    case "write":
      return engine!.writeState(request.state);
    case "dispose":
      return engine!.dispose();
  }
}

function failure(error: unknown): Answer {
  if (error instanceof FailureError) return { ok: false, message: error.message, code: error.code };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ok: false, message, code: undefined };
}
