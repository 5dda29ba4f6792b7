import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import type { Estimate, MeasureResponse } from "../../../schemas/estimates.ts";
import { measuring } from "../../../serve/estimates/estimate-routes.ts";
import { EstimateJobs } from "../../../serve/estimates/jobs.ts";
import { MeasureThreads } from "../../../serve/estimates/measure-thread.ts";
import { type Pause, pause } from "../../../serve/estimates/patience.ts";
import { HttpError, unavailable } from "../../../serve/http-error.ts";
import { fakeEngine } from "../fake-engine.ts";
import { twoView } from "../tasks/two-view-bundle.ts";

const logger = { error: () => undefined };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-patience-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("an estimate in the background that meets what passes", () => {
  const work = { bundle: "toy", kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
  const fault = (status: number, code: string) => new HttpError(`Cannot infer: ${code}`, { status, code });
  const result = { rows: 2 } as MeasureResponse;

  /** Jobs whose runs end one after the other as said, the last one for ever; pauses take no time. */
  async function open(runs: readonly (Error | MeasureResponse)[], between: Pause = async () => undefined) {
    let at = 0;
    const pauses: number[] = [];
    const jobs = new EstimateJobs({
      folder: await mkdtemp(path.join(folder, "passing-")),
      run: async (_, { onProgress }) => {
        const end = runs[Math.min(at++, runs.length - 1)]!;
        onProgress(0.5);
        if (end instanceof Error) throw end;
        return end;
      },
      logger,
      pause: (ms, signal) => {
        pauses.push(ms);
        return between(ms, signal);
      },
    });
    jobs.resume();
    const { id } = await jobs.add(work);
    return { jobs, id, pauses, attempts: () => at };
  }

  async function ended({ jobs, id }: { jobs: EstimateJobs; id: string }): Promise<Estimate> {
    while (["waiting", "running"].includes(jobs.find("toy", id).state)) await sleep(5);
    await jobs.stop();
    return jobs.find("toy", id);
  }

  test("begins anew after a reload, a lost worker, a full queue and a timeout, with growing pauses", async () => {
    const passing = [
      fault(404, "unknown_version"),
      fault(503, "stopping"),
      fault(429, "queue_full"),
      fault(504, "timeout"),
    ];
    const opened = await open([...passing, result]);
    expect(await ended(opened)).toMatchObject({ state: "done", progress: 1, result });
    expect(opened.pauses).toEqual([500, 1000, 2000, 4000]);
  });

  test.each([
    ["what is wrong with its input", new UsageError("Cannot infer: bad input")],
    ["a model that cannot compute it", new FailureError("Cannot run model: it broke")],
    ["an answer that is not finite", fault(422, "not_finite")],
    ["a measurement that takes too long", fault(504, "deadline")],
  ])("fails at once for %s", async (_, error) => {
    const opened = await open([error]);
    expect(await ended(opened)).toMatchObject({ state: "failed", error: error.message });
    expect(opened.pauses).toEqual([]);
  });

  test("fails after 16 attempts in five minutes, and says so", async () => {
    const opened = await open([fault(503, "worker_starting")]);
    const error = "Cannot estimate: gave up after 16 attempts, the last one ended with: Cannot infer: worker_starting";
    expect(await ended(opened)).toMatchObject({ state: "failed", error });
    expect(opened.attempts()).toBe(16);
    expect(opened.pauses.reduce((sum, ms) => sum + ms)).toBe(301_500);
  });

  test.each(["stop", "cancel"] as const)("ends at once in a pause: %s", async (how) => {
    let paused = (): void => undefined;
    const inPause = new Promise<void>((resolve) => {
      paused = resolve;
    });
    const opened = await open([fault(503, "worker_lost")], (_, signal) => {
      paused();
      return pause(3_600_000, signal);
    });
    await inPause;
    const { jobs, id } = opened;
    expect(jobs.find("toy", id)).toMatchObject({ state: "running" });
    if (how === "cancel") expect((await jobs.cancel("toy", id)).state).toBe("cancelled");
    await jobs.stop(); // waits for the one at hand
    expect(jobs.find("toy", id).state).toBe(how === "cancel" ? "cancelled" : "running");
    expect(opened.attempts()).toBe(1);
  });

  test("repeats only the batch that failed, and a client that waits is told at once", async () => {
    const engine = fakeEngine([twoView]);
    const [faults, pauses] = [
      [fault(429, "queue_full"), unavailable("lost", "worker_lost"), fault(504, "timeout")],
      [] as number[],
    ];
    const tensor = (values: number[]) => ({
      dtype: "uint8" as const,
      shape: [values.length, 2, 3, 1],
      data: Uint8Array.from(values.flatMap((value) => new Array<number>(6).fill(value))),
    });
    const pixels = tensor([0, 25, 50, 75, 100, 125, 150, 175, 200, 225]);
    const given = { ...work, inputs: { view_1: pixels, view_2: pixels } };
    const shares: number[] = [];
    const options = {
      signal: new AbortController().signal,
      onProgress(share: number) {
        shares.push(share);
        if (shares.length === 2) engine.fault = faults.shift();
      },
    };
    const patient = measuring(engine, new MeasureThreads(), async (ms) => {
      pauses.push(ms);
      engine.fault = faults.shift();
    });
    const figures = await patient(given, options);
    expect(pauses).toEqual([500, 1000, 2000]);
    expect(shares, "ten rows in batches of four, twice").toEqual([0.2, 0.4, 0.5, 0.7, 0.9, 1]);
    expect(engine.asked).toHaveLength(6 + pauses.length);
    expect(engine.pins).toBe(0);

    const impatient = measuring(engine, new MeasureThreads());
    expect(figures).toEqual(await impatient(given, { ...options, onProgress: () => undefined }));
    engine.fault = fault(429, "queue_full");
    await expect(impatient(given, options)).rejects.toBe(engine.fault);
  });
});
