import type { EventEmitter } from "node:events";
import type { Device } from "../../runtime/session.ts";
import type { BundleOptions } from "../../schemas/serve-config.ts";
import { type HttpError, unavailable } from "../http-error.ts";
import type { BundleFiles } from "./bundle-files.ts";
import type { EngineEvents, InferenceAnswer, InferenceRequest } from "./inference-engine.ts";
import { type ModelQueue, modelId } from "./model-queue.ts";
import type { WorkerProcess } from "./worker-process.ts";
import { type PoolEvents, WorkerPool } from "./worker-pool.ts";

export interface ServedBundleParts {
  readonly files: BundleFiles;
  readonly options: BundleOptions;
  /** One for each version of each task. */
  readonly queues: readonly ModelQueue[];
  readonly events: EventEmitter<EngineEvents>;
}

/** Node takes a longer one for 1 ms. A deadline may lie years ahead: the timer is set again each time. */
const longestMs = 2 ** 31 - 1;

/** One state of a bundle's files in service: its workers, and the queues of its models, which share them. */
export class ServedBundle {
  readonly files: BundleFiles;
  readonly queues: readonly ModelQueue[];
  readonly instances: number;
  readonly #events: EventEmitter<EngineEvents>;
  #pool: WorkerPool | undefined;
  /** Why requests are refused at once: no worker runs, and none could be started. */
  #broken: HttpError | undefined;
  #draining = false;
  /** Those who may ask again (`hold`). */
  #holds = 0;
  /** Who waits in `drain`. */
  readonly #onDrained: (() => void)[] = [];
  #pumpPlanned = false;
  #timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;

  private constructor({ files, options, queues, events }: ServedBundleParts) {
    this.files = files;
    this.instances = options.instances;
    this.queues = queues;
    this.#events = events;
  }

  /** Resolves once every worker has loaded and warmed every model. @throws FailureError when one cannot */
  static async start(parts: ServedBundleParts): Promise<ServedBundle> {
    const { files, options, queues } = parts;
    const bundle = new ServedBundle(parts);
    const models = queues.map(({ name, spec }) => {
      const { sha256, inputs, outputs } = spec;
      return { id: modelId(name, spec.version), file: files.pathOf(spec), sha256, inputs, outputs };
    });
    const { device, threads, niceness } = options;
    const settings = { device, threads, niceness, models };
    bundle.#pool = await WorkerPool.start(settings, options.instances, bundle.#poolEvents());
    return bundle;
  }

  get device(): Device {
    return this.#pool!.device;
  }

  get pids(): readonly number[] {
    return this.#pool!.pids;
  }

  get healthy(): boolean {
    return this.#broken === undefined;
  }

  get pending(): number {
    return this.queues.reduce((sum, queue) => sum + queue.pending, 0);
  }

  submit(queue: ModelQueue, request: InferenceRequest): Promise<InferenceAnswer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const answer = queue.submit(request);
    const pool = this.#pool!;
    if (pool.free && queue.hasEnough(pool.size)) this.#pump();
    else this.#planPump();
    return answer;
  }

  /**
   * Makes `drain` wait for one who will ask several times.
   *
   * @returns what ends it; further calls of it change nothing
   */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#tellDrained();
    };
  }

  /** Sends what waits without delay; resolves once nothing is left and nobody holds it. */
  drain(): Promise<void> {
    this.#draining = true;
    this.#pump();
    return new Promise((resolve) => {
      this.#onDrained.push(resolve);
      this.#tellDrained();
    });
  }

  /** Ends the workers; requests that are left get 503. */
  async stop(graceMs: number): Promise<void> {
    clearTimeout(this.#timer?.handle);
    this.#broken = unavailable("Cannot infer: the model is being stopped", "stopping");
    for (const queue of this.queues) queue.rejectWaiting(this.#broken);
    await this.#pool!.stop(graceMs);
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #tellDrained(): void {
    if (this.pending > 0 || this.#holds > 0) return;
    for (const resolve of this.#onDrained.splice(0)) resolve();
  }

  #poolEvents(): PoolEvents {
    const { name } = this.files.manifest;
    const tell = (change: "started" | "lost" | "failed", pid: number | undefined, reason = "", batches = 0): void => {
      this.#events.emit("worker", { bundle: name, change, pid, reason, batches });
    };
    return {
      onFree: () => this.#pump(),
      onLost: (worker: WorkerProcess, reason, batches) => tell("lost", worker.pid, reason, batches),
      onStarted: (worker) => {
        this.#broken = undefined;
        tell("started", worker.pid);
      },
      onFailed: (error) => {
        this.#broken = unavailable(`Cannot infer: no worker of "${name}" could be started`, "worker_starting");
        for (const queue of this.queues) queue.rejectWaiting(this.#broken);
        tell("failed", undefined, error.message);
      },
    };
  }

  /** After the sockets that are readable now have been read: requests that came together ride together. */
  #planPump(): void {
    if (this.#pumpPlanned) return;
    this.#pumpPlanned = true;
    setImmediate(() => {
      this.#pumpPlanned = false;
      this.#pump();
    });
  }

  /** Does all that is due: times out, dispatches while workers are free, and sets the clock for the next time. */
  #pump(): void {
    const pool = this.#pool;
    if (pool === undefined) return;
    for (const queue of this.queues) queue.tick();
    while (pool.free && this.#dispatchOne(pool));
    this.#setTimer(pool);
    if (this.#onDrained.length > 0) this.#tellDrained();
  }

  /** The model whose request has waited longest comes first. */
  #dispatchOne(pool: WorkerPool): boolean {
    const waiting = this.queues.filter((queue) => queue.oldest < Number.POSITIVE_INFINITY);
    if (waiting.length > 1) waiting.sort((one, other) => one.oldest - other.oldest);
    for (const queue of waiting) {
      const batch = queue.take({ draining: this.#draining, workers: pool.size, ahead: !pool.idle });
      if (batch === undefined) continue;
      // Its own "free" event comes before its answers are handed out: an idle worker is more urgent than they are.
      void queue.compute(batch, (run) => pool.run(run, queue.expectedMs)).then(() => this.#planPump());
      return true;
    }
    return false;
  }

  #setTimer(pool: WorkerPool): void {
    const { idle } = pool;
    let at = Number.POSITIVE_INFINITY;
    for (const queue of this.queues) at = Math.min(at, queue.wakeAt(idle));
    // One that fires too early finds nothing to do and sets the next.
    if (at === Number.POSITIVE_INFINITY || (this.#timer !== undefined && this.#timer.at <= at)) return;
    clearTimeout(this.#timer?.handle);
    const handle = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pump();
      },
      Math.min(Math.max(0, Math.ceil(at - performance.now())), longestMs),
    );
    handle.unref();
    this.#timer = { at, handle };
  }
}
