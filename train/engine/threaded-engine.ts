import { Worker } from "node:worker_threads";
import { builtFile } from "../../files/built-file.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { CompiledStep } from "./compile-step.ts";
import type { CompiledOptions } from "./compiled-engine.ts";
import type { Engine, Feeds, State } from "./engine.ts";

/** What the thread of the session is asked to do, and what it answers. */
export type Request =
  | { readonly kind: "start"; readonly step: CompiledStep; readonly options: CompiledOptions }
  | { readonly kind: "step"; readonly feeds: Feeds }
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly state: State }
  | { readonly kind: "dispose" };

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly code: string | undefined };

/**
 * The compiled engine on a thread of its own. ONNX Runtime's `run` blocks the thread that calls it: here that thread is
 * not the one that draws the next batch, moves the progress bar and hears Ctrl-C.
 */
export async function startThreadedEngine(step: CompiledStep, options: CompiledOptions): Promise<Engine> {
  // Set here: the process.env of a worker is a copy, which the native library that it loads does not see.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  const worker = new Worker(builtFile("train/engine/engine-thread"));
  const ask = createAsk(worker);
  try {
    await ask({ kind: "start", step, options });
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    device: options.device,
    step: (feeds) => ask({ kind: "step", feeds }) as Promise<Record<string, number>>,
    readState: () => ask({ kind: "read" }) as Promise<Map<string, HostTensor>>,
    writeState: async (state) => void (await ask({ kind: "write", state })),
    async dispose() {
      try {
        await ask({ kind: "dispose" });
      } finally {
        await worker.terminate(); // a thread that is left keeps the process from ending
      }
    },
  };
}

function createAsk(worker: Worker): (request: Request) => Promise<unknown> {
  let pending: { resolve: (value: unknown) => void; reject: (error: unknown) => void } | undefined;
  let death: unknown;
  const fail = (error: unknown): void => {
    death = error;
    pending?.reject(error);
    pending = undefined;
  };
  worker.on("message", (answer: Answer) => {
    const waiting = pending;
    pending = undefined;
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(toError(answer));
  });
  worker.on("error", fail);
  worker.on("exit", (code) => fail(new Error(`The engine's thread ended with code ${code}`)));
  return (request) =>
    new Promise((resolve, reject) => {
      if (death !== undefined) return reject(death);
      if (pending !== undefined) return reject(new Error("Cannot use the engine: one call at a time"));
      pending = { resolve, reject };
      worker.postMessage(request);
    });
}

function toError({ message, code }: Answer & { ok: false }): Error {
  return code === undefined ? new Error(message) : new FailureError(message, { code });
}
