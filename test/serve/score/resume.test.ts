import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stream } from "../../../information/random.ts";
import { ended, run, start } from "./command-line.ts";
import { arithmeticBundle, someRows, writeArchive, writeJsonl } from "./datasets.ts";

/** Real processes, killed by SIGKILL. The output must be byte for byte that of a run that nobody disturbed. */

let folder: string;
let flags: string[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-resume-"));
  const bundle = await arithmeticBundle(folder);
  const source = await writeArchive(path.join(folder, "rows.npz"), someRows(2400));
  flags = ["score", "--model", bundle, "--task", "arithmetic", "--in", source];
  flags.push("--part-rows", "60", "--batch", "20", "--threads", "1", "--quiet");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Waits until so many files of the run are there, or the process has ended. */
async function untilParts(work: string, count: number, child: { exitCode: number | null }): Promise<void> {
  while (child.exitCode === null) {
    const names = await readdir(work).catch(() => [] as string[]);
    if (names.filter((name) => name.startsWith("part-")).length >= count) return;
    await sleep(2);
  }
}

test("a run killed again and again at random points ends with the bytes of an undisturbed one", async () => {
  const whole = path.join(folder, "whole.parquet");
  expect(await run(...flags, "--out", whole)).toMatchObject({ code: 0 });
  const random = stream(7, "kills");
  const out = path.join(folder, "killed.parquet");
  let kills = 0;
  for (let attempt = 0; !existsSync(`${out}.manifest.json`); attempt++) {
    expect(attempt, "attempts").toBeLessThan(30);
    const child = start(...flags, "--out", out, ...(existsSync(`${out}.parts/plan.json`) ? ["--resume"] : []));
    const end = ended(child);
    const there = (await readdir(`${out}.parts`).catch(() => [] as string[])).length;
    // The last attempts are let through: what is tested is what the killed ones left behind.
    if (kills < 5) await untilParts(`${out}.parts`, there + random.integer(16), child);
    else await end;
    await sleep(random.integer(4));
    child.kill("SIGKILL");
    if ((await end).code === "SIGKILL") kills++;
  }
  expect(kills).toBeGreaterThanOrEqual(3);
  for (const ending of ["", ".manifest.json"]) {
    const [expected, actual] = await Promise.all([whole, out].map((file) => readFile(file + ending, "utf8")));
    expect(actual!.replaceAll("killed", "whole")).toBe(expected);
  }
  expect((await readdir(folder)).filter((name) => name.startsWith("killed")).sort()).toEqual([
    "killed.parquet",
    "killed.parquet.manifest.json",
  ]);
});

test("--resume of a finished run does nothing but find its output whole; without it what is there is never touched", async () => {
  const out = path.join(folder, "once.jsonl");
  expect((await run(...flags, "--out", out)).code).toBe(0);
  const before = await readFile(out, "utf8");
  expect(await run(...flags, "--out", out)).toMatchObject({ code: 2, stderr: expect.stringContaining("is there") });
  expect((await run(...flags, "--out", out, "--resume")).code).toBe(0);
  expect(await readFile(out, "utf8")).toBe(before);
  await appendFile(out, "more");
  expect(await run(...flags, "--out", out, "--resume")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`"${out}" is there and no longer what its manifest tells of: name another --out`),
  });
  expect(await readFile(out, "utf8")).toBe(`${before}more`);
});

test("--resume with other flags or other input is refused by name of what changed", async () => {
  const out = path.join(folder, "changed.jsonl");
  const source = await writeJsonl(path.join(folder, "changing.jsonl"), someRows(500));
  const own = [...flags.map((flag) => (flag.endsWith("rows.npz") ? source : flag)), "--out", out];
  const [, ...shard] = ["", "--shard", "0/2"];
  expect((await run(...own, ...shard)).code).toBe(0);
  expect(await run(...own, "--resume", "--batch", "60")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Cannot resume: the run must have batch 20 as it began, got 60"),
  });
  await writeJsonl(source, someRows(501));
  expect(await run(...own, "--resume")).toMatchObject({ code: 2, stderr: expect.stringContaining("rows 500") });
  expect(await run(...own)).toMatchObject({ code: 2, stderr: expect.stringContaining("unfinished run") });
});

test("merge takes --no-hash: the manifest has no SHA-256 of the inputs then", async () => {
  const out = path.join(folder, "unhashed.jsonl");
  expect((await run(...flags, "--out", out, "--shard", "0/1")).code).toBe(0);
  const { code, stdout } = await run("score", "merge", out, "--no-hash", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout).inputs).toEqual([
    { file: "rows.npz", bytes: expect.anything(), sample: expect.anything() },
  ]);
});

test("merge of what is merged says so and ends with 0, and refuses an output that has changed since", async () => {
  const codes = path.join(folder, "twice.jsonl");
  const album = path.join(folder, "twice");
  for (const [out, file] of [
    [codes, codes],
    [album, path.join(album, "arithmetic.parquet")],
  ] as const) {
    expect((await run(...flags, "--out", out, "--shard", "0/1")).code).toBe(0);
    expect((await run("score", "merge", out)).code).toBe(0);
    const again = await run("score", "merge", out);
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`"${file}" is there already, and complete`),
    });
    expect(again.stderr).toContain("2400 rows");
    await appendFile(file, "more");
    expect(await run("score", "merge", out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`"${file}" is not the output that its manifest tells of`),
    });
    await rm(file);
    expect((await run("score", "merge", out)).code).toBe(2);
  }
  expect(await run("score", "merge", path.join(folder, "bundle"))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("it must be the --out of shards, got no parts there"),
  });
});

test("a shard that is started again after the merge says that all is there and ends with 0, where nothing has changed", async () => {
  const out = path.join(folder, "late.jsonl");
  const shard = [...flags.filter((flag) => flag !== "--quiet"), "--out", out, "--shard", "1/2"];
  expect((await run(...flags, "--out", out, "--shard", "0/2")).code).toBe(0);
  expect((await run(...shard)).code).toBe(0);
  expect((await run("score", "merge", out)).code).toBe(0);
  const before = await readFile(out, "utf8");
  expect(await run(...shard)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`"${out}" is there already, and complete`),
  });
  expect(await readFile(out, "utf8")).toBe(before);
  expect(existsSync(`${out}.parts`)).toBe(false);
  expect((await run(...shard, "--batch", "30")).code).toBe(2); // of another plan
  await appendFile(out, "more");
  const remedy = `or remove it and "${out}.manifest.json"`; // --overwrite would take other shards' parts away
  expect(await run(...shard)).toMatchObject({ code: 2, stderr: expect.stringContaining(remedy) });
  expect((await run(...flags, "--out", out)).code).toBe(2); // of no shard
});

test("rows that are rejected do not fail a shard of what is merged: whose they were is not known any more", async () => {
  const source = await writeJsonl(path.join(folder, "bad-rows.jsonl"), someRows(100));
  await appendFile(source, '{"left":[1,2],"right":[3]}\n');
  const out = path.join(folder, "rejected.jsonl");
  const own = [...flags.map((flag) => (flag.endsWith("rows.npz") ? source : flag)), "--out", out];
  expect((await run(...own, "--shard", "0/2")).code).toBe(0);
  expect((await run(...own, "--shard", "1/2", "--max-bad", "1")).code).toBe(0);
  expect((await run("score", "merge", out)).code).toBe(0);
  expect((await run(...own, "--shard", "0/2")).code).toBe(0);
  expect((await run(...own, "--resume")).code).toBe(1); // the whole, which has one
});
