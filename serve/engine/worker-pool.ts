import { setTimeout as sleep } from "node:timers/promises";
import type { Device } from "../../runtime/session.ts";
import { FailureError } from "../../schemas/errors.ts";
import { batchesAtOnce, type WorkerSettings } from "./messages.ts";
import { type WorkerAnswer, WorkerProcess, type WorkerRun } from "./worker-process.ts";

export interface PoolEvents {
  /** A worker could take one batch more than before. */
  onFree(): void;
  onLost(worker: WorkerProcess, reason: string, batches: number): void;
  onStarted(worker: WorkerProcess): void;
  /** No worker runs, and none could be started: what waits would wait for nothing. */
  onFailed(error: Error): void;
}

/** A batch at a worker. */
export interface BatchRun {
  /** Rejects with what `WorkerProcess.run` throws. */
  readonly answer: Promise<WorkerAnswer>;
  /** Kills the worker, which is then lost and replaced. */
  abandon(reason: string): void;
}

/** A worker that lives shorter counts as one that could not start: it is not replaced at once for ever. */
const provenMs = 10_000;

/** The workers of a bundle: as many as wanted, each replaced when it is lost. */
export class WorkerPool {
  readonly device: Device;
  readonly #settings: WorkerSettings;
  readonly #events: PoolEvents;
  /** Batches that each running worker holds. */
  readonly #load = new Map<WorkerProcess, number>();
  readonly #stopping = new AbortController();
  readonly #restarts = new Set<Promise<void>>();
  /** Workers in a row that did not start or did not last. */
  #failures = 0;

  private constructor(settings: WorkerSettings, { device, events }: { device: Device; events: PoolEvents }) {
    this.#settings = settings;
    this.device = device;
    this.#events = events;
  }

  /** @throws FailureError when one of them cannot start; none is left running then */
  static async start(settings: WorkerSettings, instances: number, events: PoolEvents): Promise<WorkerPool> {
    let pool: WorkerPool | undefined;
    const onExit = (...exit: [WorkerProcess, string, number]): void => {
      if (pool !== undefined) pool.#lose(...exit);
    };
    const starts = await Promise.allSettled(
      Array.from({ length: instances }, () => WorkerProcess.start(settings, onExit)),
    );
    const workers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    const failed = starts.find((start) => start.status === "rejected");
    if (failed !== undefined || workers[0] === undefined) {
      await Promise.all(workers.map((worker) => worker.stop(0)));
      throw failed?.reason ?? new FailureError("Cannot start workers: there must be at least one instance, got none");
    }
    pool = new WorkerPool({ ...settings, device: workers[0].device }, { device: workers[0].device, events });
    for (const worker of workers) {
      pool.#load.set(worker, 0);
      if (!worker.alive) pool.#lose(worker, "exit while the others started", 0);
    }
    return pool;
  }

  get pids(): number[] {
    return [...this.#load.keys()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Workers that run. */
  get size(): number {
    return this.#load.size;
  }

  /** Whether a worker would take a batch now: at once, or as its next. */
  get free(): boolean {
    return this.#leastLoaded() !== undefined;
  }

  /** Whether a worker has nothing to do; `run` gives it the batch, then. */
  get idle(): boolean {
    const worker = this.#leastLoaded();
    return worker !== undefined && this.#load.get(worker) === 0;
  }

  /** Call only while `free`. */
  run(run: WorkerRun): BatchRun {
    const worker = this.#leastLoaded();
    if (worker === undefined) throw new Error("Cannot run batch: a worker must be free, got none");
    this.#load.set(worker, this.#load.get(worker)! + 1);
    const answer = worker.run(run).finally(() => {
      const load = this.#load.get(worker);
      if (load === undefined) return; // it was lost or told to stop
      this.#load.set(worker, load - 1);
      this.#events.onFree();
    });
    return { answer, abandon: (reason) => worker.kill(reason) };
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const workers = [...this.#load.keys()];
    this.#load.clear();
    await Promise.all([...workers.map((worker) => worker.stop(graceMs)), ...this.#restarts]);
  }

  #leastLoaded(): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    let least = batchesAtOnce;
    for (const [worker, load] of this.#load) {
      if (load < least) [best, least] = [worker, load];
    }
    return best;
  }

  #lose(worker: WorkerProcess, reason: string, lost: number): void {
    if (!this.#load.delete(worker)) return; // it was told to stop
    this.#failures = performance.now() - worker.startedAt < provenMs ? this.#failures + 1 : 0;
    this.#events.onLost(worker, reason, lost);
    const restart = this.#restart().finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }

  /** Until it succeeds or the pool stops; slower each time, at most every 5 s. */
  async #restart(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const pause = this.#failures === 0 ? 0 : Math.min(5000, 50 * 2 ** this.#failures);
      await sleep(pause, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const worker = await WorkerProcess.start(this.#settings, (...exit) => this.#lose(...exit));
        if (signal.aborted) return worker.stop(0);
        this.#load.set(worker, 0);
        this.#events.onStarted(worker);
        this.#events.onFree();
        return;
      } catch (error) {
        this.#failures++;
        if (this.#load.size === 0) this.#events.onFailed(error as Error);
      }
    }
  }
}
