import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { placeOf } from "../../../serve/score/place.ts";
import { runScore } from "../../../serve/score/run-score.ts";
import { indexLines } from "../../../serve/score/tables/lines.ts";
import { openTable } from "../../../serve/score/tables/open-table.ts";
import { toFloat } from "../tiny-bundle.ts";
import {
  arithmeticBundle,
  someRows,
  writeAnnData,
  writeArchive,
  writeArray,
  writeArrow,
  writeCsv,
  writeHdf5,
  writeJsonl,
  writeParquet,
} from "./datasets.ts";
import { bundleOf, jsonLines, scored } from "./scored.ts";

const rows = someRows(1234);
let folder: string;
let bundle: string;
let expected: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-inputs-"));
  bundle = await arithmeticBundle(folder);
  const lines = Array.from({ length: rows.count }, (_, row) => {
    const values = (of: (l: number, r: number) => number): number[] =>
      [2 * row, 2 * row + 1].map((i) => of(rows.left[i]!, rows.right[i]!));
    return `{"id":${row},"sum":${JSON.stringify(values((l, r) => l + r))},"product":${JSON.stringify(values((l, r) => l * r))}}\n`;
  });
  expected = lines.join("");
});

type Form = [name: string, write: () => Promise<string | string[]>, inputs: Record<string, string>];

// biome-ignore format: a table
const forms: Form[] = [
  ["npz", () => writeArchive(path.join(folder, "a.npz"), rows), {}],
  ["two npy files", async () => [await writeArray(path.join(folder, "left.npy"), rows.left), await writeArray(path.join(folder, "right.npy"), rows.right)], {}],
  ["Parquet", () => writeParquet(path.join(folder, "a.parquet"), rows), {}],
  ["an Arrow file", () => writeArrow(path.join(folder, "a.arrow"), rows, "file"), {}],
  ["an Arrow stream", () => writeArrow(path.join(folder, "b.arrow"), rows, "stream"), {}],
  ["JSONL", () => writeJsonl(path.join(folder, "a.jsonl"), rows), {}],
  ["CSV", () => writeCsv(path.join(folder, "a.csv"), rows), { left: "l_*", right: "r_*" }],
  ["HDF5", () => writeHdf5(path.join(folder, "a.h5"), rows), {}],
];

test.each(forms)("%s: every row's sum and product, in order", async (name, write, inputs) => {
  const sources = [await write()].flat().map((file) => ({ name: undefined, path: file }));
  const place = placeOf(path.join(folder, `${name.replaceAll(" ", "-")}.jsonl`), {
    task: "arithmetic",
    format: undefined,
  });
  const request = {
    bundle,
    task: "arithmetic",
    sources,
    mapping: { inputs },
    device: "cpu",
    batch: 100,
    partRows: 500,
    seed: 0,
    partial: false,
    resize: false,
  } as const;
  const { manifest } = await runScore(request, place, { threads: 1, hash: false });
  expect(manifest?.rows).toEqual({ read: 1234, written: 1234, rejected: 0 });
  const actual = (await readFile(place.file, "utf8")).replaceAll("-0,", "0,").replaceAll("-0]", "0]");
  expect(actual).toBe(expected.replaceAll("-0,", "0,").replaceAll("-0]", "0]"));
});

test("AnnData: a sparse X and an array of obsm, rows called by the index of obs", async () => {
  const few = someRows(20);
  for (const empty of [0, 6, 7, 39]) few.left[empty] = 0; // row 3 has nothing stored
  const from = [await writeAnnData(path.join(folder, "cells.h5ad"), few)];
  const mapping = { inputs: { left: "X", right: "obsm/protein" } };
  const { place } = await scored(path.join(folder, "cells.jsonl"), { bundle, task: "arithmetic", from, mapping });
  const expected = Array.from({ length: 20 }, (_, row) => ({
    id: `cell-${row}`,
    sum: [2 * row, 2 * row + 1].map((i) => few.left[i]! + few.right[i]!),
    product: [2 * row, 2 * row + 1].map((i) => few.left[i]! * few.right[i]! + 0),
  }));
  expect(await jsonLines(place.file)).toEqual(expected);
});

