import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batcher, type BatchRules, type Job } from "../../../serve/engine/batcher.ts";

interface TestJob extends Job {
  readonly id: number;
}

const plain: BatchRules = { maxRows: 8, preferredRows: [], maxDelayMs: 0, maxQueue: 100, priorityLevels: 1 };

let nextId = 0;
function job(parts: Partial<Job> = {}): TestJob {
  return {
    id: nextId++,
    key: "a",
    rows: 1,
    priority: 1,
    arrivedAt: 0,
    deadline: Number.POSITIVE_INFINITY,
    ...parts,
  };
}

function batcherOf(rules: Partial<BatchRules>, jobs: readonly TestJob[] = []): Batcher<TestJob> {
  const batcher = new Batcher<TestJob>({ ...plain, ...rules });
  for (const each of jobs) expect(batcher.offer(each)).toBe(true);
  return batcher;
}

const rowsOf = (count: number, parts: Partial<Job> = {}): TestJob[] => Array.from({ length: count }, () => job(parts));

describe("without a delay", () => {
  test("a batch is all that waits", () => {
    const jobs = rowsOf(3);
    expect(batcherOf({}, jobs).take(0)).toEqual({ jobs, rows: 3, reason: "idle" });
  });

  test("and at most maxRows of it", () => {
    const jobs = rowsOf(10);
    const batcher = batcherOf({}, jobs);
    expect(batcher.take(0)).toEqual({ jobs: jobs.slice(0, 8), rows: 8, reason: "full" });
    expect(batcher.take(0)).toEqual({ jobs: jobs.slice(8), rows: 2, reason: "idle" });
    expect(batcher.take(0)).toBeUndefined();
  });

  test("a request of several rows stays whole, and nobody behind it overtakes", () => {
    const [five, four, one] = [job({ rows: 5 }), job({ rows: 4 }), job({ rows: 1 })];
    const batcher = batcherOf({}, [five, four, one]);
    expect(batcher.take(0)).toEqual({ jobs: [five], rows: 5, reason: "full" });
    expect(batcher.take(0)).toEqual({ jobs: [four, one], rows: 5, reason: "idle" });
  });

  test("the largest preferred size that can be formed is taken first", () => {
    const batcher = batcherOf({ preferredRows: [2, 4] }, rowsOf(7));
    const sizes = [0, 0, 0].map(() => batcher.take(0)!);
    expect(sizes.map(({ rows, reason }) => [rows, reason])).toEqual([
      [4, "preferred"],
      [2, "preferred"],
      [1, "idle"],
    ]);
  });
});

describe("with a delay of 5 ms", () => {
  test("a batch that can grow is held until its oldest request has waited as long", () => {
    const jobs = [job({ arrivedAt: 0 }), job({ arrivedAt: 3 })];
    const batcher = batcherOf({ maxDelayMs: 5 }, jobs);
    expect(batcher.take(4.9)).toBeUndefined();
    expect(batcher.wakeAt(true)).toBe(5);
    expect(batcher.wakeAt(false), "nobody could run it").toBe(Number.POSITIVE_INFINITY);
    expect(batcher.take(5)).toEqual({ jobs, rows: 2, reason: "delay" });
  });

  test("a full one goes at once", () => {
    expect(batcherOf({ maxDelayMs: 5 }, rowsOf(8)).take(0)).toMatchObject({ rows: 8, reason: "full" });
  });

  test("so does one that the next request does not fit in", () => {
    const batcher = batcherOf({ maxDelayMs: 5 }, [job({ rows: 5 }), job({ rows: 4 })]);
    expect(batcher.take(0)).toMatchObject({ rows: 5, reason: "full" });
    expect(batcher.take(0)).toBeUndefined();
  });

  test("a preferred size goes at once, and after the delay everything up to maxRows goes", () => {
    expect(batcherOf({ maxDelayMs: 5, preferredRows: [4] }, rowsOf(6)).take(0)).toMatchObject({ rows: 4 });
    const late = batcherOf({ maxDelayMs: 5, preferredRows: [4] }, rowsOf(6)).take(5);
    expect(late).toMatchObject({ rows: 6, reason: "delay" });
  });

  test("nothing is held while the server drains", () => {
    expect(batcherOf({ maxDelayMs: 5 }, rowsOf(2)).take(0, { draining: true })).toMatchObject({
      rows: 2,
      reason: "drain",
    });
  });

  test("a full batch of one shape does not wait for another shape's delay", () => {
    const early = job({ key: "b", arrivedAt: 0 });
    const batcher = batcherOf({ maxDelayMs: 5 }, [early, ...rowsOf(8, { arrivedAt: 1 })]);
    expect(batcher.take(1)).toMatchObject({ rows: 8 });
    expect(batcher.take(5)).toEqual({ jobs: [early], rows: 1, reason: "delay" });
  });
});

