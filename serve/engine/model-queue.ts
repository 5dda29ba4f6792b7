import type { EventEmitter } from "node:events";
import { UsageError } from "../../schemas/errors.ts";
import type { TaskManifest } from "../../schemas/manifest.ts";
import type { BatchingOptions } from "../../schemas/serve-config.ts";
import { HttpError } from "../http-error.ts";
import { type Batch, Batcher, type Job } from "./batcher.ts";
import { batchingDefaults } from "./defaults.ts";
import type {
  CancelSignal,
  EngineEvents,
  InferenceAnswer,
  InferenceRequest,
  ModelLimits,
  Outcome,
} from "./inference-engine.ts";
import { bucketOf, isBatchable, joinRows, type RowRules, rowsOf, splitRows, type Tensors } from "./rows.ts";
import { aheadOf, enoughOf, shareOf } from "./share.ts";
import type { Statistics } from "./statistics.ts";
import type { BatchRun } from "./worker-pool.ts";
import type { WorkerRun } from "./worker-process.ts";

export interface ModelQueueParts {
  /** `<bundle>.<task>` */
  readonly name: string;
  readonly spec: TaskManifest;
  readonly options: BatchingOptions;
  readonly statistics: Statistics;
  readonly events: EventEmitter<EngineEvents>;
  /** ms; tests bring their own. */
  readonly clock?: () => number;
}

/** A request on its way. */
interface Entry extends Job {
  readonly inputs: Tensors;
  readonly outputs: readonly string[];
  readonly resolve: (answer: InferenceAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly signal: CancelSignal | undefined;
  readonly onAbort: () => void;
  /** When it left the queue. */
  dispatchedAt: number | undefined;
  /** Nobody waits for its answer any more. */
  settled: boolean;
}

/** What `take` must know of the worker that asks. */
export interface TakeFor {
  readonly draining: boolean;
  readonly workers: number;
  readonly ahead: boolean;
}

/** A batch that a worker has. */
interface Running {
  readonly entries: readonly Entry[];
  readonly rows: number;
  /** Undefined until a worker has it. */
  run: BatchRun | undefined;
  /** From then on a worker that still computes it, though nobody waits any more, is one that hangs. */
  hungAt: number;
}

/** The least time that a batch is given before its worker can be one that hangs, ms. */
const hangsAfterMs = 10_000;

/**
 * The requests of one model version, from their arrival to their answer: waiting in the batcher, or being computed.
 * Decides how each ends, and counts it. Its bundle decides when a batch is taken out and where it runs.
 */
export class ModelQueue {
  readonly name: string;
  readonly spec: TaskManifest;
  readonly limits: ModelLimits;
  readonly #parts: ModelQueueParts;
  readonly #rowRules: RowRules;
  readonly #outputNames: readonly string[];
  readonly #modelId: string;
  readonly #batcher: Batcher<Entry>;
  /**
   * One record a batch, in no Set or Map of requests: V8 makes those anew every few additions, each old table points to
   * the next, and one that has become old keeps all that follow it, requests and answers, until the next full collection.
   */
  readonly #running: Running[] = [];
  readonly #clock: () => number;
  #lastComputeMs = Number.POSITIVE_INFINITY;

