import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DelayedError, type Job, Worker } from "bullmq";
import { finishedRun } from "./destination.ts";
import { type OpenedPlan, openPlan, readPlan } from "./plan.ts";
import { connect, mostAttempts, queueName, queueOptions, type ShardJob } from "./queue.ts";
import { openSession } from "./run-score.ts";
import { scoreParts } from "./score-parts.ts";
import type { ScoringSession } from "./scoring-session.ts";
import { findParts } from "./work-folder.ts";

export interface WorkerOptions {
  readonly url: string;
  readonly threads: number | undefined;
  /** Seconds without a sign of life after which a worker's shard goes to another. */
  readonly lostAfter: number;
  /** Whether to end when there is nothing to do. */
  readonly untilIdle: boolean;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

interface Opened {
  readonly opened: OpenedPlan;
  readonly session: ScoringSession;
}

/**
 * Takes shards from the queue until the signal: the part at hand is finished then, and the rest of its shard goes back.
 * The lock is renewed by this thread, which is free while the session's computes.
 */
export async function runWorker({ url, threads, lostAfter, untilIdle, signal, log }: WorkerOptions): Promise<void> {
  const connection = await connect(url);
  let kept: Opened | undefined; // of the run that was worked on last

  async function open({ place, identity }: ShardJob): Promise<Opened> {
    if (kept?.opened.identity === identity) return kept;
    await release();
    const opened = await openPlan(await readPlan(path.join(place.work, "plan.json")), place);
    kept = { opened, session: await openSession(opened, threads) };
    return kept;
  }

  async function release(): Promise<void> {
    await kept?.session.close();
    await kept?.opened.dataset.close();
    kept = undefined;
  }

  async function take(job: Job<ShardJob>, token: string | undefined): Promise<void> {
    const { place, identity, parts } = job.data;
    if (finishedRun(place)?.plan === identity) {
      // Whoever had the shard was lost between its last part and telling the queue, and the planner has merged.
      log(`parts ${parts[0]} to ${parts.at(-1)}: "${place.file}" is there already, and complete`);
      return;
    }
    const { opened, session } = await open(job.data);
    const found = await findParts(place, parts, identity);
    const todo = parts.filter((_, k) => found[k] === undefined);
    let made = 0;
    await scoreParts({ opened, place, session, parts: todo, signal, onPart: () => made++ });
    log(`parts ${parts[0]} to ${parts.at(-1)}: ${made} made, ${parts.length - todo.length} were there`);
    if (made === todo.length) return;
    await job.moveToDelayed(Date.now(), token);
    throw new DelayedError();
  }

  const worker = new Worker<ShardJob>(queueName, take, {
    connection,
    ...queueOptions,
    lockDuration: lostAfter * 1000,
    stalledInterval: lostAfter * 500,
    maxStalledCount: mostAttempts,
  });
  worker.on("error", (error) => log(`queue: ${error.message}`));
  worker.on("failed", (job, error) =>
    log(`parts ${job?.data.parts[0]} to ${job?.data.parts.at(-1)}: ${error.message}`),
  );
  try {
    let idle = false;
    worker.on("drained", () => {
      idle = true;
    });
    worker.on("active", () => {
      idle = false;
    });
    while (!signal.aborted && !(untilIdle && idle)) await sleep(200, undefined, { signal }).catch(() => undefined);
  } finally {
    await worker.close();
    await release();
    connection.disconnect();
  }
}
