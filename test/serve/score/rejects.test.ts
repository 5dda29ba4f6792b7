import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arithmetic, identity, label, logarithm } from "../tiny-bundle.ts";
import { run } from "./command-line.ts";
import { bundleOf, jsonLines, scored } from "./scored.ts";

/** Every row of the input is either in the output or in `rejects.jsonl` with its reason. */

let folder: string;
let bundle: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-rejects-"));
  bundle = await bundleOf(folder, { arithmetic, logarithm, bytes: identity("uint8"), label });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);

async function lines(name: string, rows: readonly unknown[]): Promise<string> {
  const text = rows.map((row) => (typeof row === "string" ? row : JSON.stringify(row)));
  await writeFile(at(name), `${text.join("\n")}\n`);
  return at(name);
}

const good = { left: [1, 2], right: [3, 4] };

test("a bad row is named with its number, its id and why; the good ones around it are scored", async () => {
  const source = await lines("bad.jsonl", [
    { id: "a", ...good },
    { id: "b", ...good, right: [3, 4, 5] },
    { id: "c", left: [1, 2] },
    '{"id": "d", "left": [1, NaN]}',
    { id: "e", ...good, left: ["1", "x"] },
    { ...good },
    { id: "g", ...good, left: ["-inf", 0] },
    { id: "h", ...good, left: [1e39, 0] },
    { id: "i", ...good, left: [[1], [2, 3]] },
    { id: "j", left: ["NaN", 0], right: null },
    { id: "k", right: [3, 4], left: ["1", "2.5"] },
  ]);
  const request = { bundle, task: "arithmetic", from: [source], mapping: { id: "id", inputs: {} } };
  const { place, manifest, rows } = await scored(at("bad-out.jsonl"), request);
  expect(manifest?.rows).toEqual({ read: 11, written: 2, rejected: 9 });
  expect(rows.rejected).toBe(9);
  expect(await jsonLines(place.file)).toEqual([
    { id: "a", sum: [4, 6], product: [3, 8] },
    { id: "k", sum: [4, 6.5], product: [3, 10] },
  ]);
  expect(await jsonLines(place.rejects)).toEqual([
    { row: 1, id: "b", reason: '"right" must have shape [2], got [3]' },
    { row: 2, id: "c", reason: '"right" is missing' },
    { row: 3, id: null, reason: expect.stringContaining("the line must be JSON, got: ") },
    { row: 4, id: "e", reason: '"left" must hold numbers, got "x" at 1' },
    { row: 5, id: null, reason: "its id is missing" },
    { row: 6, id: "g", reason: '"left" must hold numbers, got "-inf" at 0' },
    { row: 7, id: "h", reason: '"left" must be a float32, got 1e+39 at 0' },
    { row: 8, id: "i", reason: '"left" must have shape [2], got rows of different lengths' },
    { row: 9, id: "j", reason: '"left" must be finite, got NaN at 0' },
  ]);
});

test("numbers that a whole type cannot hold, and outputs that are not finite, reject their row", async () => {
  const source = await lines("x.jsonl", [{ x: 1 }, { x: 256 }, { x: 0.5 }, { x: 0 }, { x: -1 }]);
  const bytes = await scored(at("bytes.jsonl"), { bundle, task: "bytes", from: [source] });
  expect(await jsonLines(bytes.place.rejects)).toEqual(
    [[1, 256] as const, [2, 0.5] as const, [4, -1] as const].map(([row, got]) => {
      return { row, id: row, reason: `"x" must hold whole numbers that fit uint8, got ${got}` };
    }),
  );
  const logs = await scored(at("logs.jsonl"), { bundle, task: "logarithm", from: [source] });
  expect(await jsonLines(logs.place.rejects)).toEqual([
    { row: 3, id: 3, reason: 'output "y" must be finite, got -Infinity' },
    { row: 4, id: 4, reason: 'output "y" must be finite, got NaN' },
  ]);
});

