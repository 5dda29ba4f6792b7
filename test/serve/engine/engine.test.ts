import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { stream } from "../../../information/random.ts";
import type { ServeConfig } from "../../../schemas/serve-config.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { createEngine, type Engine } from "../../../serve/engine/engine.ts";
import type { InferenceAnswer, ServedModel } from "../../../serve/engine/inference-engine.ts";
import { typescriptOptions } from "../client.ts";
import { arithmetic, identity, type TinyTask, writeTinyBundle } from "../tiny-bundle.ts";

/** The engine with real worker processes. */

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-engine-"));
});
afterEach(() => engine.close());
afterAll(() => rm(folder, { recursive: true }));

async function open(repository: string, config: ServeConfig = {}): Promise<Engine> {
  engine = await createEngine({ repository, config: { threads: 1, instances: 1, ...config } });
  await engine.start();
  return engine;
}

const vector = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});
const infer = (x: HostTensor, model = "tiny.f", signal?: AbortSignal): Promise<InferenceAnswer> =>
  engine.infer({ model, inputs: { x }, ...(signal === undefined ? {} : { signal }) });
const valuesOf = ({ outputs }: InferenceAnswer): number[] => [...(outputs.y!.data as Float32Array)];

/** `y[n] = x[n]` or `-x[n]`. */
const f = (op: "Identity" | "Neg"): TinyTask => ({
  ...identity("float32"),
  nodes: [{ op, inputs: ["x"], outputs: ["y"] }],
});

/** A repository with one bundle, `tiny`. */
async function repositoryOf(tasks: Readonly<Record<string, TinyTask>>): Promise<string> {
  const repository = await mkdtemp(path.join(folder, "repository-"));
  await writeTinyBundle(path.join(repository, "tiny"), tasks);
  return repository;
}

/** Puts another state of the bundle in its place, as the exporter does: written beside it, then renamed. */
async function replaceBundle(
  repository: string,
  tasks: Readonly<Record<string, TinyTask>>,
  version = "1",
): Promise<void> {
  const scratch = await mkdtemp(path.join(folder, ".scratch-"));
  await writeTinyBundle(path.join(scratch, "tiny"), tasks, version);
  await rename(path.join(repository, "tiny"), path.join(scratch, "old"));
  await rename(path.join(scratch, "tiny"), path.join(repository, "tiny"));
}

describe("a reload", () => {
  test("drops no request: each is answered by the old state or the new one, and new ones by the new one", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    const [before] = engine.workerPids;
    let stopped = false;
    const seen = new Set<number>();
    const clients = Array.from({ length: 4 }, async () => {
      while (!stopped) seen.add(valuesOf(await infer(vector(1)))[0]!);
    });
    await replaceBundle(repository, { f: f("Neg") });
    await engine.refresh();
    expect(valuesOf(await infer(vector(2)))).toEqual([-2]);
    while (!seen.has(-1)) await sleep(1); // until a client came back; the test's own time limit is the failure
    stopped = true;
    await Promise.all(clients);
    expect(seen).toEqual(new Set([1, -1]));
    expect(engine.workerPids).toHaveLength(1);
    expect(engine.workerPids).not.toContain(before);
    while (isAlive(before!)) await sleep(20); // its memory is back; the test's own time limit is the failure
    await engine.refresh();
    expect(engine.models(), "nothing changed, nothing was loaded").toEqual([
      { name: "tiny.f", version: "1", status: "READY", reason: "" },
    ]);
  });

  test("of a bundle that is half copied keeps the old state in service, says why, and succeeds once it is whole", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    const file = path.join(repository, "tiny", "f", "1", "model.onnx");
    const old = await readFile(file);
    await replaceBundle(repository, { f: f("Neg") });
    const whole = await readFile(file);
    await writeFile(file, whole.subarray(0, whole.length >> 1));
    await expect(engine.load("tiny")).rejects.toThrow(
      /^Cannot load model: tiny\/f\/1\/model\.onnx must have the SHA-256/,
    );
    expect(valuesOf(await infer(vector(2)))).toEqual([2]);
    expect(engine.models()).toMatchObject([
      { status: "READY", reason: expect.stringMatching(/^Its newest state could not be loaded\. /) },
    ]);
    expect(engine.ready).toBe(true);
    expect(old).not.toEqual(whole);
    await writeFile(file, whole);
    await engine.load("tiny.f");
    expect(valuesOf(await infer(vector(2)))).toEqual([-2]);
  });
});