describe("a share of the work", () => {
  test("is where a batch is cut, and the rest waits for the next worker", () => {
    const jobs = rowsOf(7);
    const batcher = batcherOf({}, jobs);
    expect(batcher.take(0, { share: 4 })).toEqual({ jobs: jobs.slice(0, 4), rows: 4, reason: "share" });
    expect(batcher.take(0, { share: 4 })).toEqual({ jobs: jobs.slice(4), rows: 3, reason: "idle" });
  });

  test("does not cut a request, and never leaves a worker without one", () => {
    const [five, two] = [job({ rows: 5 }), job({ rows: 2 })];
    const batcher = batcherOf({}, [five, two]);
    expect(batcher.take(0, { share: 3 })).toEqual({ jobs: [five], rows: 5, reason: "share" });
    expect(batcher.take(0, { share: 1 })).toEqual({ jobs: [two], rows: 2, reason: "idle" });
  });

  test("leaves preferred sizes and delays as they are", () => {
    expect(batcherOf({ preferredRows: [4] }, rowsOf(6)).take(0, { share: 2 })).toMatchObject({ rows: 4 });
    const batcher = batcherOf({ maxDelayMs: 5 }, rowsOf(6));
    expect(batcher.take(4, { share: 2 })).toBeUndefined();
    expect(batcher.take(5, { share: 2 })).toMatchObject({ rows: 2, reason: "share" });
  });
});

describe("priorities", () => {
  test("level 1 goes first; lower levels fill the batch", () => {
    const [low, high] = [job({ priority: 2 }), job({ priority: 1 })];
    expect(batcherOf({ priorityLevels: 2 }, [low, high]).take(0)!.jobs).toEqual([high, low]);
    const batcher = batcherOf({ priorityLevels: 2, maxRows: 1 }, [low, high]);
    expect([batcher.take(0)!.jobs[0], batcher.take(0)!.jobs[0]]).toEqual([high, low]);
  });

  test("decide between shapes, too", () => {
    const [low, high] = [job({ priority: 2 }), job({ priority: 1, key: "b", arrivedAt: 1 })];
    expect(batcherOf({ priorityLevels: 2 }, [low, high]).take(1)!.jobs).toEqual([high]);
  });
});

describe("limits", () => {
  test("the queue refuses what is more than maxQueue, and takes it once there is room", () => {
    const batcher = batcherOf({ maxQueue: 2 }, rowsOf(2));
    expect(batcher.offer(job())).toBe(false);
    batcher.take(0);
    expect(batcher.offer(job())).toBe(true);
  });

  test("a deadline ends a wait at its moment and not before", () => {
    const due = job({ deadline: 10 });
    const batcher = batcherOf({ maxDelayMs: 50 }, [due, job()]);
    expect(batcher.wakeAt(false)).toBe(10);
    expect(batcher.expire(9.99)).toEqual([]);
    expect(batcher.expire(10)).toEqual([due]);
    expect(batcher.size).toBe(1);
  });

  test("jobs that must not be offered are a defect of the caller", () => {
    for (const parts of [{ rows: 9 }, { rows: 0 }, { rows: Number.NaN }, { priority: 2 }, { priority: 0 }]) {
      expect(() => batcherOf({}).offer(job(parts))).toThrow(RangeError);
    }
  });
});

// Any order of arrivals, waits, cancellations and free workers; after each step the machine is compared with a list.
const rulesArbitrary = fc.record<BatchRules>({
  maxRows: fc.integer({ min: 1, max: 6 }),
  preferredRows: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
  maxDelayMs: fc.constantFrom(0, 0, 3, 10),
  maxQueue: fc.integer({ min: 1, max: 12 }),
  priorityLevels: fc.integer({ min: 1, max: 3 }),
});
const stepArbitrary = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("offer" as const),
      rows: fc.nat(),
      priority: fc.nat(),
      key: fc.constantFrom("a", "a", "b", "c"),
      timeoutMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: Number.POSITIVE_INFINITY }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      draining: fc.boolean(),
      share: fc.option(fc.integer({ min: 1, max: 12 }), { nil: Number.POSITIVE_INFINITY }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), index: fc.nat() }) },
);

const byTurn = (a: TestJob, b: TestJob): number => a.priority - b.priority || a.id - b.id;

