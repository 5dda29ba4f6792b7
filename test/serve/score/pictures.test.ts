import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { encode } from "fast-png";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPng } from "../../../files/png.ts";
import { placeOf } from "../../../serve/score/place.ts";
import { mergeRun } from "../../../serve/score/run-score.ts";
import type { TinyTask } from "../tiny-bundle.ts";
import { bundleOf, jsonLines, scored } from "./scored.ts";

/** Folders of pictures in, folders of pictures out. */

const toFloat = (from: string, to: string) => ({ op: "Cast", inputs: [from], outputs: [to], ints: { to: 1 } });
const picture = (name: string) => ({ name, dtype: "uint8", shape: [-1, 2, 3, 3] }) as const;
const floats = (name: string) => ({ name, dtype: "float32", shape: [-1, 2, 3, 3] }) as const;

const tasks: Readonly<Record<string, TinyTask>> = {
  /** `bright = sigmoid(view_1)`: 127.5, 186.4, 224.6, ... of 255. */
  brighten: {
    inputs: [picture("view_1")],
    outputs: [{ ...floats("bright"), unit: "intensity 0..1" }],
    nodes: [toFloat("view_1", "x"), { op: "Sigmoid", inputs: ["x"], outputs: ["bright"] }],
  },
  /** `sum = view_1 + view_2`. */
  add: {
    inputs: [picture("view_1"), picture("view_2")],
    outputs: [floats("sum")],
    nodes: [toFloat("view_1", "a"), toFloat("view_2", "b"), { op: "Add", inputs: ["a", "b"], outputs: ["sum"] }],
  },
};

const names = ["a", "b", "c d", "é", "z"];
let folder: string;
let bundle: string;

/** Pixel `i` of picture `k`. */
const pixel = (k: number, i: number): number => k + (i % 7);
const pixels = (k: number): Uint8Array => Uint8Array.from({ length: 18 }, (_, i) => pixel(k, i));

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-pictures-"));
  bundle = await bundleOf(folder, tasks);
  for (const view of ["view_1", "view_2"]) {
    await mkdir(path.join(folder, "photos", view), { recursive: true });
    for (const [k, name] of names.entries()) {
      if (view === "view_2" && name === "c d") continue;
      const data = pixels(view === "view_1" ? k : 100 * k);
      const bytes = encode({ width: 3, height: 2, channels: 3, depth: 8, data: data.map((value) => value % 250) });
      await writeFile(path.join(folder, "photos", view, `${name}.png`), bytes);
    }
  }
  await writeFile(path.join(folder, "photos", "view_1", "broken.png"), "no picture");
  const small = encode({ width: 2, height: 2, channels: 3, depth: 8, data: new Uint8Array(12) });
  await writeFile(path.join(folder, "photos", "view_1", "small.png"), small);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("pictures become pictures, called as they were, with a list of them; what they say can be read back", async () => {
  const out = path.join(folder, "bright");
  const wanted = { bundle, task: "brighten", from: [path.join(folder, "photos/view_1")], format: "png" };
  const { place, manifest } = await scored(out, wanted);
  expect(await jsonLines(place.rejects)).toEqual([
    { row: 2, id: "broken", reason: expect.stringContaining("it is no PNG file") },
    { row: 4, id: "small", reason: '"view_1" must have shape [2, 3, 3], got [2, 2, 3]' },
  ]);
  expect(manifest?.columns).toEqual({ view_1: "view_1: image" });
  const files = names.map((name) => `${name}.png`);
  expect((await readdir(path.join(out, "bright"))).sort()).toEqual([...files].sort());
  const listed = await jsonLines(place.file);
  expect(listed.map(({ id }) => id).sort()).toEqual([...names].sort());
  for (const [k, name] of names.entries()) {
    const file = listed.find(({ id }) => id === name)!.bright as string;
    expect(file).toBe(`bright/${files[k]}`);
    const { width, height, channels, data } = readPng(path.join(out, file));
    expect([width, height, channels]).toEqual([3, 2, 3]);
    const expected = Array.from({ length: 18 }, (_, i) => Math.round(255 / (1 + Math.exp(-pixel(k, i)))));
    expect([...data]).toEqual(expected);
  }
});

test("a folder of folders is one view a folder, joined by name; shards and their merge keep the views apart", async () => {
  const wanted = { bundle, task: "add", from: [path.join(folder, "photos")] };
  const { place, manifest } = await scored(path.join(folder, "sums.jsonl"), wanted);
  expect(manifest?.rows).toEqual({ read: 7, written: 4, rejected: 3 });
  expect((await jsonLines(place.rejects)).map(({ id, reason }) => [id, String(reason).slice(0, 20)])).toEqual([
    ["broken", "Cannot read PNG: it "],
    ["c d", '"view_2" is missing'],
    ["small", '"view_1" must have s'],
  ]);
  for (const { id, sum } of await jsonLines(place.file)) {
    const k = names.indexOf(id as string);
    const expected = Array.from(pixels(k), (value, i) => value + (pixels(100 * k)[i]! % 250));
    expect((sum as number[][][]).flat(2), String(id)).toEqual(expected);
  }
  const out = path.join(folder, "sharded.jsonl");
  for (const index of [1, 0]) await scored(out, wanted, { shard: { index, count: 2 } });
  const merged = await mergeRun(placeOf(out, { task: "add", format: undefined }), { hash: false });
  expect(merged.output.sha256).toBe(manifest?.output.sha256);
});