test("a load that ends while the engine drains is refused, and what was served goes on until it is closed", async () => {
  const repository = await repositoryOf({ f: f("Identity") });
  await open(repository);
  await replaceBundle(repository, { f: f("Neg") });
  const loading = expect(engine.load("tiny")).rejects.toMatchObject({ status: 503, code: "stopping" });
  expect(await engine.drain(0)).toBe(true);
  expect(engine.ready).toBe(false);
  await loading;
  expect(valuesOf(await infer(vector(2)))).toEqual([2]);
});

describe("a pinned bundle", () => {
  test("answers all that is asked of it by one state, also when its version has left, and then ends its worker", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    const [before] = engine.workerPids as [number];
    const pinned = engine.pin("tiny")!;
    const [model] = pinned.models as [ServedModel];
    const ask = () => pinned.infer({ model: model.name, version: model.version, inputs: { x: vector(1) } });
    expect(valuesOf(await ask())).toEqual([1]);
    for (const version of ["1", "2"]) {
      await replaceBundle(repository, { f: f("Neg") }, version);
      await engine.refresh();
      expect(valuesOf(await infer(vector(1)))).toEqual([-1]);
      expect(valuesOf(await ask()), `while version ${version} is served`).toEqual([1]);
    }
    const named = { model: "tiny.f", version: "1", inputs: { x: vector(1) } };
    await expect(engine.infer(named)).rejects.toMatchObject({ status: 404, code: "unknown_version" });
    expect(pinned.find("tiny.f", "1")).toBe(model);
    expect(isAlive(before)).toBe(true);
    pinned.release();
    while (isAlive(before)) await sleep(20); // the test's own time limit is the failure
    await expect(ask()).rejects.toMatchObject({ status: 503, code: "stopping" });
    expect(engine.pin("nobody")).toBeUndefined();
  });

  test("that nobody releases does not keep a closed engine's workers", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    const [before] = engine.workerPids as [number];
    engine.pin("tiny");
    const unloaded = engine.unload("tiny");
    while (engine.served().length > 0) await sleep(5);
    await engine.close();
    await unloaded;
    expect(isAlive(before)).toBe(false);
  });
});

