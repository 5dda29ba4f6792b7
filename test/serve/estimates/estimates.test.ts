import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../../schemas/errors.ts";
import type { Estimate, MeasureResponse } from "../../../schemas/estimates.ts";
import { infoReportSchema } from "../../../schemas/info-report.ts";
import { validate } from "../../../schemas/validate.ts";
import { createApp } from "../../../serve/app.ts";
import { measuring } from "../../../serve/estimates/estimate-routes.ts";
import { EstimateJobs, type RunEstimate } from "../../../serve/estimates/jobs.ts";
import { measure } from "../../../serve/estimates/measure.ts";
import { MeasureThreads } from "../../../serve/estimates/measure-thread.ts";
import { type Client, clientOf } from "../client.ts";
import { fakeEngine, serveApp } from "../fake-engine.ts";
import { toyImage, twoView } from "../tasks/two-view-bundle.ts";

const logger = { error: () => undefined };
let folder: string;
let client: Client;
let close: () => Promise<void>;
let jobs: EstimateJobs;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-estimates-"));
  const engine = fakeEngine([twoView]);
  jobs = new EstimateJobs({ folder, run: measuring(engine, new MeasureThreads()), logger });
  jobs.resume();
  const served = await serveApp(createApp({ engine, jobs, bodyLimit: 1 << 20 }));
  close = served.close;
  client = clientOf(served.url);
});
afterAll(async () => {
  await close();
  await jobs.stop();
  await rm(folder, { recursive: true });
});

/** Pairs whose first pixel, the code, is i mod 10 in both views. */
const pairs = (rows: number) => {
  const images = Array.from({ length: rows }, (_, i) => toyImage(25 * (i % 10), 7 * (i % 3)));
  return { view_1: images, view_2: images };
};
const nats = 1 / Math.LN2;

