import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpz } from "../../../files/npz.ts";
import { bundleOf, encoders, jsonLines, scored, type Wanted } from "./scored.ts";

/** Two sources, joined by id, each with rows that the other lacks. */

let folder: string;
let request: Omit<Wanted, "partial">;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-partial-"));
  // Row k of a view is [k, k / 2] of the left and [100 k, 0] of the right.
  const array = (ids: readonly number[], of: (id: number) => number[]) => {
    const data = Float32Array.from(ids.flatMap(of));
    return { dtype: "float32", shape: [ids.length, 2], data } as const;
  };
  const ids = (values: readonly number[]) => {
    return { dtype: "int32", shape: [values.length], data: Int32Array.from(values) } as const;
  };
  const [left, right] = [
    [0, 1, 2, 3, 5, 7],
    [7, 6, 2, 1, 0, 8],
  ];
  await writeFile(
    path.join(folder, "left.npz"),
    writeNpz({ key: ids(left!), view_1: array(left!, (k) => [k, k / 2]) }),
  );
  await writeFile(
    path.join(folder, "right.npz"),
    writeNpz({ key: ids(right!), view_2: array(right!, (k) => [100 * k, 0]) }),
  );
  request = {
    bundle: await bundleOf(folder, encoders),
    task: "encode",
    from: ["left.npz", "right.npz"].map((name) => path.join(folder, name)),
    mapping: { id: "key", inputs: {} },
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const both = (id: number) => ({
  id,
  has_view_1: true,
  has_view_2: true,
  common: [101 * id, id / 2],
  unique_1: [id, id / 2],
  unique_2: [100 * id, 0],
});
const leftOnly = (id: number) => ({
  ...both(id),
  has_view_2: false,
  common: [id, id / 2],
  unique_2: null,
});
const rightOnly = (id: number) => ({ ...both(id), has_view_1: false, common: [100 * id, 0], unique_1: null });

test("rows that lack a view are rejected, in the order of the first source and then of what only the second has", async () => {
  const { place } = await scored(path.join(folder, "joined.jsonl"), request);
  expect(await jsonLines(place.file)).toEqual([both(0), both(1), both(2), both(7)]);
  expect(await jsonLines(place.rejects)).toEqual([
    { row: 3, id: 3, reason: '"view_2" is missing' },
    { row: 4, id: 5, reason: '"view_2" is missing' },
    { row: 6, id: 6, reason: '"view_1" is missing' },
    { row: 7, id: 8, reason: '"view_1" is missing' },
  ]);
});

test("--partial answers them by the task of the view they have, and columns say which views were there", async () => {
  const { place, manifest } = await scored(path.join(folder, "partial.jsonl"), { ...request, partial: true });
  expect(await jsonLines(place.file)).toEqual([
    both(0),
    both(1),
    both(2),
    leftOnly(3),
    leftOnly(5),
    both(7),
    rightOnly(6),
    rightOnly(8),
  ]);
  expect(manifest?.rows.rejected).toBe(0);
});

test("a task of one view says which rows had the other", async () => {
  const { place } = await scored(path.join(folder, "one.jsonl"), { ...request, task: "encode_2" });
  const rows = (await jsonLines(place.file)).map(({ id, has_view_1, common }) => [id, has_view_1, common]);
  expect(rows).toEqual([0, 1, 2, 7, 6, 8].map((id) => [id, id !== 6 && id !== 8, [100 * id, 0]]));
});

test("an id that occurs twice, a source without ids and a task without stand-ins are errors that say so", async () => {
  const refused = (change: Partial<Wanted>) => scored(path.join(folder, "never.jsonl"), { ...request, ...change });
  const [left, right] = request.from as [string, string];
  const twice = path.join(folder, "twice.csv");
  await writeFile(twice, "key,a,b\n1,2,3\n1,4,5\n");
  const mapping = { id: "key", inputs: { view_2: ["a", "b"] } };
  await expect(refused({ from: [left, twice], mapping })).rejects.toThrow(
    `Cannot join ${twice}: every row must have an id of its own, got "1" twice, in row 1 again`,
  );
  await expect(refused({ mapping: { id: "kex", inputs: {} } })).rejects.toThrow(
    `Cannot join ${left}: the id must be a column of it, got "kex" and columns key, view_1`,
  );
  await writeFile(twice, "key,a,b\n1,2,3\n2,4,5\n");
  await expect(refused({ from: [right, twice], mapping: { inputs: { view_1: ["a", "b"] } } })).rejects.toThrow(
    "without ids they must have equally many rows, got 2 and 6",
  );
  await expect(refused({ task: "encode_1", partial: true })).rejects.toThrow("--partial needs tasks of one view");
});
