import { EventEmitter } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import type { BatchingOptions } from "../../../schemas/serve-config.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { batchingDefaults } from "../../../serve/engine/defaults.ts";
import type { EngineEvents, InferenceRequest } from "../../../serve/engine/inference-engine.ts";
import { ModelQueue } from "../../../serve/engine/model-queue.ts";
import { aheadOf, enoughOf, shareOf } from "../../../serve/engine/share.ts";
import { Statistics } from "../../../serve/engine/statistics.ts";
import type { WorkerAnswer, WorkerRun } from "../../../serve/engine/worker-process.ts";
import { HttpError, unavailable } from "../../../serve/http-error.ts";

/** The model `y[n, 2] = x[n, 2]`, and a clock that stands still until it is moved. */
const spec = {
  description: "",
  version: "3",
  file: "",
  sha256: "",
  bytes: 1,
  opset: 17,
  inputs: [{ name: "x", dtype: "int32" as const, shape: [-1, 2], description: "" }],
  outputs: [{ name: "y", dtype: "int32" as const, shape: [-1, 2], description: "" }],
  parity: [],
};

let now = 0;
let queue: ModelQueue;
let statistics: Statistics;
let requests: EngineEvents["request"][0][];

function open(options: Partial<BatchingOptions> = {}): void {
  now = 1000;
  requests = [];
  statistics = new Statistics("tiny.copy", "3");
  const events = new EventEmitter<EngineEvents>();
  events.on("request", (event) => requests.push(event));
  queue = new ModelQueue({
    name: "tiny.copy",
    spec,
    options: { ...batchingDefaults, timeoutMs: 0, ...options },
    statistics,
    events,
    clock: () => now,
  });
}

beforeEach(() => open());

function rows(...values: number[]): HostTensor {
  return {
    dtype: "int32",
    shape: [values.length, 2],
    data: Int32Array.from(values.flatMap((value) => [value, -value])),
  };
}

/** What became of a request: its first column, or the status of its error. */
function ask(x: HostTensor, more: Partial<InferenceRequest> = {}): Promise<number[] | number | string> {
  return queue.submit({ model: "tiny.copy", inputs: { x }, ...more }).then(
    ({ outputs }) => [...(outputs.y!.data as Int32Array)].filter((_, index) => index % 2 === 0),
    (error: Error) => (error instanceof HttpError ? error.status : error.message),
  );
}

/** Runs all that waits as one batch. */
async function runBatch(
  run: (run: WorkerRun) => Promise<WorkerAnswer> = copy,
  abandon: (reason: string) => void = (reason) => expect.fail(reason),
): Promise<WorkerRun | undefined> {
  queue.tick();
  const batch = queue.take({ draining: false, workers: 1, ahead: false });
  if (batch === undefined) return undefined;
  let seen: WorkerRun | undefined;
  await queue.compute(batch, (each) => {
    seen = each;
    return { answer: run(each), abandon };
  });
  return seen;
}

async function copy({ inputs }: WorkerRun): Promise<WorkerAnswer> {
  const { dtype, shape, pieces } = inputs.x!;
  const data = new Int32Array(shape[0]! * shape[1]!);
  let at = 0;
  for (const piece of pieces as Int32Array[]) {
    data.set(piece, at);
    at += piece.length;
  }
  now += 4;
  return { outputs: { y: { dtype, shape, data } }, computeMs: 3 };
}

describe("a batch", () => {
  test("is one run, and each request gets its own rows back", async () => {
    const answers = [ask(rows(1)), ask(rows(2, 3, 4)), ask(rows(5))];
    expect((await runBatch())!.inputs.x!.shape).toEqual([5, 2]);
    expect(await Promise.all(answers)).toEqual([[1], [2, 3, 4], [5]]);
  });

  test("is filled up with zeros to a bucket, which nobody sees", async () => {
    open({ buckets: [4, 8] });
    const answers = [ask(rows(1)), ask(rows(2, 3, 4, 5))];
    expect((await runBatch())!.inputs.x!.shape).toEqual([8, 2]);
    expect(await Promise.all(answers)).toEqual([[1], [2, 3, 4, 5]]);
    expect(statistics.read().batches).toMatchObject([{ batchSize: 5 }]);
  });

  test("holds only requests for the same outputs", async () => {
    const answers = [ask(rows(1), { outputs: ["y"] }), ask(rows(2), { outputs: [] })];
    expect(await runBatch()).toMatchObject({ outputs: ["y"], inputs: { x: { shape: [1, 2] } } });
    expect(await answers[0]).toEqual([1]);
    queue.rejectWaiting(unavailable("stop", "stopping"));
    expect(await answers[1]).toBe(503);
  });

  test("that fails gives its error to all of its requests and to nobody else", async () => {
    const answers = [ask(rows(1)), ask(rows(2))];
    await runBatch(() => Promise.reject(new Error("Cannot run model: it broke")));
    expect(await Promise.all(answers)).toEqual(["Cannot run model: it broke", "Cannot run model: it broke"]);
    const next = ask(rows(3));
    await runBatch();
    expect(await next).toEqual([3]);
  });
});

