import { existsSync } from "node:fs";
import { UsageError } from "../../schemas/errors.ts";
import type { ScoreManifest, ScorePart } from "../../schemas/score-manifest.ts";
import { finishedRun, isUnchanged, removeEarlier, requireApart, requireOwnOutput } from "./destination.ts";
import { countParts, finishRun } from "./finish.ts";
import { hashFiles } from "./hash-inputs.ts";
import type { Place } from "./place.ts";
import { identityOf, makePlan, type OpenedPlan, openPlan, readPlan, type ScoreRequest } from "./plan.ts";
import { noProgress, type RowProgress } from "./progress.ts";
import { scoreParts } from "./score-parts.ts";
import { startScoringSession } from "./scoring-session.ts";
import { partsOf, type Shard } from "./shards.ts";
import { claimWork, findParts, hasPlan, removeWork, removeWorkWithoutParts, requireOwnWork } from "./work-folder.ts";

export interface RunOptions {
  readonly threads?: number;
  /** Whether an unfinished run is continued, and a finished one left as it is. */
  readonly resume?: boolean;
  /** Whether what is there goes first. */
  readonly overwrite?: boolean;
  /** Only some parts, and no merge: `mergeRun` does that when all shards are done. */
  readonly shard?: Shard;
  /** Whether the inputs' SHA-256 is taken, on a thread beside the work. */
  readonly hash?: boolean;
  /** Redis of the workers that compute; undefined: this process does. */
  readonly queue?: string;
  readonly progress?: RowProgress;
  readonly signal?: AbortSignal;
}

export interface RunOutcome {
  /** Undefined for a shard, and after an interruption. */
  readonly manifest: ScoreManifest | undefined;
  /** Rows of this call: done before it came, and done by it. */
  readonly rows: {
    readonly total: number;
    readonly before: number;
    readonly scored: number;
    readonly rejected: number;
  };
  /** Plan and session; from the first row read to the last part on the disk; putting the parts together. */
  readonly seconds: { readonly opening: number; readonly scoring: number; readonly finishing: number };
  readonly interrupted: boolean;
  /** Whether the output was there already: nothing was left to do, for this shard or any other. */
  readonly wasComplete?: boolean;
}

/**
 * Scores a dataset. Nothing but the plan decides the output's bytes: not the shards, nor who was killed when.
 *
 * @throws UsageError for what cannot be scored as asked; FailureError for damaged input, a full disk
 */
export async function runScore(request: ScoreRequest, place: Place, options: RunOptions = {}): Promise<RunOutcome> {
  const { resume = false, overwrite = false, hash = true, shard } = options;
  const began = performance.now();
  if (resume && overwrite) throw new UsageError("Cannot score: --resume and --overwrite exclude each other");
  if (shard !== undefined && overwrite) {
    throw new UsageError(
      "Cannot score: --shard and --overwrite exclude each other: it would take the other shards' parts away",
    );
  }
  const opened = await makePlan(request, place);
  const ending = new AbortController();
  try {
    await requireApart(opened, place);
    await requireOwnWork(place);
    // Only now: a request that cannot be met must not cost the result that is there.
    if (overwrite) await removeEarlier(place, opened.plan);
    const finished = finishedRun(place);
    if (finished !== undefined) {
      await requireOwnOutput(place, finished, { identity: opened.identity, resume, isShard: shard !== undefined });
      await removeWork(place); // it was killed just before this
      const rows = { total: opened.plan.rows, before: opened.plan.rows, scored: 0, rejected: finished.rows.rejected };
      const seconds = { opening: 0, scoring: 0, finishing: 0 };
      return { manifest: finished, rows, seconds, interrupted: false, wasComplete: true };
    }
    if (existsSync(place.file) && !(await hasPlan(place))) {
      const remedy = shard === undefined ? "use --overwrite" : "remove it";
      throw new UsageError(`Cannot score: "${place.file}" is there: name another --out, or ${remedy}`, {
        code: "exists",
      });
    }
    await claimWork(place, opened.plan, { resume: resume || shard !== undefined });
    const paths = hash && shard === undefined ? opened.plan.sources.map(({ path }) => path) : [];
    const hashes = hashFiles(paths, ending.signal);
    hashes.catch(() => undefined); // met when the manifest needs them
    return await scoreAndFinish(opened, place, { ...options, began, hashes }).catch(async (error: unknown) => {
      // A device that does not start, say: the corrected command should find nothing to resume.
      if (!resume && shard === undefined && options.queue === undefined) await removeWorkWithoutParts(place);
      throw error;
    });
  } finally {
    ending.abort();
    await opened.dataset.close();
  }
}

