import { Worker } from "node:worker_threads";
import { builtFile } from "../../files/built-file.ts";
import type { Device } from "../../runtime/session.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { type Fault, fromFault } from "../engine/messages.ts";

export interface ScoringModel {
  readonly task: string;
  readonly file: string;
  readonly sha256: string;
}

export type ToSession =
  | {
      readonly kind: "open";
      readonly models: readonly ScoringModel[];
      readonly device: Device;
      readonly threads: number | undefined;
    }
  | { readonly kind: "run"; readonly task: string; readonly inputs: Readonly<Record<string, HostTensor>> };

export type FromSession =
  | { readonly kind: "opened" }
  | { readonly kind: "outputs"; readonly outputs: Readonly<Record<string, HostTensor>> }
  | { readonly kind: "fault"; readonly fault: Fault };

/** Tasks of one bundle on a thread of their own. */
export interface ScoringSession {
  /** Runs wait in line; their inputs are handed over and must not be used again. */
  run(task: string, inputs: Readonly<Record<string, HostTensor>>): Promise<Readonly<Record<string, HostTensor>>>;
  close(): Promise<void>;
}

/** @throws FailureError when a model cannot be opened or the device cannot start */
export async function startScoringSession(options: {
  readonly models: readonly ScoringModel[];
  readonly device: Device;
  readonly threads?: number;
}): Promise<ScoringSession> {
  // Set here: the process.env of a worker is a copy, which the native library that it loads does not see.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  const worker = new Worker(builtFile("serve/score/session-thread"));
  const waiting: { resolve: (answer: FromSession) => void; reject: (error: unknown) => void }[] = [];
  let death: unknown;
  const fail = (error: unknown): void => {
    death ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on("message", (answer: FromSession) => {
    const next = waiting.shift()!;
    if (answer.kind === "fault") next.reject(fromFault(answer.fault));
    else next.resolve(answer);
  });
  worker.on("error", fail);
  worker.on("exit", (code) => fail(new Error(`The session's thread ended with code ${code}`)));

  function ask(message: ToSession, transfer: readonly ArrayBuffer[] = []): Promise<FromSession> {
    return new Promise((resolve, reject) => {
      if (death !== undefined) return reject(death);
      waiting.push({ resolve, reject });
      worker.postMessage(message, transfer);
    });
  }

  const { models, device, threads } = options;
  try {
    await ask({ kind: "open", models, device, threads });
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    async run(task, inputs) {
      const buffers = new Set(Object.values(inputs).map(({ data }) => data.buffer as ArrayBuffer));
      const answer = await ask({ kind: "run", task, inputs }, [...buffers]);
      if (answer.kind !== "outputs") throw new Error(`The session's thread answered "${answer.kind}"`);
      return answer.outputs;
    },
    close: async () => void (await worker.terminate()),
  };
}
