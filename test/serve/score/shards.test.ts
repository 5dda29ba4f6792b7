import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpz } from "../../../files/npz.ts";
import { stream } from "../../../information/random.ts";
import { placeOf } from "../../../serve/score/place.ts";
import type { ScoreRequest } from "../../../serve/score/plan.ts";
import { mergeRun, runScore } from "../../../serve/score/run-score.ts";
import { parseShard, partsOf } from "../../../serve/score/shards.ts";
import { startServer } from "../../../serve/start-server.ts";
import { typescriptOptions } from "../client.ts";

/** The published bundle on noise pictures: its numbers must not depend on how the rows were dealt out. */

process.env.NODE_OPTIONS = typescriptOptions; // for the server's worker process
const bundle = path.resolve(import.meta.dirname, "../../../models/rotated-mnist");
const count = 40;
let folder: string;
let pictures: { readonly view_1: Uint8Array<ArrayBuffer>; readonly view_2: Uint8Array<ArrayBuffer> };
let request: ScoreRequest;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-shards-"));
  const random = stream(3, "pictures");
  const draw = () => Uint8Array.from({ length: count * 1024 }, () => Math.max(0, random.integer(640) - 384));
  pictures = { view_1: draw(), view_2: draw() };
  const source = path.join(folder, "pictures.npz");
  const array = (data: Uint8Array<ArrayBuffer>) => ({ dtype: "uint8", shape: [count, 32, 32], data }) as const;
  await writeFile(source, writeNpz({ view_1: array(pictures.view_1), view_2: array(pictures.view_2) }));
  request = {
    bundle,
    task: "common_information",
    sources: [{ name: undefined, path: source }],
    mapping: { inputs: {} },
    device: "cpu",
    batch: 16,
    partRows: 10,
    seed: 5,
    partial: false,
    resize: false,
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function scored(name: string, change: Partial<ScoreRequest> = {}): Promise<string> {
  const place = placeOf(path.join(folder, name), { task: "task", format: undefined });
  await runScore({ ...request, ...change }, place, { threads: 1, hash: false });
  return readFile(place.file, "utf8");
}

test("any shard, made in any order, is a stretch of the parts, and their merge is the whole, byte for byte", async () => {
  const whole = await scored("whole.jsonl");
  const place = placeOf(path.join(folder, "merged.jsonl"), { task: "task", format: undefined });
  const all = { threads: 1, hash: false };
  await runScore(request, place, { ...all, shard: parseShard("2/3") });
  await expect(mergeRun(place)).rejects.toThrow(
    "all 4 parts must be there, got 2; the first that is missing is part 0",
  );
  await runScore(request, place, { ...all, shard: parseShard("0/3") });
  await runScore(request, place, { ...all, shard: parseShard("0/3") }); // again: nothing is done twice
  await runScore(request, place, { ...all, shard: parseShard("1/3") });
  expect((await mergeRun(place, { hash: false })).rows).toEqual({ read: 40, written: 40, rejected: 0 });
  expect(await readFile(place.file, "utf8")).toBe(whole);
});

test("every part is in exactly one shard, in order, whatever their numbers", () => {
  for (const parts of [0, 1, 7, 64]) {
    for (const shards of [1, 2, 5, 100]) {
      const dealt = Array.from({ length: shards }, (_, index) => partsOf({ index, count: shards }, parts)).flat();
      expect(dealt).toEqual(Array.from({ length: parts }, (_, k) => k));
    }
  }
  expect(() => parseShard("3/3")).toThrow('--shard must be i/n with i from 0 to n - 1, got "3/3"');
});

test("the same row has the same bits at any batch and part size", async () => {
  const whole = await scored("batch-16.jsonl");
  expect(await scored("batch-1.jsonl", { batch: 1, partRows: 7 })).toBe(whole);
  expect(await scored("batch-37.jsonl", { batch: 37, partRows: 100 })).toBe(whole);
});

test("noise belongs to the row: the same at any batch and part size, other for another seed", async () => {
  const task = { task: "conditional_1to2" } as const;
  const whole = await scored("noise.jsonl", task);
  expect(await scored("noise-7.jsonl", { ...task, batch: 7, partRows: 13 })).toBe(whole);
  expect(await scored("noise-6.jsonl", { ...task, seed: 6 })).not.toBe(whole);
});

test("the numbers are the server's, bit for bit", async () => {
  const rows = (await scored("as-server.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const server = await startServer({
    repository: bundle,
    port: 0,
    host: "127.0.0.1",
    device: "cpu",
    threads: 1,
  } as never);
  try {
    const chosen = [0, 1, 2, 17, 39];
    const input = (name: "view_1" | "view_2") => ({
      name,
      datatype: "UINT8",
      shape: [chosen.length, 32, 32, 1],
      data: chosen.flatMap((row) => Array.from(pictures[name].subarray(row * 1024, (row + 1) * 1024))),
    });
    const response = await fetch(`${server.url}/v2/models/rotated-mnist.common_information/infer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: [input("view_1"), input("view_2")] }),
    });
    const { outputs } = (await response.json()) as { outputs: { name: string; data: number[] }[] };
    for (const { name, data } of outputs) {
      expect(
        chosen.flatMap((row) => rows[row]![name]),
        name,
      ).toEqual(data.flat());
    }
    expect(outputs.length).toBe(6);
  } finally {
    await server.close();
  }
});