type Hashes = Promise<ReadonlyMap<string, string>>;

async function scoreAndFinish(
  opened: OpenedPlan,
  place: Place,
  options: RunOptions & { readonly began: number; readonly hashes: Hashes },
): Promise<RunOutcome> {
  const { plan, identity } = opened;
  const { shard, progress = noProgress, signal } = options;
  const mine = partsOf(shard ?? { index: 0, count: 1 }, countParts(plan));
  const records = await findParts(place, mine, identity);
  const todo = mine.filter((_, k) => records[k] === undefined);
  const before = records.reduce((sum, record) => sum + (record === undefined ? 0 : record.end - record.first), 0);
  let rejected = records.reduce((sum, record) => sum + (record?.rejected ?? 0), 0);
  const total = mine.reduce(
    (sum, part) => sum + Math.min(plan.rows, (part + 1) * plan.partRows) - part * plan.partRows,
    0,
  );
  let scored = 0;
  let started = performance.now();
  if (todo.length > 0 && options.queue !== undefined) {
    const { scoreByQueue } = await import("./queue.ts");
    progress.start(total, before);
    try {
      const onPart = (part: ScorePart): void => {
        scored += part.end - part.first;
        rejected += part.rejected;
        progress.add(part.end - part.first);
      };
      await scoreByQueue(opened, place, {
        url: options.queue,
        todo,
        onPart,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      progress.stop();
    }
  } else if (todo.length > 0) {
    const session = await openSession(opened, options.threads);
    started = performance.now();
    progress.start(total, before);
    try {
      await scoreParts({
        opened,
        place,
        session,
        parts: todo,
        onRows(rows) {
          scored += rows;
          progress.add(rows);
        },
        onPart: (part) => {
          rejected += part.rejected;
        },
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      progress.stop();
      await session.close();
    }
  }
  const rows = { total, before, scored, rejected };
  const ended = performance.now();
  const seconds = { opening: (started - options.began) / 1000, scoring: (ended - started) / 1000, finishing: 0 };
  const interrupted = before + scored < total;
  if (shard !== undefined || interrupted) {
    return { manifest: undefined, rows, seconds, interrupted };
  }
  const manifest = await finishRun(opened, place, await options.hashes);
  return { manifest, rows, seconds: { ...seconds, finishing: (performance.now() - ended) / 1000 }, interrupted };
}

export function openSession(
  { task, plan }: OpenedPlan,
  threads: number | undefined,
): ReturnType<typeof startScoringSession> {
  const models = [task.model, ...task.standIns].map(({ task: name, file, spec }) => ({
    task: name,
    file,
    sha256: spec.sha256,
  }));
  return startScoringSession({ models, device: plan.device, ...(threads === undefined ? {} : { threads }) });
}

/**
 * Puts the parts of all shards together. Where that is done already, it answers the same.
 *
 * @throws UsageError where there is no run; FailureError where parts are missing
 */
export async function mergeRun(place: Place, { hash = true }: { hash?: boolean } = {}): Promise<ScoreManifest> {
  const finished = finishedRun(place);
  if (!(await hasPlan(place))) {
    if (finished !== undefined && (await isUnchanged(place, finished))) return finished;
    const output = finished === undefined ? "" : `, and "${place.file}" is not the output that its manifest tells of`;
    throw new UsageError(`Cannot merge: "${place.work}" must hold the parts of a run, got none${output}`, {
      code: "no_run",
    });
  }
  const plan = await readPlan(`${place.work}/plan.json`);
  if (finished?.plan === identityOf(plan)) {
    await removeWork(place); // it was killed just before this
    return finished;
  }
  const opened = await openPlan(plan, place);
  try {
    return await finishRun(
      opened,
      place,
      hash ? await hashFiles(opened.plan.sources.map(({ path }) => path)) : new Map(),
    );
  } finally {
    await opened.dataset.close();
  }
}
