import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OutputFile } from "../../../serve/score/formats/output-file.ts";
import { mergeRun } from "../../../serve/score/run-score.ts";
import { arithmeticBundle, someRows, writeJsonl } from "./datasets.ts";
import { scored } from "./scored.ts";

/** What lies at --out belongs to somebody: nothing goes that no run has made, and no result before its successor can be. */

let folder: string;
let source: string;
let request: { bundle: string; task: string; from: [string] };
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-destination-"));
  source = await writeJsonl(path.join(folder, "rows.jsonl"), someRows(12));
  request = { bundle: await arithmeticBundle(folder), task: "arithmetic", from: [source] };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]): string => path.join(folder, ...names);

test("--overwrite for a request that cannot be met leaves the earlier result where it is", async () => {
  await scored(at("kept.jsonl"), request);
  const before = await readFile(at("kept.jsonl"), "utf8");
  const typo = { ...request, task: "arithmetics" };
  await expect(scored(at("kept.jsonl"), typo, { overwrite: true })).rejects.toThrow('did you mean "arithmetic"');
  expect(await readFile(at("kept.jsonl"), "utf8")).toBe(before);
  expect(existsSync(at("kept.jsonl.manifest.json"))).toBe(true);
});

test("an output that is an input, through a link too, is refused with --overwrite and without", async () => {
  const before = await readFile(source, "utf8");
  await symlink(source, at("link.jsonl"));
  for (const overwrite of [false, true]) {
    for (const out of [source, at("link.jsonl")]) {
      await expect(scored(out, request, { overwrite })).rejects.toThrow(
        `Cannot score: --out must not replace an input, got "${source}"`,
      );
    }
  }
  expect(await readFile(source, "utf8")).toBe(before);
});

test("a file that no run has made is replaced with --overwrite only", async () => {
  await writeFile(at("notes.jsonl"), "mine");
  await expect(scored(at("notes.jsonl"), request)).rejects.toThrow(`"${at("notes.jsonl")}" is there`);
  expect(await readFile(at("notes.jsonl"), "utf8")).toBe("mine");
  expect(existsSync(at("notes.jsonl.parts"))).toBe(false);
  await scored(at("notes.jsonl"), request, { overwrite: true });
  expect(await readFile(at("notes.jsonl"), "utf8")).toContain('"product"');
});

test("a folder where the output should be is left alone, with --overwrite and without", async () => {
  await mkdir(at("of-spark.parquet"));
  await writeFile(at("of-spark.parquet/part-0"), "mine");
  for (const overwrite of [false, true]) {
    await expect(scored(at("of-spark.parquet"), request, { overwrite })).rejects.toThrow(
      "must be a file, got a folder",
    );
  }
  expect(await readdir(at("of-spark.parquet"))).toEqual(["part-0"]);
});

test("the manifest of something else, a bundle say, is not taken for that of a run", async () => {
  await mkdir(at("another"));
  await copyFile(path.join(request.bundle, "manifest.json"), at("another/manifest.json"));
  await expect(scored(at("another"), request)).rejects.toThrow("is there and is no score manifest");
});

test("a folder called parts that holds something else is left alone, with --overwrite and without", async () => {
  await mkdir(at("album/parts"), { recursive: true });
  await writeFile(at("album/parts/first.txt"), "mine");
  for (const overwrite of [false, true]) {
    await expect(scored(at("album"), request, { overwrite })).rejects.toThrow(
      `"${at("album/parts")}" must hold the parts of a run and nothing else, got "first.txt"`,
    );
  }
  expect(await readdir(at("album/parts"))).toEqual(["first.txt"]);
});

test("what a killed run was writing does not keep --resume from going on", async () => {
  const { place } = await scored(at("halfway.jsonl"), request, { shard: { index: 0, count: 2 } });
  await writeFile(path.join(place.work, ".1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed.tmp"), "half");
  const { manifest } = await scored(at("halfway.jsonl"), request, { resume: true });
  expect(manifest?.rows.written).toBe(12);
  expect(existsSync(place.work)).toBe(false);
});

test("--overwrite with --shard is refused, for it would take the other shards' parts away", async () => {
  await expect(scored(at("shared.jsonl"), request, { overwrite: true, shard: { index: 0, count: 2 } })).rejects.toThrow(
    "--shard and --overwrite exclude each other",
  );
});

test("a merge that was killed while it took the parts away is done when it is called again", async () => {
  const { place } = await scored(at("merged.jsonl"), request, { shard: { index: 0, count: 1 } });
  const plan = await readFile(path.join(place.work, "plan.json"));
  const manifest = await mergeRun(place, { hash: false });
  await mkdir(place.work);
  await writeFile(path.join(place.work, "plan.json"), plan); // it goes last
  expect(await mergeRun(place, { hash: false })).toEqual(manifest);
  expect(existsSync(place.work)).toBe(false);
});

test("what a killed run had put together lies among its parts, and goes with them", async () => {
  await mkdir(at("killed/parts"), { recursive: true });
  const output = await OutputFile.create(at("killed/codes.npz"), at("killed/parts"));
  await output.append(new Uint8Array(10));
  expect(await readdir(at("killed"))).toEqual(["parts"]);
  await output.commit();
  expect((await readdir(at("killed"))).sort()).toEqual(["codes.npz", "parts"]);
  expect(await readdir(at("killed/parts"))).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "a run whose device does not start leaves nothing that the next command would have to resume",
  async () => {
    process.env.VK_ICD_FILENAMES = "/nowhere/icd.json";
    try {
      await expect(scored(at("gpu.jsonl"), { ...request, device: "webgpu" })).rejects.toMatchObject({
        code: "no_device",
      });
    } finally {
      delete process.env.VK_ICD_FILENAMES;
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("gpu."))).toEqual([]);
    await scored(at("gpu.jsonl"), request);
  },
);