describe("a request", () => {
  test("that does not fit the model, has too many rows or an unknown priority is refused before it is queued", async () => {
    open({ maxBatchRows: 2 });
    const bad = { dtype: "int32" as const, shape: [1, 3], data: new Int32Array(3) };
    expect(await ask(bad)).toBe('Cannot infer: "x" must be int32 [n, 2], got int32 [1, 3]');
    expect(await ask({ ...rows(1), data: new Int32Array(5) })).toMatch(/^Cannot infer: "x" must be/);
    expect(await ask(rows(1), { inputs: {} })).toBe('Cannot infer: "x" must be int32 [n, 2], got nothing');
    expect(await ask(rows(1), { inputs: { x: rows(1), z: rows(1) } })).toBe('Cannot infer: unknown input "z"');
    expect(await ask(rows(1, 2, 3))).toMatch(/must have at most 2 rows, got 3/);
    expect(await ask(rows(1), { priority: 4 })).toBe("Cannot infer: priority must be an integer from 0 to 3, got 4");
    expect(queue.pending).toBe(0);
  });

  test("is answered 504 at its deadline while it waits, and is not computed", async () => {
    const [late, patient] = [ask(rows(1), { timeoutMs: 50 }), ask(rows(2))];
    expect(queue.wakeAt(false)).toBe(1050);
    now = 1049;
    queue.tick();
    expect(queue.pending).toBe(2);
    now = 1050;
    queue.tick();
    expect(await late).toBe(504);
    await runBatch();
    expect(await patient).toEqual([2]);
    expect(requests).toMatchObject([
      { outcome: "timeout", queueMs: 50, totalMs: 50, computeMs: 0 },
      { outcome: "success", queueMs: 50, totalMs: 54, computeMs: 3 },
    ]);
  });

  test("is answered 504 at its deadline while it is computed, and its companions are answered", async () => {
    const [late, patient] = [ask(rows(1), { timeoutMs: 50 }), ask(rows(2))];
    await runBatch(async (run) => {
      expect(queue.wakeAt(false)).toBe(1050);
      now = 1050;
      queue.tick();
      expect(await late).toBe(504);
      expect(queue.wakeAt(false), "it is answered once").toBe(Number.POSITIVE_INFINITY);
      return copy(run);
    });
    expect(await patient).toEqual([2]);
    expect(statistics.read().outcomes).toMatchObject({ success: 1, timeout: 1 });
  });

  test("whose client goes away leaves the queue at once", async () => {
    const client = new AbortController();
    const [gone, other] = [ask(rows(1), { signal: client.signal }), ask(rows(2))];
    client.abort();
    expect(await gone).toBe(499);
    expect(queue.pending).toBe(1);
    expect((await runBatch())!.inputs.x!.shape).toEqual([1, 2]);
    expect(await other).toEqual([2]);
    expect(await ask(rows(3), { signal: client.signal }), "gone before it came").toBe(499);
    expect(statistics.read()).toMatchObject({ pending: 0, outcomes: { cancelled: 2, success: 1 } });
  });

  test("whose client goes away while it is computed costs its companions nothing", async () => {
    const client = new AbortController();
    const [gone, other] = [ask(rows(1), { signal: client.signal }), ask(rows(2))];
    await runBatch(async (run) => {
      client.abort();
      return copy(run);
    });
    expect([await gone, await other]).toEqual([499, [2]]);
  });

  test("more than maxQueue get 429 with Retry-After", async () => {
    open({ maxQueue: 1 });
    const first = ask(rows(1));
    await expect(queue.submit({ model: "tiny.copy", inputs: { x: rows(2) } })).rejects.toMatchObject({
      status: 429,
      code: "queue_full",
      headers: { "Retry-After": "1" },
    });
    await runBatch();
    expect(await first).toEqual([1]);
  });
});

