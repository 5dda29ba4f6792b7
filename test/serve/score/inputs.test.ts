import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import { placeOf } from "../../../serve/score/place.ts";
import { runScore } from "../../../serve/score/run-score.ts";
import {
  arithmeticBundle,
  someRows,
  writeArchive,
  writeArray,
  writeArrow,
  writeCsv,
  writeHdf5,
  writeJsonl,
  writeParquet,
} from "./datasets.ts";

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