test("versions are served by the policy, each by its own file, and the highest answers where none is named", async () => {
  const repository = await repositoryOf({ f: f("Neg") });
  const bundle = path.join(repository, "tiny");
  const old = await mkdtemp(path.join(folder, ".scratch-"));
  const { tasks } = await writeTinyBundle(path.join(old, "tiny"), { f: f("Identity") });
  for (const version of ["2", "10"]) {
    await cp(path.join(version === "2" ? path.join(old, "tiny") : bundle, "f", "1"), path.join(bundle, "f", version), {
      recursive: true,
    });
  }
  const file = path.join(bundle, "manifest.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  const at = (version: string) => ({ version, file: `f/${version}/model.onnx` });
  const earlier = [{ ...tasks.f!, ...at("2") }, { ...manifest.tasks.f }];
  manifest.tasks.f = { ...manifest.tasks.f, ...at("10"), earlier };
  await writeFile(file, JSON.stringify(manifest));
  await open(repository, { versions: { latest: 2 } });
  expect(engine.find("f")).toMatchObject({ version: "10", versions: ["2", "10"] });
  const ask = async (version?: string): Promise<number[]> =>
    valuesOf(
      await engine.infer({ model: "f", inputs: { x: vector(4) }, ...(version === undefined ? {} : { version }) }),
    );
  expect([await ask(), await ask("10"), await ask("2")]).toEqual([[-4], [-4], [4]]);
  await expect(ask("1")).rejects.toMatchObject({
    status: 404,
    message: 'Cannot find version "1" of model "f": it must be "2" or "10"',
  });
  expect(engine.statistics()).toMatchObject([
    { version: "2", inferenceCount: 1 },
    { version: "10", inferenceCount: 2 },
  ]);
});

describe("load and unload", () => {
  test("an unloaded bundle gives its process back, answers why, and stays unloaded until it is loaded", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await writeTinyBundle(path.join(repository, "other"), { arithmetic });
    await open(repository);
    expect(() => engine.find("f"), "two bundles are served").toThrow('did you mean "tiny.f"?');
    const [tiny] = engine.find("tiny.f").versions;
    expect(tiny).toBe("1");
    const pids = engine.workerPids;
    await engine.unload("tiny");
    expect(engine.workerPids).toHaveLength(1);
    expect(pids.filter(isAlive)).toEqual(engine.workerPids);
    await engine.refresh();
    await expect(infer(vector(1))).rejects.toMatchObject({
      status: 404,
      message: 'Cannot find model "tiny.f": bundle "tiny" is not served. It was unloaded',
    });
    expect(engine.find("arithmetic").name, "one bundle is left, so plain names do").toBe("other.arithmetic");
    await engine.load("tiny");
    expect(valuesOf(await infer(vector(3)))).toEqual([3]);
    for (const name of ["nobody", "../tiny", "__proto__"]) {
      await expect(engine.load(name)).rejects.toMatchObject({ status: 404 });
    }
  });

  test("by the name of a model that the bundle does not have are refused, and leave the bundle as it is", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    const pids = engine.workerPids;
    const unknown = {
      status: 404,
      code: "unknown_model",
      message: 'Cannot find model "tiny.g": it is not in the repository, did you mean "tiny.f"?',
    };
    await expect(engine.unload("tiny.g")).rejects.toMatchObject(unknown);
    await expect(engine.load("tiny.g")).rejects.toMatchObject(unknown);
    await expect(engine.load("tiny.f.f")).rejects.toMatchObject({ status: 404 });
    await expect(engine.unload("tiny.")).rejects.toMatchObject({ status: 404 });
    expect(valuesOf(await infer(vector(2)))).toEqual([2]);
    expect(engine.workerPids).toEqual(pids);

    await engine.unload("tiny.f");
    await expect(engine.load("tiny.g"), "known from the folder while it is not served").rejects.toMatchObject(unknown);
    expect(engine.served()).toEqual([]);
    await replaceBundle(repository, { g: f("Neg") });
    await engine.load("tiny.g");
    expect(valuesOf(await infer(vector(2), "tiny.g"))).toEqual([-2]);
    await writeTinyBundle(path.join(repository, "late"), { arithmetic });
    await expect(engine.load("late.nosuch")).rejects.toMatchObject({ status: 404 });
    expect(engine.models(), "a refused name leaves no trace").toHaveLength(1);
    await engine.load("late.arithmetic");
    expect(engine.served().map(({ name }) => name)).toEqual(["tiny.g", "late.arithmetic"]);
  });

  test("refresh() serves a bundle that is new and drops one that is gone", async () => {
    const repository = await repositoryOf({ f: f("Identity") });
    await open(repository);
    await writeTinyBundle(path.join(repository, "late"), { arithmetic });
    await rm(path.join(repository, "tiny"), { recursive: true });
    await engine.refresh();
    expect(engine.served().map(({ name }) => name)).toEqual(["late.arithmetic"]);
    await expect(infer(vector(1))).rejects.toThrow("Its folder is gone");
  });
});

describe("a worker that is lost", () => {
  test.each([
    { model: "whose time is not known costs the one batch that it is given", timed: false, lost: 1 },
    { model: "known to be quick costs the batch at hand and the next one", timed: true, lost: 2 },
  ])("with a model $model a 503; its successor answers what waits, and the other instance goes on", async (each) => {
    await open(await repositoryOf({ f: f("Identity") }), { instances: 2, maxBatchRows: 1 });
    const changes: string[] = [];
    engine.events.on("worker", ({ change, batches }) => changes.push(`${change} ${batches}`));
    if (each.timed) await infer(vector(0));
    const [first, second] = engine.workerPids as [number, number];
    for (const pid of [first, second]) process.kill(pid, "SIGSTOP"); // they hold what they are given
    const answers = [1, 2, 3, 4, 5].map((value) =>
      infer(vector(value)).then(valuesOf, (error: { code: string }) => error.code),
    );
    await sleep(50);
    process.kill(first, "SIGKILL");
    expect(await Promise.race(answers)).toBe("worker_lost");
    process.kill(second, "SIGCONT");
    const settled = await Promise.all(answers);
    expect(settled.filter((answer) => answer === "worker_lost")).toHaveLength(each.lost);
    expect(settled.filter((answer) => answer !== "worker_lost").flat()).toHaveLength(5 - each.lost);
    while (engine.workerPids.length < 2) await sleep(20);
    expect(changes).toEqual([`lost ${each.lost}`, "started 0"]);
    expect(engine.ready).toBe(true);
  });
});