  constructor(parts: ModelQueueParts) {
    const { maxBatchRows, preferredBatchRows, maxDelayMs, maxQueue, priorityLevels, timeoutMs } = parts.options;
    const { defaultPriority } = parts.options;
    const batchable = isBatchable(parts.spec);
    this.name = parts.name;
    this.spec = parts.spec;
    this.limits = {
      maxBatchRows: batchable ? maxBatchRows : undefined,
      maxQueue,
      priorityLevels,
      defaultTimeoutMs: timeoutMs,
      defaultPriority,
      maxDelayMs,
      preferredBatchRows,
    };
    this.#parts = parts;
    this.#rowRules = { spec: parts.spec, batchable };
    this.#outputNames = parts.spec.outputs.map(({ name }) => name);
    this.#modelId = modelId(parts.name, parts.spec.version);
    this.#clock = parts.clock ?? (() => performance.now());
    this.#batcher = new Batcher<Entry>({
      maxRows: batchable ? maxBatchRows : 1,
      preferredRows: batchable ? preferredBatchRows : [],
      maxDelayMs: batchable ? maxDelayMs : 0,
      maxQueue,
      priorityLevels,
    });
  }

  /** Requests that wait or are being computed. */
  get pending(): number {
    return this.#batcher.size + this.#running.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  /** How long a batch should take: as long as the last one did; Infinity before the first. */
  get expectedMs(): number {
    return this.#lastComputeMs;
  }

  get oldest(): number {
    return this.#batcher.oldest;
  }

  /** When `tick` or `take` must be called at the latest; Infinity for never. */
  wakeAt(workerFree: boolean): number {
    let wakeAt = this.#batcher.wakeAt(workerFree);
    for (const { entries, hungAt } of this.#running) {
      let waitedFor = false;
      for (const { deadline, settled } of entries) {
        if (settled) continue;
        waitedFor = true;
        wakeAt = Math.min(wakeAt, deadline);
      }
      if (!waitedFor) wakeAt = Math.min(wakeAt, hungAt);
    }
    return wakeAt;
  }

  /** Queues a request; rejects as `InferenceEngine.infer` does. */
  submit(request: InferenceRequest): Promise<InferenceAnswer> {
    return new Promise((resolve, reject) => {
      const entry = this.#entryOf(request, { resolve, reject });
      this.#parts.statistics.pending++;
      if (entry.signal?.aborted === true) {
        this.#end(entry, "cancelled", cancelled());
        return;
      }
      if (!this.#batcher.offer(entry)) {
        this.#end(entry, "rejected", queueFull(this.name, this.limits.maxQueue));
        return;
      }
      entry.signal?.addEventListener("abort", entry.onAbort);
    });
  }

  /** Answers those whose deadline has come, waiting or not; gives up workers that hang. */
  tick(): void {
    const now = this.#clock();
    for (const entry of this.#batcher.expire(now)) this.#end(entry, "timeout", tooLate(entry));
    for (const running of this.#running) {
      for (const entry of running.entries) {
        if (!entry.settled && entry.deadline <= now) this.#end(entry, "timeout", tooLate(entry));
      }
      if (running.hungAt <= now && running.entries.every(({ settled }) => settled)) this.#abandon(running, now);
    }
  }

  /**
   * Whether a batch may go before the connections that can be read now have all been read.
   *
   * @param workers how many share the work, computing or idle
   */
  hasEnough(workers: number): boolean {
    return this.#batcher.rows >= enoughOf(this.#share(workers), this.#maxRows);
  }

  /**
   * The batch that a worker should be given now. Call `tick` first.
   *
   * @param workers how many share the work, computing or idle
   * @param ahead whether the worker still computes, and would begin with it afterwards
   */
  take({ draining, workers, ahead }: TakeFor): Batch<Entry> | undefined {
    const now = this.#clock();
    const share = this.#share(workers);
    if (ahead && this.#batcher.rows < aheadOf(share, this.#maxRows)) return undefined;
    const batch = this.#batcher.take(now, { draining, share });
    if (batch === undefined) return undefined;
    let longestMs = 0;
    for (const entry of batch.jobs) {
      entry.dispatchedAt = now;
      longestMs = Math.max(longestMs, timeoutOf(entry));
    }
    const { rows } = batch;
    this.#running.push({
      entries: batch.jobs,
      rows,
      run: undefined,
      hungAt: now + (ahead ? 2 : 1) * Math.max(hangsAfterMs, 2 * longestMs), // after the one before it
    });
    this.#parts.statistics.dispatch(batch.reason);
    return batch;
  }

  /** Has a batch computed by `run` and its requests answered; never rejects. */
  async compute(batch: Batch<Entry>, run: (run: WorkerRun) => BatchRun): Promise<void> {
    const began = this.#clock();
    const entries = batch.jobs;
    const running = this.#running.find((each) => each.entries === entries)!;
    const { batchable } = this.#rowRules;
    const rows = batchable ? bucketOf(batch.rows, this.#parts.options.buckets) : batch.rows;
    try {
      const inputs = joinRows(
        entries.map((entry) => entry.inputs),
        { spec: this.spec, batchable, rows },
      );
      running.run = run({ model: this.#modelId, inputs, outputs: entries[0]!.outputs });
      const inputMs = this.#clock() - began;
      const { outputs, computeMs } = await running.run.answer;
      this.#lastComputeMs = computeMs;
      const back = this.#clock();
      const parts = splitRows(
        outputs,
        entries.map((entry) => entry.rows),
        this.#rowRules,
      );
      for (const [index, entry] of entries.entries()) this.#answer(entry, parts[index]!, { batch, computeMs });
      // On the way from and to the worker, too: what Triton calls input and output is all that is not inference.
      const outputMs = this.#clock() - back;
      this.#parts.statistics.batch(batch.rows, { inputMs, inferMs: computeMs, outputMs });
      this.#parts.events.emit("batch", {
        model: this.name,
        version: this.spec.version,
        requests: entries.length,
        rows: batch.rows,
        padding: rows - batch.rows,
        reason: batch.reason,
        computeMs,
      });
    } catch (error) {
      const lost = error instanceof HttpError;
      for (const entry of entries) this.#end(entry, lost ? "worker_lost" : "failure", error as Error);
    } finally {
      this.#running.splice(this.#running.indexOf(running), 1);
    }
  }

  /** Ends what waits; what is being computed goes on. */
  rejectWaiting(error: HttpError): void {
    for (const entry of this.#batcher.clear()) this.#end(entry, "rejected", error);
  }

  /** A slow model is never killed under a client that waits, nor before all have waited in vain for as long again. */
  #abandon(running: Running, now: number): void {
    running.hungAt = Number.POSITIVE_INFINITY; // once
    const seconds = Math.round((now - running.entries[0]!.dispatchedAt!) / 1000);
    running.run?.abandon(`no answer in ${seconds} s, and nobody waits for it any more`);
  }

  get #maxRows(): number {
    return this.limits.maxBatchRows ?? 1;
  }

  #share(workers: number): number {
    const running = this.#running.reduce((sum, { rows }) => sum + rows, 0);
    return shareOf(this.#batcher.rows + running, workers);
  }

  #entryOf(request: InferenceRequest, { resolve, reject }: Pick<Entry, "resolve" | "reject">): Entry {
    const { defaultPriority, timeoutMs: defaultTimeoutMs } = this.#parts.options;
    const now = this.#clock();
    const rows = rowsOf(request.inputs, this.#rowRules);
    if (rows > this.#maxRows) {
      throw new UsageError(
        `Cannot infer: a request to "${this.name}" must have at most ${this.#maxRows} rows, got ${rows}; send several`,
        { code: "too_many_rows", path: ["inputs"] },
      );
    }
    const outputs = request.outputs ?? this.#outputNames;
    const timeoutMs = request.timeoutMs || defaultTimeoutMs;
    const entry: Entry = {
      key: outputs.join(),
      rows,
      priority: this.#priorityOf(request.priority || defaultPriority),
      arrivedAt: now,
      deadline: timeoutMs > 0 ? now + timeoutMs : Number.POSITIVE_INFINITY,
      inputs: request.inputs,
      outputs,
      resolve,
      reject,
      signal: request.signal,
      onAbort: () => {
        this.#batcher.remove(entry);
        this.#end(entry, "cancelled", cancelled());
      },
      dispatchedAt: undefined,
      settled: false,
    };
    return entry;
  }

  #priorityOf(priority: number): number {
    const { priorityLevels } = this.limits;
    if (Number.isInteger(priority) && priority >= 1 && priority <= priorityLevels) return priority;
    throw new UsageError(`Cannot infer: priority must be an integer from 0 to ${priorityLevels}, got ${priority}`, {
      code: "bad_priority",
      path: ["parameters", "priority"],
    });
  }

  #answer(entry: Entry, outputs: Tensors, { batch, computeMs }: { batch: Batch<Entry>; computeMs: number }): void {
    if (entry.settled) return;
    const queueMs = entry.dispatchedAt! - entry.arrivedAt;
    const answer: InferenceAnswer = {
      version: this.spec.version,
      outputs,
      timing: { queueMs, computeMs, batchRows: batch.rows },
    };
    this.#settle(entry, "success", computeMs);
    entry.resolve(answer);
  }

  #end(entry: Entry, outcome: Outcome, error: Error): void {
    if (entry.settled) return;
    this.#settle(entry, outcome, 0);
    entry.reject(error);
  }

  #settle(entry: Entry, outcome: Outcome, computeMs: number): void {
    const now = this.#clock();
    entry.settled = true;
    entry.signal?.removeEventListener("abort", entry.onAbort);
    const { statistics, events, spec } = this.#parts;
    const { rows, arrivedAt } = entry;
    const queueMs = (entry.dispatchedAt ?? now) - arrivedAt;
    const totalMs = now - arrivedAt;
    statistics.pending--;
    statistics.request(outcome, { rows, totalMs, queueMs });
    events.emit("request", { model: this.name, version: spec.version, outcome, rows, queueMs, computeMs, totalMs });
  }
}

/** Name of a model version between the server and its workers. */
export function modelId(name: string, version: string): string {
  return `${name} version ${version}`;
}

/** One who would wait for ever counts as the default, or nobody would notice that all such clients are gone. */
function timeoutOf({ deadline, arrivedAt }: Entry): number {
  return deadline === Number.POSITIVE_INFINITY ? batchingDefaults.timeoutMs : deadline - arrivedAt;
}

function queueFull(name: string, maxQueue: number): HttpError {
  return new HttpError(`Cannot infer: at most ${maxQueue} requests may wait for "${name}", got one more`, {
    status: 429,
    code: "queue_full",
    headers: { "Retry-After": "1" },
  });
}

function tooLate({ deadline, arrivedAt, dispatchedAt }: Entry): HttpError {
  const where = dispatchedAt === undefined ? "waiting for its turn" : "being computed";
  const ms = Math.round(deadline - arrivedAt);
  return new HttpError(`Cannot infer: an answer must be there within ${ms} ms, got a request still ${where}`, {
    status: 504,
    code: "timeout",
  });
}

/** 499 is what nginx logs for it; nobody is there to read it. */
function cancelled(): HttpError {
  return new HttpError("Cannot infer: the client is gone", { status: 499, code: "cancelled" });
}