test("for any history: no job lost or doubled, order kept, deadlines met, limits held, shapes never mixed", () => {
  fc.assert(
    fc.property(rulesArbitrary, fc.array(stepArbitrary, { maxLength: 60 }), (rules, steps) => {
      const batcher = new Batcher<TestJob>(rules);
      const waiting = new Set<TestJob>();
      let now = 0;
      for (const [id, step] of steps.entries()) {
        // What is due is taken out first, as the engine does on every event.
        const due = batcher.expire(now);
        expect(new Set(due)).toEqual(new Set([...waiting].filter((each) => each.deadline <= now)));
        for (const each of due) expect(waiting.delete(each)).toBe(true);

        if (step.kind === "wait") now += step.ms;
        else if (step.kind === "offer") {
          const offered: TestJob = {
            id,
            key: step.key,
            rows: 1 + (step.rows % rules.maxRows),
            priority: 1 + (step.priority % rules.priorityLevels),
            arrivedAt: now,
            deadline: now + step.timeoutMs,
          };
          expect(batcher.offer(offered)).toBe(waiting.size < rules.maxQueue);
          if (waiting.size < rules.maxQueue) waiting.add(offered);
        } else if (step.kind === "cancel") {
          const victim = [...waiting][step.index % Math.max(1, waiting.size)];
          if (victim !== undefined) {
            expect(batcher.remove(victim)).toBe(true);
            expect(batcher.remove(victim)).toBe(false);
            waiting.delete(victim);
          }
        } else {
          const batch = batcher.take(now, { draining: step.draining, share: step.share });
          checkBatch(batch, { waiting, rules, now, ...step, wakeAt: batcher.wakeAt(true) });
          for (const each of batch?.jobs ?? []) expect(waiting.delete(each), "was waiting").toBe(true);
        }
        expect(batcher.size).toBe(waiting.size);
        expect(batcher.rows).toBe([...waiting].reduce((sum, each) => sum + each.rows, 0));
        expect(batcher.wakeAt(false)).toBeLessThanOrEqual(Math.min(...[...waiting].map(({ deadline }) => deadline)));
      }
      expect(new Set(batcher.clear()), "all that was not dispatched is still there").toEqual(waiting);
    }),
    { numRuns: 2000, seed: 7 },
  );
});

interface Situation {
  readonly waiting: ReadonlySet<TestJob>;
  readonly rules: BatchRules;
  readonly now: number;
  readonly draining: boolean;
  readonly share: number;
  readonly wakeAt: number;
}

function checkBatch(
  batch: ReturnType<Batcher<TestJob>["take"]>,
  { waiting, rules, now, draining, share, wakeAt }: Situation,
): void {
  if (batch === undefined) {
    // A free worker is left idle only for a delay that is not over, and the machine says when it will be.
    if (waiting.size === 0) return;
    expect(rules.maxDelayMs).toBeGreaterThan(0);
    expect(draining).toBe(false);
    for (const { arrivedAt } of waiting) expect(now - arrivedAt).toBeLessThan(rules.maxDelayMs);
    expect(wakeAt).toBeGreaterThan(now);
    expect(wakeAt).toBeLessThan(Number.POSITIVE_INFINITY);
    return;
  }
  const { jobs, rows, reason } = batch;
  expect(jobs.length).toBeGreaterThan(0);
  expect(new Set(jobs).size, "nobody twice").toBe(jobs.length);
  expect(rows).toBe(jobs.reduce((sum, each) => sum + each.rows, 0));
  expect(rows).toBeLessThanOrEqual(rules.maxRows);
  expect(new Set(jobs.map(({ key }) => key)).size, "one shape").toBe(1);
  for (const { deadline } of jobs) expect(deadline).toBeGreaterThan(now);
  const rivals = [...waiting].filter(({ key }) => key === jobs[0]!.key).sort(byTurn);
  expect(jobs, "those whose turn it was, in turn").toEqual(rivals.slice(0, jobs.length));
  if (rules.maxDelayMs === 0 || draining) {
    const head = Math.min(...[...waiting].map(({ priority }) => priority));
    if (rules.maxDelayMs === 0) expect(jobs[0]!.priority, "the highest level of all shapes").toBe(head);
  }
  const next = rivals[jobs.length];
  if (reason === "full") expect(rows === rules.maxRows || rows + next!.rows > rules.maxRows).toBe(true);
  if (reason === "share") expect(rows + next!.rows, "not even one more").toBeGreaterThan(share);
  if (reason !== "preferred" && jobs.length > 1) expect(rows).toBeLessThanOrEqual(share);
  if (reason === "preferred") expect(rules.preferredRows).toContain(rows);
  if (reason === "idle" || reason === "delay" || reason === "drain") expect(next).toBeUndefined();
  if (reason === "delay") {
    expect(now - Math.min(...jobs.map(({ arrivedAt }) => arrivedAt))).toBeGreaterThanOrEqual(rules.maxDelayMs);
  }
}
