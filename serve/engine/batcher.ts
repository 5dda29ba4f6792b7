import type { DispatchReason } from "./inference-engine.ts";

/**
 * The dynamic batcher of one model as a state machine: no clock, no timers, no tensors. The caller says what time it
 * is, asks for a batch whenever a worker is free, and comes back at `wakeAt`.
 *
 * The rules are Triton's dynamic batcher's:
 * - A job is one request. It may carry several rows, which stay together.
 * - Only jobs of one `key` (shapes, element types, outputs) share a batch.
 * - Within a key: lower priority numbers first, and first come, first served within one of them. Nobody overtakes
 *   because he would fit where an earlier one does not.
 * - Without a delay a batch is whatever waits when a worker is free, up to `maxRows`. With one, a batch that could still
 *   grow is held until its oldest job has waited that long; a preferred size ends the wait.
 * - A job whose deadline has come is never dispatched.
 *
 * One rule is ours: where several workers share the queue, each takes its share of the work and not all that waits
 * (`take`).
 *
 * Source: triton-inference-server/core, src/dynamic_batch_scheduler.cc (`GetDynamicBatch`).
 */

export interface BatchRules {
  /** Rows of a batch; a job with more must not be offered. */
  readonly maxRows: number;
  /** Sizes that are worth no further wait; may be empty. */
  readonly preferredRows: readonly number[];
  readonly maxDelayMs: number;
  /** Jobs that may wait. */
  readonly maxQueue: number;
  /** Levels are 1 (first) to this. */
  readonly priorityLevels: number;
}

export interface Job {
  readonly key: string;
  readonly rows: number;
  readonly priority: number;
  /** When it was offered, ms of the caller's clock. */
  readonly arrivedAt: number;
  /** From this moment on its answer is worthless; Infinity for none. */
  readonly deadline: number;
}

export interface TakeOptions {
  readonly draining?: boolean;
  readonly share?: number;
}

export interface Batch<J extends Job> {
  readonly jobs: readonly J[];
  readonly rows: number;
  readonly reason: DispatchReason;
}

/**
 * Jobs of one key: one array a level of priority, in the order of arrival. Arrays, and groups in an array, since V8's
 * Set and Map keep answered requests alive (`ModelQueue` says how). Jobs leave at the front, where an array gives them
 * up in constant time; only one whose client goes away is looked for further back.
 */
interface Group<J> {
  readonly key: string;
  readonly levels: readonly J[][];
}

export class Batcher<J extends Job> {
  readonly #rules: BatchRules;
  readonly #preferred: ReadonlySet<number>;
  readonly #groups: Group<J>[] = [];
  #size = 0;
  #rows = 0;
  /** No deadline of a waiting job is earlier: that of one that left may still be remembered. */
  #nextDeadline = Number.POSITIVE_INFINITY;

  constructor(rules: BatchRules) {
    this.#rules = rules;
    this.#preferred = new Set(rules.preferredRows);
  }

  /** Jobs that wait. */
  get size(): number {
    return this.#size;
  }

  /** Rows of the jobs that wait. */
  get rows(): number {
    return this.#rows;
  }

  /** When the longest-waiting job came; Infinity when none waits. */
  get oldest(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const group of this.#groups) oldest = Math.min(oldest, firstArrival(group));
    return oldest;
  }