describe("common-information", () => {
  test("gives means in bits with intervals, per dimension and in all, and what they are not", async () => {
    const inputs = { view_1: [toyImage(255, 0), toyImage(51, 0)], view_2: [toyImage(0, 0), toyImage(51, 0)] };
    const { status, body } = await client.post("/v1/toy/common-information", { inputs, seed: 5 });
    expect(status).toBe(200);
    const { quantities, notes, ...rest } = body as MeasureResponse;
    expect(rest).toMatchObject({
      bundle: "toy",
      task: "common_information",
      version: "1",
      rows: 2,
      seed: 5,
      bounds: [],
    });
    expect(notes).toEqual(["bounds need at least 3 pairs, got 2"]);
    expect(quantities.map(({ name }) => name)).toEqual(["rate_common_1", "total_common_1", "disagreement_1to2"]);
    const [rate, total, disagreement] = quantities;
    expect(rate!.bits).toBeCloseTo(0.6 * nats, 6);
    expect(rate!.dimensions).toMatchObject([{ name: "common_0", bits: rate!.bits }]);
    expect(rate!.interval[0]).toBeCloseTo(0.2 * nats, 6); // of two rows a resample can hold one twice
    expect(rate!.interval[1]).toBeCloseTo(nats, 6);
    expect(rate!.isNot).toMatch(/^a bound of the common information/);
    expect(total).not.toHaveProperty("dimensions");
    expect(disagreement!.bits).toBeCloseTo(0.5 * nats, 6);
    expect(disagreement!.isNot).toMatch(/^information/);
  });

  test("gives lower bounds below their ceilings, near log2 10 for ten classes told apart, the same for the same seed", async () => {
    const ask = async (seed: number) =>
      (await client.post("/v1/toy/common-information", { inputs: pairs(100), seed })).body as MeasureResponse;
    const [first, again, other] = [await ask(1), await ask(1), await ask(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.bounds.map(({ estimator }) => estimator.replace(/ \(.*/, ""))).toEqual([
      "InfoNCE",
      "InfoNCE",
      "interpolated bound",
      "NWJ",
      "Donsker-Varadhan",
    ]);
    for (const { bits, interval, ceilingBits } of first.bounds.slice(0, 2)) {
      expect(bits!).toBeGreaterThan(1);
      expect(bits!).toBeLessThan(Math.log2(10) + 0.2); // the classes are all there is to tell
      expect(interval![0]).toBeLessThanOrEqual(bits!);
      expect(interval![1]).toBeGreaterThanOrEqual(bits!);
      expect(ceilingBits).toBeCloseTo(Math.log2(100), 9);
    }
  });

  test.each([
    ["one pair", { inputs: pairs(1) }, 400, "at least 2 rows, got 1"],
    ["too many pairs", { inputs: pairs(513) }, 400, "at most 512, got 513"],
    ["one view", { inputs: { view_1: toyImage(1, 1) } }, 400, "view_1 and view_2"],
    ["too few resamples", { inputs: pairs(2), resamples: 1 }, 400, '"resamples" must be >= 100'],
    ["a kind", { inputs: pairs(2), kind: "x" }, 400, 'unknown key "kind"'],
  ])("refuses %s", async (_, body, status, text) => {
    const answer = await client.post("/v1/toy/common-information", body);
    expect(answer).toMatchObject({ status, body: { error: expect.stringContaining(text) } });
  });
});

test("redundant-information is the plug-in entropy of the labels minus each source's cross-entropy", async () => {
  const body = { inputs: { x1: [[0.25], [0.25], [0.5], [0]], y: [0, 1, 0, 1] }, seed: 1 };
  const answer = (await client.post("/v1/toy/redundant-information", body)).body as MeasureResponse;
  const found = answer.quantities.find(({ name }) => name === "information_cross_entropy_1")!;
  expect(found.bits).toBeCloseTo(1 - 0.25 * nats, 6);
  expect(answer.quantities.map(({ name }) => name)).not.toContain("disagreement"); // no nats
  expect(answer.notes).toEqual(["no bounds: the bundle has no code that both views tell as Gaussians"]);
});

test("a bound that is not finite is null, never NaN in JSON", () => {
  const tensor = (values: number[]) => ({ dtype: "float32" as const, shape: [3, 1], data: Float32Array.from(values) });
  const far = { mean: tensor([0, 900, -900]), logvar: tensor([-9, -9, -9]) };
  const near = { mean: tensor([900, -900, 0]), logvar: tensor([-9, -9, -9]) };
  const codes = [{ block: "common", first: far, second: near }];
  const { bounds } = measure({ outputs: [], codes, target: undefined, seed: 1, resamples: 100 });
  expect(bounds.some(({ bits }) => bits === null)).toBe(true);
  expect(JSON.parse(JSON.stringify(bounds))).toEqual(bounds);
});

describe("discrete-information", () => {
  test("of a shared fair bit and a fair bit of each view's own is 1 bit by every measure", async () => {
    const rows = [0, 1].flatMap((c) => [0, 1].flatMap((a) => [0, 1].map((b) => [`${c}${a}`, `${c}${b}`])));
    const { status, body } = await client.post("/v1/discrete-information", { columns: ["x", "y"], rows });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      rows: 8,
      mutualInformationBits: 1,
      gacsKornerBits: 1,
      entropyBits: { x: 2, y: 2, joint: 3 },
    });
    const counts = [
      [1, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 0, 1, 1],
      [0, 0, 1, 1],
    ];
    const same = await client.post("/v1/discrete-information", { columns: ["x", "y"], counts });
    expect(same.body).toMatchObject({ rows: 8, mutualInformationBits: 1, gacsKornerBits: 1 });
  });

  test("of a distribution is that of its sample without a number of rows, and without a bias", async () => {
    const probabilities = [
      [0.5, 0.25],
      [0, 0.25],
    ];
    const { status, body } = await client.post("/v1/discrete-information", { columns: ["x", "y"], probabilities });
    expect(status).toBe(200);
    expect(validate(infoReportSchema, body, "read the answer").mutualInformationBits).toBeCloseTo(0.3113, 4);
    expect(body).not.toHaveProperty("rows");
    expect(body).not.toHaveProperty("mutualInformationBiasBits");
  });

  test.each([
    [{ columns: ["x", "y"] }, "either rows, counts or probabilities, got none"],
    [{ columns: ["x", "y"], counts: [[1]], probabilities: [[1]] }, "got counts and probabilities"],
    [{ columns: ["x", "y"], counts: [[0.5, 0.5]] }, '"counts.0.0" must be integer'],
    [{ columns: ["l", "r"], rows: [[null, "u"]] }, '"rows.0.0" must be string or number, got null'],
    [{ columns: ["x", "y"], probabilities: [[0.5, 0.6]] }, "the probabilities must sum to 1, got 1.1"],
    [{ columns: ["x", "y", "z"], probabilities: [[0.5, 0.5]] }, "probabilities must be of two columns, got three"],
    [{ columns: ["x", "x"], rows: [["a", "b"]] }, 'got "x" twice'],
    [{ columns: ["x", "y"], rows: [["a", "b", "c"]] }, "rows must have 2 entries in line 0, got 3"],
    [{ columns: ["x", "y"], counts: [[1, 2], [3]] }, "counts must have 2 entries in line 1, got 1"],
    [{ columns: ["x", "y"], counts: [[0, 0]] }, "at least one count must be above 0"],
    [{ columns: ["x", "y"], counts: [[1e308, 1e308]] }, '"counts.0.0" must be <= 9007199254740992, got 1e+308'],
    [{ columns: ["x"], rows: [["a"]] }, '"columns" must NOT have fewer than 2 items'],
  ])("400 for %j", async (body, text) => {
    expect(await client.post("/v1/discrete-information", body)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(text) },
    });
  });
});