test("a label that is no class rejects its row", async () => {
  const source = await lines("labels.jsonl", [{ x: 9 }, { x: 10 }, { x: -1 }, { x: 0 }]);
  const { place } = await scored(at("labels-out.jsonl"), { bundle, task: "label", from: [source] });
  expect(await jsonLines(place.rejects)).toEqual([
    { row: 1, id: 1, reason: '"x" must be 0 .. 9, got 10' },
    { row: 2, id: 2, reason: '"x" must be 0 .. 9, got -1' },
  ]);
});

test("a run without bad rows takes the rejects of the run it replaces away", async () => {
  const bad = await lines("again.jsonl", [good, { left: [1] }]);
  const request = { bundle, task: "arithmetic", from: [bad] };
  const { place } = await scored(at("again-out.jsonl"), request);
  expect(existsSync(place.rejects)).toBe(true);
  await lines("again.jsonl", [good]);
  await scored(at("again-out.jsonl"), request, { overwrite: true });
  expect(existsSync(place.rejects)).toBe(false);
});

test("--max-bad is the most rejected rows, a number or a share, that are no failure", async () => {
  const source = await lines("two-of-eight.jsonl", [good, good, {}, good, good, {}, good, good]);
  const flags = ["score", "--model", bundle, "--task", "arithmetic", "--in", source, "--threads", "1", "--no-hash"];
  const out = at("eighth.jsonl");
  const first = await run(...flags, "--out", out, "--quiet");
  expect(first).toMatchObject({ code: 1, stdout: "" });
  expect(first.stderr.trim()).toBe(
    `Cannot score all rows: at most 0 may be rejected (--max-bad), got 2; "${out}.rejects.jsonl" says why`,
  );
  // The rows are scored now: asked again, the answer follows the flag.
  const codes = await Promise.all(
    ["24%", "2"].map(
      async (most) => (await run(...flags, "--out", out, "--quiet", "--resume", "--max-bad", most)).code,
    ),
  );
  expect(codes).toEqual([1, 0]);
});

test("an input that --map names twice is refused by its name", async () => {
  const source = await lines("mapped.jsonl", [good]);
  const flags = ["score", "--model", bundle, "--task", "arithmetic", "--in", source, "--out", at("mapped-out.jsonl")];
  const { code, stderr } = await run(...flags, "--map", "left=left", "--map", "left=right");
  expect(code).toBe(2);
  expect(stderr.trim()).toBe('Cannot map columns: --map must name each input once, got "left" twice');
});

test("what does not fit the manifest is refused before the first row, with what is there and the nearest name", async () => {
  const source = await lines("named.jsonl", [{ lefd: [1, 2], right: [3, 4] }]);
  await writeFile(at("wide.csv"), "l_1,l_2,l_3,right\n1,2,3,4\n");
  const refused = async (inputs: Record<string, string>, from = source): Promise<string> => {
    const request = { bundle, task: "arithmetic", from: [from], mapping: { inputs } };
    const error: unknown = await scored(at("never.jsonl"), request).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "UsageError" });
    return (error as Error).message;
  };
  expect(await refused({})).toBe(
    'Cannot feed input "left" (rows of [2]): it must be a column, got lefd, right, did you mean "lefd"?; name one by --map left=COLUMN, or the source by --in left=PATH',
  );
  expect(await refused({ left: "lefdd" })).toBe(
    'Cannot map columns: column "lefdd" of input "left" must be one of lefd, right, did you mean "lefd"?',
  );
  expect(await refused({ lift: "lefd" })).toBe(
    'Cannot map columns: input "lift" must be one of left, right, did you mean "left"?',
  );
  expect(await refused({ left: "l_*" }, at("wide.csv"))).toBe(
    `Cannot feed input "left" from ${at("wide.csv")}: rows must have shape [2], got 3 columns`,
  );
  expect(existsSync(at("never.jsonl.parts"))).toBe(false);
});