  /** Queues a job; false when the queue is full. */
  offer(job: J): boolean {
    const { maxRows, maxQueue, priorityLevels } = this.#rules;
    if (!(job.rows >= 1 && job.rows <= maxRows)) throw new RangeError(`A job must have 1 to ${maxRows} rows`);
    if (!(job.priority >= 1 && job.priority <= priorityLevels))
      throw new RangeError("A job must have a known priority");
    if (this.#size >= maxQueue) return false;
    let group = this.#groupOf(job);
    if (group === undefined) {
      group = { key: job.key, levels: Array.from({ length: priorityLevels }, () => []) };
      this.#groups.push(group);
    }
    group.levels[job.priority - 1]!.push(job);
    this.#size++;
    this.#rows += job.rows;
    this.#nextDeadline = Math.min(this.#nextDeadline, job.deadline);
    return true;
  }

  /** Takes a job back; false when it does not wait here any more. */
  remove(job: J): boolean {
    const group = this.#groupOf(job);
    return group !== undefined && this.#removeFrom(group, [job]) === 1;
  }

  /** Removes and returns the jobs whose deadline has come. */
  expire(now: number): J[] {
    if (now < this.#nextDeadline) return [];
    const expired: J[] = [];
    this.#nextDeadline = Number.POSITIVE_INFINITY;
    for (const job of this.#waiting()) {
      if (job.deadline <= now) expired.push(job);
      else this.#nextDeadline = Math.min(this.#nextDeadline, job.deadline);
    }
    for (const job of expired) this.remove(job);
    return expired;
  }

  /**
   * Removes and returns the batch that a free worker should run now, if there is one. Call `expire` first: jobs that
   * are due are left where they are.
   *
   * @param draining whether to send what is there without a delay, because nothing more will come
   * @param share rows that are this worker's part of the work: a batch is cut there, unless it has a preferred size. The
   *   first job always goes, so that no worker is idle while something waits.
   */
  take(now: number, { draining = false, share = Number.POSITIVE_INFINITY }: TakeOptions = {}): Batch<J> | undefined {
    if (this.#size === 0) return undefined;
    for (const group of this.#inOrder()) {
      const formed = this.#form(group, now, draining);
      if (formed === undefined) continue;
      const batch = formed.reason === "preferred" ? formed : cut(formed, share);
      this.#removeFrom(group, batch.jobs);
      return batch;
    }
    return undefined;
  }

  /** Removes and returns everything that waits. */
  clear(): J[] {
    const jobs = [...this.#waiting()];
    this.#groups.length = 0;
    this.#size = 0;
    this.#rows = 0;
    this.#nextDeadline = Number.POSITIVE_INFINITY;
    return jobs;
  }

  /**
   * When `expire` or `take` may have something to do without a new job: the next deadline or the end of a delay, which
   * may be in the past. Infinity for never. Ends of delays matter only while a worker is free.
   */
  wakeAt(workerFree: boolean): number {
    const { maxDelayMs } = this.#rules;
    return workerFree && maxDelayMs > 0 ? Math.min(this.#nextDeadline, this.oldest + maxDelayMs) : this.#nextDeadline;
  }

  #groupOf({ key }: J): Group<J> | undefined {
    return this.#groups.find((group) => group.key === key);
  }

  /** @returns how many of the jobs were there */
  #removeFrom(group: Group<J>, jobs: readonly J[]): number {
    let removed = 0;
    for (const job of jobs) {
      const level = group.levels[job.priority - 1]!;
      const place = level.indexOf(job);
      if (place < 0) continue;
      level.splice(place, 1);
      this.#rows -= job.rows;
      removed++;
    }
    this.#size -= removed;
    if (group.levels.every(({ length }) => length === 0)) this.#groups.splice(this.#groups.indexOf(group), 1);
    return removed;
  }

  *#waiting(): Iterable<J> {
    for (const { levels } of this.#groups) for (const level of levels) yield* level;
  }

  /** Groups by the turn of their first job: its priority, then its arrival. */
  #inOrder(): readonly Group<J>[] {
    if (this.#groups.length === 1) return this.#groups;
    const turn = (group: Group<J>): J => first(group)!;
    return [...this.#groups].sort((a, b) => {
      const [one, other] = [turn(a), turn(b)];
      return one.priority - other.priority || one.arrivedAt - other.arrivedAt;
    });
  }

  #form(group: Group<J>, now: number, draining: boolean): Batch<J> | undefined {
    const { maxRows, maxDelayMs } = this.#rules;
    const jobs: J[] = [];
    let rows = 0;
    let oldest = Number.POSITIVE_INFINITY;
    let preferred: Batch<J> | undefined;
    let full = false;
    for (const level of group.levels) {
      for (const job of level) {
        if (job.deadline <= now) continue;
        full = rows + job.rows > maxRows;
        if (full) break;
        jobs.push(job);
        rows += job.rows;
        oldest = Math.min(oldest, job.arrivedAt);
        if (this.#preferred.has(rows)) preferred = { jobs: jobs.slice(), rows, reason: "preferred" };
      }
      if (full) break;
    }
    if (rows === 0) return undefined;
    const waitedLong = maxDelayMs > 0 && now - oldest >= maxDelayMs;
    if (preferred !== undefined && preferred.rows < maxRows && !waitedLong) return preferred;
    if (full || rows === maxRows) return { jobs, rows, reason: "full" };
    if (draining) return { jobs, rows, reason: "drain" };
    if (maxDelayMs === 0) return { jobs, rows, reason: "idle" };
    return waitedLong ? { jobs, rows, reason: "delay" } : undefined;
  }
}

/** The first jobs of a batch, up to `share` rows and at least one job. */
function cut<J extends Job>(batch: Batch<J>, share: number): Batch<J> {
  if (batch.rows <= share || batch.jobs.length === 1) return batch;
  let count = 0;
  let rows = 0;
  for (const job of batch.jobs) {
    if (count > 0 && rows + job.rows > share) break;
    rows += job.rows;
    count++;
  }
  return { jobs: batch.jobs.slice(0, count), rows, reason: "share" };
}

function first<J>(group: Group<J>): J | undefined {
  return group.levels.find(({ length }) => length > 0)?.[0];
}

/** Levels keep the order of arrival, so the oldest is the first of one of them. */
function firstArrival<J extends Job>({ levels }: Group<J>): number {
  let arrival = Number.POSITIVE_INFINITY;
  for (const [job] of levels) if (job !== undefined) arrival = Math.min(arrival, job.arrivedAt);
  return arrival;
}