test.each(["-idx3-ubyte", "-idx3-ubyte.gz"])("IDX, called rows%s: every value of every row", async (ending) => {
  const values = Uint8Array.from({ length: 8 * 6 }, (_, i) => (i * 37) % 256);
  const bytes = Buffer.from([0, 0, 8, 3, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 3, ...values]);
  const file = path.join(folder, `rows${ending}`);
  await writeFile(file, ending.endsWith(".gz") ? gzipSync(bytes) : bytes);
  const own = await bundleOf(folder, { toFloat });
  const { place } = await scored(`${file}.jsonl`, { bundle: own, task: "toFloat", from: [file] });
  const rows = await jsonLines(place.file);
  expect(rows.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(rows.flatMap(({ pixels }) => (pixels as number[][]).flat())).toEqual([...values]);
});

test.each(["npz", "IDX, packed"])(
  "%s: values that do not fit their checksum are a damaged file, not other figures",
  async (form) => {
    const isZip = form === "npz";
    const file = path.join(folder, isZip ? "damaged.npz" : "damaged-idx3-ubyte.gz");
    const many = someRows(3000);
    const idx = Buffer.from([0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 3, ...new Uint8Array(256 * 6)]);
    if (isZip) await writeArchive(file, many);
    else await writeFile(file, gzipSync(idx, { level: 0 })); // stored blocks: any byte unpacks
    const bytes = await readFile(file);
    // Of the archive its checksum, which must fit as well.
    const at = isZip ? bytes.indexOf("PK\x01\x02") + 16 : bytes.length - 100;
    bytes[at] = bytes[at]! ^ 1;
    await writeFile(file, bytes);
    const own = isZip
      ? { bundle, task: "arithmetic" }
      : { bundle: await bundleOf(folder, { toFloat }), task: "toFloat" };
    await expect(scored(`${file}.jsonl`, { ...own, from: [file] })).rejects.toThrow("the file is damaged");
  },
);

test("ids of 64 bits without a sign stay what they are, as text, beyond what a signed number holds", async () => {
  const key = BigUint64Array.of(1n, 2n ** 63n, 2n ** 64n - 1n);
  const few = someRows(3);
  const arrow = await import("apache-arrow");
  const columns = Object.fromEntries(
    ["l_1", "l_2", "r_1", "r_2"].map((name, k) => [
      name,
      (k < 2 ? few.left : few.right).filter((_, i) => i % 2 === k % 2),
    ]),
  );
  const file = path.join(folder, "unsigned.arrow");
  await writeFile(file, arrow.tableToIPC(arrow.tableFromArrays({ key, ...columns }), "file"));
  const mapping = { id: "key", inputs: { left: "l_*", right: "r_*" } };
  const { place } = await scored(path.join(folder, "unsigned.jsonl"), {
    bundle,
    task: "arithmetic",
    from: [file],
    mapping,
  });
  expect((await jsonLines(place.file)).map(({ id }) => id)).toEqual([
    "1",
    "9223372036854775808",
    "18446744073709551615",
  ]);
});

test("CSV whose lines end in different ways has the rows that its lines say", async () => {
  const file = path.join(folder, "mixed.csv");
  await writeFile(file, "key,l_1,l_2,r_1,r_2\r\na,1,2,3,4\nb,5,6,7,8\r\nc,1,1,1,1\n");
  const mapping = { id: "key", inputs: { left: "l_*", right: "r_*" } };
  const { place } = await scored(path.join(folder, "mixed.jsonl"), {
    bundle,
    task: "arithmetic",
    from: [file],
    mapping,
  });
  expect(await jsonLines(place.file)).toEqual([
    { id: "a", sum: [4, 6], product: [3, 8] },
    { id: "b", sum: [12, 14], product: [35, 48] },
    { id: "c", sum: [2, 2], product: [1, 1] },
  ]);
});

test("a JSONL file may begin with a byte order mark", async () => {
  const file = path.join(folder, "marked.jsonl");
  await writeFile(file, `\uFEFF${JSON.stringify({ left: [1, 2], right: [3, 4] })}\n`);
  const { manifest } = await scored(path.join(folder, "marked-out.jsonl"), {
    bundle,
    task: "arithmetic",
    from: [file],
  });
  expect(manifest?.rows).toEqual({ read: 1, written: 1, rejected: 0 });
});

test("long lines of text are held a few MiB at a time, however many make a thousand", async () => {
  const line = Buffer.from(`${"x".repeat(999_999)}\n`);
  const bytes = {
    label: "long",
    async read(start: number, length: number, target = new Uint8Array(length)) {
      for (let i = 0; i < length; i++) target[i] = line[(start + i) % line.length]!;
      return target.subarray(0, length);
    },
    close: async () => undefined,
  };
  const { offsets, starts } = await indexLines(bytes, { size: 50 * line.length, quoted: false });
  expect(starts.at(-1)).toBe(50);
  expect(offsets.at(-1)).toBe(50 * line.length);
  const longest = Math.max(...offsets.slice(1).map((end, k) => end - offsets[k]!));
  expect(longest).toBeLessThanOrEqual(6 << 20);
});

test("an empty Arrow file is an error that says so", async () => {
  const file = path.join(folder, "empty.arrow");
  await writeFile(file, "");
  await expect(openTable(file)).rejects.toThrow(
    `Cannot score "${file}": it must be a whole Arrow IPC file, got: no schema`,
  );
});