test("--format png of a task without pictures is refused", async () => {
  const from = [path.join(folder, "photos")];
  await expect(scored(path.join(folder, "none"), { bundle, task: "add", from, format: "png" })).rejects.toThrow(
    "Cannot score: --format png needs a task whose outputs are pictures, got sum [2, 3, 3]",
  );
});

test("a picture may have any name that its own file had: long, not Latin, with signs of its own", async () => {
  const own = ["写真".repeat(40), "100% & more", "..hidden"];
  await mkdir(path.join(folder, "named"));
  const bytes = encode({ width: 3, height: 2, channels: 3, depth: 8, data: pixels(1) });
  for (const name of own) await writeFile(path.join(folder, "named", `${name}.png`), bytes);
  const wanted = { bundle, task: "brighten", from: [path.join(folder, "named")], format: "png" };
  const { place } = await scored(path.join(folder, "named-out"), wanted);
  const listed = await jsonLines(place.file);
  expect(listed.map(({ id }) => id).sort()).toEqual([...own].sort());
  for (const { bright } of listed) {
    expect(readPng(path.join(folder, "named-out", bright as string))).toMatchObject({ width: 3, height: 2 });
  }
});

test("a folder of pictures stays one where a folder lies beside them", async () => {
  await mkdir(path.join(folder, "mixed", "old"), { recursive: true });
  const bytes = encode({ width: 3, height: 2, channels: 3, depth: 8, data: pixels(1) });
  await writeFile(path.join(folder, "mixed", "old", "a.png"), bytes);
  await writeFile(path.join(folder, "mixed", "b.png"), bytes);
  const wanted = { bundle, task: "brighten", from: [path.join(folder, "mixed")] };
  const { place } = await scored(path.join(folder, "mixed.jsonl"), wanted);
  expect((await jsonLines(place.file)).map(({ id }) => id)).toEqual(["b"]);
});

test("links to pictures and to folders of them are followed; one that leads nowhere is a rejected row", async () => {
  await mkdir(path.join(folder, "links"));
  await symlink(path.join(folder, "photos", "view_1"), path.join(folder, "links", "view_1"));
  await mkdir(path.join(folder, "linked"));
  await symlink(path.join(folder, "photos", "view_1", "a.png"), path.join(folder, "linked", "a.png"));
  await symlink(path.join(folder, "nowhere.png"), path.join(folder, "linked", "lost.png"));
  const task = { bundle, task: "brighten" };
  const whole = await scored(path.join(folder, "links.jsonl"), { ...task, from: [path.join(folder, "links")] });
  expect(whole.manifest?.rows).toEqual({ read: 7, written: 5, rejected: 2 });
  const { place } = await scored(path.join(folder, "linked.jsonl"), { ...task, from: [path.join(folder, "linked")] });
  expect((await jsonLines(place.file)).map(({ id }) => id)).toEqual(["a"]);
  expect(await jsonLines(place.rejects)).toMatchObject([
    { id: "lost", reason: expect.stringContaining("no such file") },
  ]);
});

test("two pictures of one name, whatever the case of its ending, are refused: one would replace the other", async () => {
  const twice = path.join(folder, "twice");
  await mkdir(twice);
  for (const name of ["a.PNG", "a.png"])
    await symlink(path.join(folder, "photos", "view_1", "a.png"), path.join(twice, name));
  const request = { bundle, task: "brighten", from: [twice], format: "png" } as const;
  await expect(scored(path.join(folder, "twice-out"), request)).rejects.toThrow('got two called "a"');
});

test("with --overwrite the pictures of an earlier run go, finished or not; what is not on its list stays", async () => {
  const request = { bundle, task: "brighten", from: [path.join(folder, "photos/view_2")], format: "png" } as const;
  const one = { ...request, from: [path.join(folder, "linked")] };
  const unfinished = { shard: { index: 0, count: 2 } };
  for (const [name, options] of [["finished", {}] as const, ["unfinished", unfinished] as const]) {
    const out = path.join(folder, name);
    const shown = async () => (await readdir(path.join(out, "bright"))).sort();
    await scored(out, { ...request, partRows: 1 }, options);
    expect(await shown()).toContain("b.png");
    await writeFile(path.join(out, "bright", "own.png"), "mine");
    await scored(out, one, { overwrite: true });
    expect(await shown()).toEqual(["a.png", "own.png"]);
  }
});

test("pictures that are read are not replaced by those that are made, and do not go with an earlier run's", async () => {
  const out = path.join(folder, "chained");
  const request = { bundle, task: "brighten", from: [path.join(folder, "photos/view_1")], format: "png" } as const;
  await scored(out, request);
  const before = await readdir(path.join(out, "bright"));
  const own = { ...request, from: [path.join(out, "bright")] };
  for (const overwrite of [false, true]) {
    await expect(scored(out, own, { overwrite })).rejects.toThrow("Cannot score: --out must not replace an input");
  }
  expect(await readdir(path.join(out, "bright"))).toEqual(before);
  await rename(path.join(out, "bright"), path.join(out, "first"));
  const list = await readFile(path.join(out, "pictures.jsonl"), "utf8");
  await writeFile(path.join(out, "pictures.jsonl"), `${list.replaceAll("bright", "first")}no list\n`);
  await scored(out, { ...request, from: [path.join(out, "first")] }, { overwrite: true });
  expect(await readdir(path.join(out, "first"))).toEqual(before);
});
