import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { FailureError } from "../schemas/errors.ts";
import type { HostTensor } from "../schemas/tensor.ts";
import { unavailable } from "./http-error.ts";
import { type FromWorker, fromFault, type ToWorker, type WorkerSettings } from "./messages.ts";

/**
 * Inference in a process of its own. A process and not a thread: ONNX Runtime's binding has crashed in worker threads
 * (microsoft/onnxruntime #24486), a native crash here costs one process and not the server, and its memory comes back.
 */
export interface InferenceWorker {
  /** Whether a request would be taken now. */
  readonly ready: boolean;
  readonly pid: number | undefined;
  /**
   * @throws UsageError or FailureError of the worker
   * @throws HttpError 503 when the worker is lost, starting, or has too much to do
   */
  run(request: RunRequest): Promise<Record<string, HostTensor>>;
  /** Ends the process once it is idle; by force after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface RunRequest {
  readonly model: string;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly outputs: readonly string[];
}

/** Requests that may wait in the worker's channel: each holds its tensors twice, so without a limit memory is the limit. */
const maximumPending = 64;

interface Pending {
  readonly resolve: (outputs: Record<string, HostTensor>) => void;
  readonly reject: (error: Error) => void;
}

/** @throws FailureError when the device cannot start */
export async function startWorker(settings: WorkerSettings): Promise<InferenceWorker> {
  const worker = new Worker(settings);
  await worker.start();
  return worker;
}

class Worker implements InferenceWorker {
  readonly #settings: WorkerSettings;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #ready = false;
  #stopping = false;
  #nextId = 0;
  /** Starts in a row that did not get as far as "started". */
  #failedStarts = 0;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  get ready(): boolean {
    return this.#ready && !this.#stopping;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const child = fork(entryFile(), {
      serialization: "advanced",
      env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
      execArgv: [], // flags of this process, --eval or --inspect=9229, are not meant for another
    });
    this.#child = child;
    const started = new Promise<void>((resolve, reject) => {
      child.on("message", (message: FromWorker) => {
        if (message.kind === "started") {
          this.#ready = true;
          this.#failedStarts = 0;
          resolve();
        } else if (message.kind === "refused") reject(fromFault(message.fault));
        else this.#settle(message);
      });
      child.once("exit", (code, signal) => {
        const reason = signal ?? `exit code ${code}`;
        reject(new FailureError(`Cannot start worker: it must answer, got ${reason}`, { code: "worker_lost" }));
        if (this.#child === child && this.#ready) this.#lost(reason);
      });
      child.once("error", reject);
    });
    this.#send(child, { kind: "start", settings: this.#settings });
    try {
      await started;
    } catch (error) {
      this.#child = undefined;
      child.kill("SIGKILL");
      throw error;
    }
  }

  run({ model, inputs, outputs }: RunRequest): Promise<Record<string, HostTensor>> {
    const child = this.#child;
    if (child === undefined || !this.ready) {
      return Promise.reject(unavailable("Cannot infer: the worker is starting", "worker_starting"));
    }
    if (this.#pending.size >= maximumPending) {
      const message = `Cannot infer: at most ${maximumPending} requests may wait, got one more`;
      return Promise.reject(unavailable(message, "busy"));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send(child, { kind: "run", id, model, inputs, outputs });
    });
  }

  #send(child: ChildProcess, message: ToWorker): void {
    // A channel that is closed already: "exit" follows and fails what is pending.
    if (child.connected) child.send(message, () => undefined);
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === "answer") pending?.resolve(message.outputs);
    else pending?.reject(fromFault(message.fault));
  }

  #lost(reason: string): void {
    this.#child = undefined;
    this.#ready = false;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending)
      reject(unavailable(`Cannot infer: the worker was lost (${reason})`, "worker_lost"));
    if (this.#stopping) return;
    console.error(`Worker lost (${reason}) with ${pending.length} requests; starting a new one`);
    void this.#restart();
  }

  /** Until it succeeds or the server stops; slower each time, at most every 5 s. */
  async #restart(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.start();
        return;
      } catch (error) {
        this.#failedStarts++;
        console.error(error instanceof Error ? error.message : error);
        await sleep(Math.min(5000, 100 * 2 ** this.#failedStarts), undefined, { ref: false });
      }
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await exit;
    clearTimeout(timer);
  }
}

/** Beside this file and of its kind: `.js` when built, `.ts` when tests run the sources. */
function entryFile(): string {
  const here = fileURLToPath(import.meta.url);
  return path.join(path.dirname(here), `worker-main${path.extname(here)}`);
}
