import { setTimeout as sleep } from "node:timers/promises";
import { type Job, Queue } from "bullmq";
import { Redis } from "ioredis";
import { FailureError } from "../../schemas/errors.ts";
import type { ScorePart } from "../../schemas/score-manifest.ts";
import type { Place } from "./place.ts";
import type { OpenedPlan } from "./plan.ts";
import { partsOf } from "./shards.ts";
import { findParts } from "./work-folder.ts";

/**
 * Shards on a queue (BullMQ on Redis): this side plans and waits, `cominfo worker` on any machine that sees the same
 * files computes. A worker that dies loses its lock and the shard goes to another, which makes the parts that lack.
 */

export const queueName = "cominfo-score";
const PREFIX = "cominfo";
/** Shards of one run, so that a slow machine holds nobody up for long. */
const MOST_SHARDS = 64;
/** Times that a shard may fail, or lose its worker, before the run gives up. */
export const mostAttempts = 3;
const POLL_MS = 500;

/** What a worker needs to know; everything else is in the plan. */
export interface ShardJob {
  readonly place: Place;
  readonly identity: string;
  readonly parts: readonly number[];
}

/** @throws FailureError where Redis does not answer */
export async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(1000, 100 * times),
  });
  const errors: Error[] = [];
  redis.on("error", (error: Error) => errors.push(error)); // it goes on trying; commands wait
  try {
    await redis.connect();
    return redis;
  } catch (cause) {
    redis.disconnect();
    const reason = errors[0]?.message ?? (cause as Error).message;
    throw new FailureError(`Cannot use queue "${withoutPassword(url)}": Redis must answer, got: ${reason}`, {
      code: "no_queue",
      cause,
    });
  }
}

export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//***@");
}

/** Options that both sides must share. */
export const queueOptions = { prefix: PREFIX } as const;

/**
 * Hands the unfinished parts out in shards and returns when all are made. A shard that is on the queue from an earlier
 * call stays there.
 *
 * @throws FailureError where a shard failed in all attempts
 */
export async function scoreByQueue(
  { identity }: OpenedPlan,
  place: Place,
  options: {
    readonly url: string;
    readonly todo: readonly number[];
    readonly onPart: (part: ScorePart) => void;
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const redis = await connect(options.url);
  const queue = new Queue<ShardJob>(queueName, { connection: redis, ...queueOptions });
  queue.on("error", () => undefined); // Redis away: it is asked again
  try {
    const count = Math.min(MOST_SHARDS, options.todo.length);
    const jobs: Job<ShardJob>[] = [];
    for (let index = 0; index < count; index++) {
      const parts = partsOf({ index, count }, options.todo.length).map((k) => options.todo[k]!);
      jobs.push(await enqueue(queue, { place, identity, parts }));
    }
    let missing = options.todo;
    while (missing.length > 0 && options.signal?.aborted !== true) {
      await sleep(POLL_MS);
      const records = await findParts(place, missing, identity);
      for (const record of records) if (record !== undefined) options.onPart(record);
      missing = missing.filter((_, k) => records[k] === undefined);
      if (missing.length > 0) await requireAlive(queue, jobs);
    }
  } finally {
    await queue.close();
    redis.disconnect();
  }
}

async function enqueue(queue: Queue<ShardJob>, data: ShardJob): Promise<Job<ShardJob>> {
  const jobId = `${data.identity.slice(0, 16)}-${data.parts[0]}-${data.parts.at(-1)}`;
  const before = await queue.getJob(jobId);
  if (before !== undefined && ((await before.isFailed()) || (await before.isCompleted()))) await before.remove();
  return queue.add("shard", data, { jobId, attempts: mostAttempts, removeOnComplete: true });
}

async function requireAlive(queue: Queue<ShardJob>, jobs: readonly Job<ShardJob>[]): Promise<void> {
  for (const { id } of jobs) {
    const job = await queue.getJob(id!);
    if (job !== undefined && (await job.isFailed())) {
      throw new FailureError(
        `Cannot score parts ${job.data.parts[0]} to ${job.data.parts.at(-1)}: ${job.failedReason}`,
        {
          code: "shard_failed",
        },
      );
    }
  }
}