test("discrete-information takes the largest counts that its schema allows", async () => {
  const most = 2 ** 53;
  const answer = await client.post("/v1/discrete-information", {
    columns: ["x", "y"],
    counts: [
      [most, 0],
      [0, most],
    ],
  });
  expect(answer).toMatchObject({ status: 200, body: { mutualInformationBits: 1, gacsKornerBits: 1 } });
});

test("settings may stand in the query; one in both places, and one that is none, are refused by name", async () => {
  const table = {
    columns: ["x", "y"],
    counts: [
      [1, 0],
      [0, 1],
    ],
  };
  const at = "/v1/discrete-information";
  const plain = await client.post(at, { ...table, seed: 5 });
  expect(plain.status).toBe(200);
  expect((await client.post(`${at}?seed=5`, table)).body).toEqual(plain.body);
  const inputs = pairs(3);
  expect(await client.post("/v1/toy/common-information?seed=4&resamples=100", { inputs })).toMatchObject({
    status: 200,
    body: { seed: 4 },
  });
  const taken = await client.post("/v1/toy/estimates?kind=redundant-information", { inputs });
  expect(taken).toMatchObject({ status: 400, body: { code: "bad_inputs" } }); // that task takes other inputs
  for (const [path, body, name] of [
    [`${at}?seed=5`, { ...table, seed: 5 }, "seed"],
    [`${at}?sed=5`, table, "sed"],
    [`${at}?counts=5`, table, "counts"],
    ["/v1/toy/common-information?seed=5", { inputs, seed: 5 }, "seed"],
    ["/v1/toy/common-information?kind=5", { inputs }, "kind"],
  ] as const) {
    expect(await client.post(path, body), path).toMatchObject({ status: 400, body: { code: "invalid", path: [name] } });
  }
  expect(await client.get("/v1/toy/estimates/1?wait=1")).toMatchObject({ status: 400, body: { path: ["wait"] } });
});