describe("a worker that does not answer", () => {
  /** Where a batch hangs: moves the clock, and tells how often its worker was given up. */
  async function hang(use: (at: (time: number) => number) => Promise<void>): Promise<void> {
    const reasons: string[] = [];
    let lose = (_: Error): void => undefined;
    const lost = new Promise<WorkerAnswer>((_resolve, reject) => {
      lose = reject;
    });
    const ran = runBatch(
      () => lost,
      (reason) => void reasons.push(reason),
    );
    await use((time) => {
      now = 1000 + time;
      queue.tick();
      return reasons.length;
    });
    lose(unavailable("Cannot infer: the worker was lost", "worker_lost"));
    await ran;
    expect(queue.pending).toBe(0);
    for (const reason of reasons) expect(reason).toMatch(/^no answer in \d+ s, and nobody waits for it any more$/);
  }

  test("is given up ten seconds after its batch was sent when all of its requests have timed out, once", async () => {
    const answers = [ask(rows(1), { timeoutMs: 50 }), ask(rows(2), { timeoutMs: 80 })];
    await hang(async (at) => {
      expect(at(80)).toBe(0);
      expect(await Promise.all(answers)).toEqual([504, 504]);
      expect(queue.wakeAt(false)).toBe(11_000);
      expect(at(9999)).toBe(0);
      expect(at(10_000)).toBe(1);
      expect(queue.wakeAt(false)).toBe(Number.POSITIVE_INFINITY);
      expect(at(20_000)).toBe(1);
    });
  });

  test("is given twice the longest timeout of its requests", async () => {
    const answers = [ask(rows(1), { timeoutMs: 50 }), ask(rows(2), { timeoutMs: 8000 })];
    await hang(async (at) => {
      expect(at(15_999)).toBe(0);
      expect(at(16_000)).toBe(1);
      expect(await Promise.all(answers)).toEqual([504, 504]);
    });
  });

  test("is not given up while one client waits, however long, and then as soon as that one is gone", async () => {
    const client = new AbortController();
    const [late, patient] = [ask(rows(1), { timeoutMs: 50 }), ask(rows(2), { signal: client.signal })];
    await hang(async (at) => {
      expect(at(3_600_000)).toBe(0);
      expect(await late).toBe(504);
      client.abort();
      expect(await patient).toBe(499);
      expect(at(3_600_001)).toBe(1);
    });
  });

  test("is given a minute by clients without a timeout that are gone", async () => {
    const client = new AbortController();
    const gone = ask(rows(1), { signal: client.signal });
    await hang(async (at) => {
      client.abort();
      expect(await gone).toBe(499);
      expect(at(59_999)).toBe(0);
      expect(at(60_000)).toBe(1);
    });
  });
});

test("statistics count rows, batches, times and outcomes as Triton does", async () => {
  const answers = [ask(rows(1)), ask(rows(2, 3))];
  now += 6;
  await runBatch();
  await Promise.all(answers);
  const lost = ask(rows(4));
  await runBatch(() => Promise.reject(unavailable("Cannot infer: the worker was lost", "worker_lost")));
  expect(await lost).toBe(503);
  expect(statistics.read()).toMatchObject({
    name: "tiny.copy",
    version: "3",
    inferenceCount: 3,
    executionCount: 1,
    inference: {
      success: { count: 2, ns: 20e6 },
      fail: { count: 1 },
      queue: { count: 2, ns: 12e6 },
      computeInfer: { count: 1, ns: 3e6 },
    },
    batches: [{ batchSize: 3, computeInfer: { count: 1, ns: 3e6 } }],
    outcomes: { success: 2, worker_lost: 1, failure: 0 },
    dispatches: { idle: 2 },
    pending: 0,
  });
});

describe("the share of one of several workers", () => {
  test("is half of its part of all rows, and the whole part where that is small", () => {
    expect([1, 4, 16].map((rows) => shareOf(rows, 2))).toEqual([1, 2, 8]);
    expect([24, 64, 100].map((rows) => shareOf(rows, 2))).toEqual([8, 16, 25]);
    expect(shareOf(64, 1), "one alone takes what waits").toBe(Number.POSITIVE_INFINITY);
  });

  test("half of it, or a full batch, is enough to be sent to a worker that still computes", async () => {
    void ask(rows(...new Array(12).fill(1)));
    const take = (ahead: boolean) => queue.take({ draining: false, workers: 2, ahead })?.rows;
    expect(take(true)).toBe(12);
    for (const value of [2, 3, 4]) void ask(rows(value));
    expect(take(true), "three of fifteen that are pending").toBeUndefined();
    void ask(rows(5));
    expect(take(true), "four of sixteen").toBe(4);
    void ask(rows(6));
    expect([take(true), take(false)], "one who is idle takes what there is").toEqual([undefined, 1]);
    expect([aheadOf(16, 64), aheadOf(Number.POSITIVE_INFINITY, 64)]).toEqual([8, 64]);
  });

  test("eight rows, or half a share of more, need not wait for others to be read", () => {
    expect([1, 40, 400].map((rows) => enoughOf(shareOf(rows, 2), 64))).toEqual([8, 8, 50]);
    expect(enoughOf(shareOf(8, 1), 64), "one worker alone takes what is there").toBe(64);
    expect(enoughOf(shareOf(8, 2), 1), "without batching there is nothing to wait for").toBe(1);
    void ask(rows(...new Array(7).fill(0)));
    expect(queue.hasEnough(2)).toBe(false);
    void ask(rows(1));
    expect(queue.hasEnough(2)).toBe(true);
    expect(queue.hasEnough(1)).toBe(false);
  });

  test("counts what the others compute as well", async () => {
    const answers = [1, 2, 3, 4, 5, 6].map((value) => ask(rows(value)));
    const first = queue.take({ draining: false, workers: 2, ahead: false })!;
    expect(first).toMatchObject({ rows: 3, reason: "share" });
    expect(
      queue.take({ draining: false, workers: 3, ahead: false }),
      "a part of six rows, not of the three that wait",
    ).toMatchObject({
      rows: 2,
    });
    queue.rejectWaiting(new HttpError("over", { status: 503, code: "stopping" }));
    expect(await answers[5]).toBe(503);
  });
});
