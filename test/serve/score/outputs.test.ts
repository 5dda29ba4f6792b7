import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNpz } from "../../../files/npz.ts";
import { bundleOf, encoders, jsonLines, scored, type Wanted } from "./scored.ts";

/** Every format, read back by a reader that is not its writer, holds what the JSON Lines of the same run hold. */

interface Row {
  readonly id: number | string;
  readonly has_view_1: boolean;
  readonly has_view_2: boolean;
  readonly common: readonly number[];
  readonly unique_1: readonly number[] | null;
  readonly unique_2: readonly number[] | null;
}

const tensors = ["common", "unique_1", "unique_2"] as const;
const masks = ["has_view_1", "has_view_2"] as const;
let folder: string;
let request: Omit<Wanted, "from">;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-outputs-"));
  const bundle = await bundleOf(folder, encoders);
  request = { bundle, task: "encode", partial: true, mapping: { id: "key", inputs: {} } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Thirteen rows of which 3 and 7 lack one view, and 8 both, so that it is rejected. */
async function rowsOf(name: string, key: (row: number) => number | string): Promise<string> {
  const rows = Array.from({ length: 13 }, (_, row) => ({
    key: key(row),
    view_1: row === 3 || row === 8 ? null : [row / 8, -row],
    view_2: row === 7 || row === 8 ? null : [row * 1000.5, 0.1],
  }));
  await writeFile(path.join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path.join(folder, name);
}

const text = (row: number): string => (row % 2 === 0 ? "é😀" : "b") + "x".repeat(row);

async function both(format: string, ids: "text" | "numbers"): Promise<{ file: string; rows: Row[] }> {
  const from = [await rowsOf(`${ids}.jsonl`, text)];
  const change = ids === "text" ? {} : { mapping: { inputs: {} } };
  const run = async (ending: string) => {
    const { place, manifest } = await scored(path.join(folder, `${ids}-of-${format}.${ending}`), {
      ...request,
      ...change,
      from,
    });
    expect(manifest?.rows).toEqual({ read: 13, written: 12, rejected: 1 });
    return place.file;
  };
  return { file: await run(format), rows: (await jsonLines(await run("jsonl"))) as unknown as Row[] };
}

test.each(["text", "numbers"] as const)(
  "Parquet, ids are %s: a column a component, null where a view was missing",
  async (ids) => {
    const { parquetReadObjects, asyncBufferFromFile } = await import("hyparquet");
    const { file, rows } = await both("parquet", ids);
    const read = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
    const expected = rows.map(({ id, ...row }) => ({
      id: typeof id === "number" ? BigInt(id) : id,
      has_view_1: row.has_view_1,
      has_view_2: row.has_view_2,
      ...Object.fromEntries(tensors.flatMap((name) => [0, 1].map((k) => [`${name}_${k}`, row[name]?.[k] ?? null]))),
    }));
    expect(read).toEqual(expected);
  },
);

test.each(["text", "numbers"] as const)(
  "Arrow, ids are %s: fixed-size lists, null where a view was missing",
  async (ids) => {
    const { tableFromIPC } = await import("apache-arrow");
    const { file, rows } = await both("arrow", ids);
    const table = tableFromIPC(await readFile(file));
    expect(table.schema.fields.find(({ name }) => name === "common")?.metadata.get("shape")).toBe("[2]");
    expect(table.numRows).toBe(rows.length);
    for (const [at, row] of rows.entries()) {
      const read = table.get(at)!.toJSON() as Record<string, unknown>;
      expect(read.id).toEqual(typeof row.id === "number" ? BigInt(row.id) : row.id);
      for (const name of masks) expect(read[name], `row ${at}`).toBe(row[name]);
      for (const name of tensors) {
        const list = read[name] as Iterable<number> | null;
        expect(list === null ? null : [...list], `row ${at}`).toEqual(row[name]);
      }
    }
  },
);

test.each(["text", "numbers"] as const)("npz, ids are %s: arrays, NaN where a view was missing", async (ids) => {
  const { file, rows } = await both("npz", ids);
  const archive = openNpz(file);
  for (const name of tensors) {
    const { shape, data } = archive.read(name);
    expect(shape).toEqual([rows.length, 2]);
    expect(Array.from(data, Number)).toEqual(rows.flatMap((row) => row[name] ?? [Number.NaN, Number.NaN]));
  }
  for (const name of masks) {
    expect(Array.from(archive.read(name).data, Boolean)).toEqual(rows.map((row) => row[name]));
  }
  if (ids === "numbers") expect(Array.from(archive.read("id").data, Number)).toEqual(rows.map(({ id }) => id));
  else expect(textIds(await readFile(file))).toEqual(rows.map(({ id }) => id));
});

/** NumPy's `<U`: as many code points a row as the longest has, the others filled up with zeros. */
function textIds(archive: Uint8Array): string[] {
  const bytes = Buffer.from(unzipSync(archive)["id.npy"]!);
  const start = 10 + bytes.readUInt16LE(8);
  const [, width, rows] = /<U(\d+)'.*\((\d+),\)/.exec(bytes.toString("latin1", 0, start))!.map(Number);
  return Array.from({ length: rows! }, (_, row) => {
    const points = Array.from({ length: width! }, (_, k) => bytes.readUInt32LE(start + 4 * (row * width! + k)));
    return String.fromCodePoint(...points.filter((point) => point !== 0));
  });
}