describe("a deadline and a client that goes", () => {
  test("end a request at once, also while a worker that hangs computes it", async () => {
    await open(await repositoryOf({ f: f("Identity") }), { timeoutMs: 80 });
    const [pid] = engine.workerPids as [number];
    process.kill(pid, "SIGSTOP");
    const client = new AbortController();
    const gone = infer(vector(1), "tiny.f", client.signal).catch((error: { status: number }) => error.status);
    const late = infer(vector(2)).catch((error: { status: number }) => error.status);
    client.abort();
    expect(await gone).toBe(499);
    expect(await late).toBe(504);
    process.kill(pid, "SIGCONT");
    const statistics = engine.statistics();
    expect(statistics).toMatchObject([{ pending: 0, outcomes: { timeout: 1, cancelled: 1 } }]);
  });
});

test("a deadline that lies years ahead is waited for in steps that a timer of Node can take", async () => {
  await open(await repositoryOf({ f: f("Identity") }));
  const [pid] = engine.workerPids as [number];
  process.kill(pid, "SIGSTOP");
  const real = setTimeout;
  const waits: number[] = [];
  // Long waits end at once: weeks have gone by, and the deadline has not come.
  const hurried = (run: () => void, ms = 0) => real(run, ms > 1e9 && waits.push(ms) < 4 ? 0 : ms);
  const timers = vi.spyOn(globalThis, "setTimeout").mockImplementation(hurried as typeof setTimeout);
  // The largest timeout that a request of the protocol can name, microseconds.
  const answer = engine.infer({ model: "tiny.f", inputs: { x: vector(2) }, timeoutMs: Number.MAX_SAFE_INTEGER / 1000 });
  while (waits.length < 4) await sleep(1);
  timers.mockRestore();
  process.kill(pid, "SIGCONT");
  expect(valuesOf(await answer)).toEqual([2]);
  expect(waits).toEqual(new Array(4).fill(2 ** 31 - 1));
});

/**
 * Largest difference that a row's companions may make, over the largest value of the output. On x86-64 with AVX-512 it is
 * 0: the answers are equal bit for bit, with one thread and with two. A library built for another processor may sum
 * matrix products of another height in another order.
 */
const tolerance = 1e-6;

test("a row's answer does not depend on the batch it rode in, on a trained model", async () => {
  await open("models/rotated-mnist", { maxBatchRows: 64 });
  const random = stream(5, "rows");
  const image = (): HostTensor => ({
    dtype: "uint8",
    shape: [1, 32, 32, 1],
    data: Uint8Array.from({ length: 1024 }, () => random.integer(256)),
  });
  const pairs = Array.from({ length: 64 }, () => ({ view_1: image(), view_2: image() }));
  const ask = (index: number) => engine.infer({ model: "encode", inputs: pairs[index]! });
  const alone: InferenceAnswer[] = [];
  for (const index of [0, 1, 2, 3]) alone.push(await ask(index));
  for (const size of [2, 5, 16, 33, 64]) {
    // The four rows ride at both ends of a batch of this size.
    const order = Array.from({ length: size }, (_, at) => (at % 2 === 0 ? at : size - at));
    const answers = await Promise.all(order.map(ask));
    expect(answers[0]!.timing.batchRows, "they rode together").toBe(size);
    for (const [at, index] of order.entries()) {
      const reference = alone[index];
      if (reference === undefined) continue;
      for (const [name, { data }] of Object.entries(reference.outputs)) {
        const wanted = data as Float32Array;
        const got = answers[at]!.outputs[name]!.data as Float32Array;
        const scale = Math.max(...wanted.map(Math.abs), 1);
        for (const [i, value] of wanted.entries()) {
          expect(Math.abs(got[i]! - value) / scale, `${name} in a batch of ${size}`).toBeLessThanOrEqual(tolerance);
        }
      }
    }
  }
});

test("copies of a bundle keep apart", async () => {
  const repository = await repositoryOf({ f: f("Identity") });
  await cp(path.join(repository, "tiny"), path.join(repository, "renamed"), { recursive: true });
  await open(repository);
  expect(engine.models()).toMatchObject([
    { name: "tiny.f", status: "READY" },
    {
      name: "renamed",
      version: "",
      status: "UNAVAILABLE",
      reason: expect.stringContaining("must be that of its folder"),
    },
  ]);
  expect(engine.ready).toBe(true);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