describe("estimates in the background", () => {
  const until = async (at: string, state: string): Promise<Estimate> => {
    for (;;) {
      const { body } = await client.get(at);
      if ((body as Estimate).state === state) return body as Estimate;
      expect(["waiting", "running"]).toContain((body as Estimate).state);
      await sleep(20);
    }
  };

  test("are taken with 202, and end with what the route that waits answers", async () => {
    const body = { inputs: pairs(20), seed: 3 };
    const taken = await client.post("/v1/toy/estimates", body);
    expect(taken).toMatchObject({ status: 202, body: { bundle: "toy", kind: "common-information", rows: 20 } });
    const at = taken.headers.get("location")!;
    const { result, progress } = await until(at, "done");
    expect(progress).toBe(1);
    expect(result).toEqual((await client.post("/v1/toy/common-information", body)).body);
    expect((await client.get(at.replace("/toy/", "/other/"))).status).toBe(404);
    expect((await client.get(at, { method: "DELETE" })).status).toBe(200);
    expect((await client.get(at)).status).toBe(404);
    expect(await readdir(folder)).toEqual([]);
  });

  test("that were waiting or running go on after a restart, those that ended keep their results", async () => {
    const here = await mkdtemp(path.join(folder, "restart-"));
    const work = { bundle: "toy", kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
    const answer = { rows: 7 } as MeasureResponse;
    let calls = 0;
    // The first server computes for ever, the second at once.
    const never: RunEstimate = (_, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const first = new EstimateJobs({ folder: here, run: never, logger });
    first.resume();
    const [running, waiting, cancelled] = [await first.add(work), await first.add(work), await first.add(work)];
    await first.cancel("toy", cancelled.id);
    await first.stop();
    await writeFile(path.join(here, `${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}.json`), '{"half of a fi');

    const noted: unknown[] = [];
    const second = new EstimateJobs({
      folder: here,
      run: async (given) => {
        calls++;
        expect(given).toEqual({ ...work, version: undefined });
        return { ...answer, bundle: "toy", task: "t", version: "1", seed: 1, quantities: [], bounds: [], notes: [] };
      },
      logger: { error: (...of: unknown[]) => void noted.push(of) },
    });
    await second.read();
    expect(second.find("toy", running.id), "known before anything is begun").toMatchObject({ state: "waiting" });
    second.resume();
    for (const { id } of [running, waiting]) {
      while (second.find("toy", id).state !== "done") await sleep(5);
      expect(second.find("toy", id).result).toMatchObject(answer);
    }
    expect(second.find("toy", cancelled.id).state).toBe("cancelled");
    expect(calls).toBe(2);
    expect(noted).toHaveLength(1);
    const third = new EstimateJobs({ folder: here, run: never, logger });
    await third.read();
    expect(third.find("toy", running.id)).toMatchObject({ state: "done", result: answer });
    await second.stop();
    await third.stop();
  });

  test("one that is not on disk yet is not begun when the one before it ends", async () => {
    const here = await mkdtemp(path.join(folder, "early-"));
    const work = { bundle: "toy", kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let adding: Promise<Estimate> | undefined;
    const states: string[] = [];
    const early = new EstimateJobs({
      folder: here,
      run: async ({ seed }) => {
        if (seed === 1) {
          begin();
          await ended;
        } else states.push(early.find("toy", (await adding!).id).state);
        throw new UsageError("Cannot estimate: it was begun");
      },
      logger,
    });
    early.resume();
    await early.add(work);
    await begun;
    adding = early.add({ ...work, seed: 2 });
    end(); // the next is looked for while the second is being written
    const { id } = await adding;
    while (early.find("toy", id).state !== "failed") await sleep(5);
    expect(states).toEqual(["running"]);
    await early.stop();
  });

  test("more than may wait are refused with 429, and one that fails says why", async () => {
    const here = await mkdtemp(path.join(folder, "many-"));
    const work = { bundle: "toy", kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
    const failing: ((reason: unknown) => void)[] = [];
    const many = new EstimateJobs({
      folder: here,
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          failing.push(reject);
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
      logger,
    });
    many.resume();
    const added = await Promise.all(Array.from({ length: 16 }, () => many.add(work)));
    await expect(many.add(work)).rejects.toMatchObject({ status: 429, code: "queue_full" });
    while (failing.length === 0) await sleep(5);
    failing[0]!(new Error("secret"));
    while (!added.some(({ id }) => many.find("toy", id).state === "failed")) await sleep(5);
    const failed = added.map(({ id }) => many.find("toy", id)).find(({ state }) => state === "failed")!;
    expect(failed.error).toBe("Cannot estimate: the server failed, its log says why");
    await many.stop();
  });

  test("a server that stops, or a client that cancels, while an estimate is read from disk is not kept waiting, and it is not begun", async () => {
    const work = { bundle: "toy", kind: "common-information", version: undefined, seed: 1, resamples: 100, inputs: {} };
    for (const end of ["stop", "cancel"] as const) {
      let begun = 0;
      const jobs = new EstimateJobs({
        folder: await mkdtemp(path.join(folder, `${end}-`)),
        run: (_, { signal }) => {
          begun++;
          return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        },
        logger,
      });
      jobs.resume();
      const { id } = await jobs.add(work);
      if (end === "cancel") expect((await jobs.cancel("toy", id)).state).toBe("cancelled");
      await jobs.stop();
      expect(begun, end).toBe(0);
    }
  });
});

test("the configured number of pairs is the most that is measured at once", async () => {
  const engine = fakeEngine([twoView]);
  const small = await serveApp(createApp({ engine, bodyLimit: 1 << 20, limits: { maxPairs: 3 } }));
  try {
    const ask = (rows: number) =>
      clientOf(small.url).post("/v1/toy/common-information", { inputs: pairs(rows), seed: 1 });
    expect((await ask(3)).status).toBe(200);
    const refused = await ask(4);
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ error: expect.stringMatching(/at most 3, got 4/) });
  } finally {
    await small.close();
  }
});
