import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { getPriority, setPriority } from "node:os";
import path from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Device } from "../../runtime/session.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { unavailable } from "../http-error.ts";
import { encodeFrame, type Frame, FrameMemory, FrameReader, type FrameTensor } from "./frames.ts";
import { batchesAtOnce, type FromWorker, fromFault, type ToWorker, type WorkerSettings } from "./messages.ts";

export interface WorkerRun {
  readonly model: string;
  readonly inputs: Readonly<Record<string, FrameTensor>>;
  readonly outputs: readonly string[];
}

export interface WorkerAnswer {
  readonly outputs: Readonly<Record<string, HostTensor>>;
  /** Time in ONNX Runtime. */
  readonly computeMs: number;
}

interface Pending {
  readonly run: number;
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One process with the sessions of a bundle. A process and not a thread: ONNX Runtime blocks whoever calls it, its
 * binding has crashed in worker threads (microsoft/onnxruntime #24486), a native crash here costs one process and not
 * the server, and only the end of a process gives all of a session's memory back (#25325).
 */
export class WorkerProcess {
  /** What it really runs on. */
  readonly device: Device;
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  /** An array for the reason that `ModelQueue` has: what a Map held once lives long. */
  readonly #pending: Pending[];
  readonly #memory = new FrameMemory(batchesAtOnce);
  #nextRun = 0;
  /** Why it was killed. */
  #killedFor: string | undefined;

  private constructor(parts: { device: Device; child: ChildProcess; pending: Pending[] }) {
    this.device = parts.device;
    this.#child = parts.child;
    this.#channel = channelOf(parts.child);
    this.#pending = parts.pending;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Resolves once all models are loaded and warm.
   *
   * @param onExit called once if the process ends after it has started, with the reason and its requests lost
   * @throws FailureError when the device cannot start, a model cannot be loaded, or the process ends
   */
  static async start(
    settings: WorkerSettings,
    onExit: (worker: WorkerProcess, reason: string, lost: number) => void,
  ): Promise<WorkerProcess> {
    const child = spawn(process.execPath, [entryFile()], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
    });
    standBack(child, settings.niceness);
    const pending: Pending[] = [];
    let started: WorkerProcess | undefined;
    try {
      const device = await new Promise<Device>((resolve, reject) => {
        const reader = new FrameReader<FromWorker>((frame) => {
          if (frame.message.kind === "started") resolve(frame.message.device);
          else if (frame.message.kind === "refused") reject(fromFault(frame.message.fault));
          else settle(pending, frame);
        });
        const channel = channelOf(child);
        channel.on("data", (chunk: Buffer) => reader.push(chunk));
        channel.on("error", () => undefined); // the process is ending: "exit" follows and says why
        child.once("error", reject);
        child.once("exit", (code, signal) => {
          const killedFor = started === undefined ? undefined : started.#killedFor;
          const reason = killedFor ?? signal ?? `exit code ${code}`;
          reject(new FailureError(`Cannot start worker: it must answer, got ${reason}`, { code: "worker_lost" }));
          const lost = failAll(pending, reason);
          if (started !== undefined) onExit(started, reason, lost);
        });
        channel.write(encodeFrame({ kind: "start", settings } satisfies ToWorker));
      });
      started = new WorkerProcess({ device, child, pending });
      return started;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  /**
   * Call only while it has less than `batchesAtOnce`: both sides have memory for so many frames. Answers come in order,
   * and a frame that was answered has been read.
   *
   * @throws UsageError or FailureError of the worker
   * @throws HttpError 503 when the process ends before it has answered
   */
  run({ model, inputs, outputs }: WorkerRun): Promise<WorkerAnswer> {
    if (this.#pending.length >= batchesAtOnce) {
      throw new Error(`Cannot run batch: a worker takes ${batchesAtOnce} at once, got one more`);
    }
    const run = this.#nextRun++;
    return new Promise((resolve, reject) => {
      this.#pending.push({ run, resolve, reject });
      this.#channel.write(encodeFrame({ kind: "run", run, model, outputs } satisfies ToWorker, inputs, this.#memory));
    });
  }

  /** Ends the process at once: it is lost, for the reason given. */
  kill(reason: string): void {
    this.#killedFor = reason;
    this.#child.kill("SIGKILL"); // also ends one that is stopped
  }

  /** Ends the process once it has computed what it was given; by force after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const child = this.#child;
    if (!this.alive) return;
    const exit = once(child, "exit");
    this.#channel.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await exit;
    clearTimeout(timer);
  }
}

function settle(pending: Pending[], { message, tensors }: Frame<FromWorker>): void {
  if (message.kind !== "answer" && message.kind !== "fault") return;
  const at = pending.findIndex(({ run }) => run === message.run);
  const [waiting] = at < 0 ? [] : pending.splice(at, 1);
  if (message.kind === "answer") waiting?.resolve({ outputs: tensors, computeMs: message.computeMs });
  else waiting?.reject(fromFault(message.fault));
}

function failAll(pending: Pending[], reason: string): number {
  const waiting = pending.splice(0);
  for (const { reject } of waiting) reject(unavailable(`Cannot infer: the worker was lost (${reason})`, "worker_lost"));
  return waiting.length;
}

/** Before it makes threads, which inherit it. Where the system refuses, the worker runs as the others do. */
function standBack({ pid }: ChildProcess, niceness: number): void {
  if (pid === undefined || niceness === 0) return; // it did not start: "error" follows
  try {
    setPriority(pid, Math.min(19, getPriority() + niceness));
  } catch {
    // Ended already, or not allowed.
  }
}

function channelOf(child: ChildProcess): Duplex {
  return child.stdio[3] as Duplex;
}

/** Beside this file and of its kind: `.js` when built, `.ts` when tests run the sources. */
function entryFile(): string {
  const here = fileURLToPath(import.meta.url);
  return path.join(path.dirname(here), `worker-main${path.extname(here)}`);
}
