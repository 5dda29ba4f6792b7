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

/**
 * A worker that should be done with its batch sooner is given the next one ahead. After a longer one the moment in which
 * it would have nothing to do does not count, and others may be idle sooner.
 */
const soonMs = 20;

/** What a running worker has to do. */
interface Held {
  batches: number;
  /** Time that its batches should take. */
  expectedMs: number;
  /** Batches that the pool had been given when it got its last one. */
  turn: number;
}

/** A worker that lives shorter counts as one that could not start: it is not replaced at once for ever. */
const provenMs = 10_000;

/** The workers of a bundle: as many as wanted, each replaced when it is lost. */
export class WorkerPool {
  readonly device: Device;
  readonly #settings: WorkerSettings;
  readonly #events: PoolEvents;
  readonly #held = new Map<WorkerProcess, Held>();
  #turn = 0;
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
      pool.#held.set(worker, nothing());
      if (!worker.alive) pool.#lose(worker, "exit while the others started", 0);
    }
    return pool;
  }

  get pids(): number[] {
    return [...this.#held.keys()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Workers that run. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether a worker would take a batch now: at once, or as its next. */
  get free(): boolean {
    return this.#next() !== undefined;
  }

  /** Whether a worker has nothing to do; `run` gives it the batch, then. */
  get idle(): boolean {
    for (const { batches } of this.#held.values()) if (batches === 0) return true;
    return false;
  }

  /**
   * Call only while `free`.
   *
   * @param expectedMs how long it should take
   */
  run(run: WorkerRun, expectedMs: number): BatchRun {
    const worker = this.#next();
    if (worker === undefined) throw new Error("Cannot run batch: a worker must be free, got none");
    const held = this.#held.get(worker)!;
    held.batches++;
    held.expectedMs += expectedMs;
    held.turn = ++this.#turn;
    const answer = worker.run(run).finally(() => {
      held.batches--;
      held.expectedMs = held.batches === 0 ? 0 : held.expectedMs - expectedMs;
      if (this.#held.has(worker)) this.#events.onFree(); // it was not lost or told to stop
    });
    return { answer, abandon: (reason) => worker.kill(reason) };
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const workers = [...this.#held.keys()];
    this.#held.clear();
    await Promise.all([...workers.map((worker) => worker.stop(graceMs)), ...this.#restarts]);
  }

  /** One that has nothing to do, or else the one that should be done with its batch first. */
  #next(): WorkerProcess | undefined {
    let next: WorkerProcess | undefined;
    let best: Held | undefined;
    for (const [worker, held] of this.#held) {
      const open = held.batches === 0 || (held.batches < batchesAtOnce && held.expectedMs <= soonMs);
      if (!open || (best !== undefined && !isSooner(held, best))) continue;
      [next, best] = [worker, held];
    }
    return next;
  }

  #lose(worker: WorkerProcess, reason: string, lost: number): void {
    if (!this.#held.delete(worker)) return; // it was told to stop
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
        this.#held.set(worker, nothing());
        this.#events.onStarted(worker);
        this.#events.onFree();
        return;
      } catch (error) {
        this.#failures++;
        if (this.#held.size === 0) this.#events.onFailed(error as Error);
      }
    }
  }
}

function nothing(): Held {
  return { batches: 0, expectedMs: 0, turn: 0 };
}

function isSooner(one: Held, other: Held): boolean {
  return one.batches === other.batches ? one.turn < other.turn : one.batches < other.batches;
}
