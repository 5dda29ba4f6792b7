import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { writeNpy } from "../../../files/npy.ts";
import { writeNpz } from "../../../files/npz.ts";
import { arithmetic, writeTinyBundle } from "../tiny-bundle.ts";

/** Rows of two vectors of two numbers, in every form that batch scoring reads. */
export interface Rows {
  readonly left: Float32Array<ArrayBuffer>;
  readonly right: Float32Array<ArrayBuffer>;
  readonly count: number;
}

/** Eighths, so that text holds them exactly and sums and products are exact too. */
export function someRows(count: number): Rows {
  const value = (k: number): number => (((k * 2654435761) >>> 8) % 2001) / 8 - 125;
  return {
    count,
    left: Float32Array.from({ length: 2 * count }, (_, i) => value(i)),
    right: Float32Array.from({ length: 2 * count }, (_, i) => value(i + 7919)),
  };
}

export async function arithmeticBundle(folder: string): Promise<string> {
  const bundle = path.join(folder, "tiny");
  await mkdir(bundle, { recursive: true });
  await writeTinyBundle(bundle, { arithmetic });
  return bundle;
}

const pair = (values: Float32Array, row: number): number[] => [values[2 * row]!, values[2 * row + 1]!];

export async function writeJsonl(file: string, { left, right, count }: Rows): Promise<string> {
  const lines = Array.from({ length: count }, (_, row) =>
    JSON.stringify({ left: pair(left, row), right: pair(right, row) }),
  );
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** Columns `l_1`, `l_2`, `r_1`, `r_2`. */
export async function writeCsv(file: string, { left, right, count }: Rows): Promise<string> {
  const lines = Array.from({ length: count }, (_, row) => [...pair(left, row), ...pair(right, row)].join(","));
  await writeFile(file, `l_1,l_2,"r_1",r_2\r\n${lines.join("\r\n")}`);
  return file;
}

export async function writeArchive(file: string, { left, right, count }: Rows): Promise<string> {
  const array = (data: Float32Array<ArrayBuffer>) => ({ dtype: "float32", shape: [count, 2], data }) as const;
  await writeFile(file, writeNpz({ left: array(left), right: array(right) }));
  return file;
}

export async function writeArray(file: string, data: Float32Array<ArrayBuffer>): Promise<string> {
  await writeFile(file, writeNpy({ dtype: "float32", shape: [data.length / 2, 2], data }));
  return file;
}

export async function writeParquet(file: string, { left, right, count }: Rows): Promise<string> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const lists = (data: Float32Array<ArrayBuffer>) => Array.from({ length: count }, (_, row) => pair(data, row));
  const list = (name: string) => [
    { name, repetition_type: "OPTIONAL" as const, num_children: 1, converted_type: "LIST" as const },
    { name: "list", repetition_type: "REPEATED" as const, num_children: 1 },
    { name: "element", repetition_type: "OPTIONAL" as const, type: "FLOAT" as const },
  ];
  const bytes = parquetWriteBuffer({
    schema: [{ name: "root", num_children: 2 }, ...list("left"), ...list("right")],
    columnData: [
      { name: "left", data: lists(left) },
      { name: "right", data: lists(right) },
    ],
    rowGroupSize: 100,
  });
  await writeFile(file, new Uint8Array(bytes));
  return file;
}

export async function writeArrow(file: string, rows: Rows, form: "file" | "stream"): Promise<string> {
  const arrow = await import("apache-arrow");
  const type = new arrow.FixedSizeList(2, new arrow.Field("item", new arrow.Float32()));
  const column = (data: Float32Array<ArrayBuffer>) =>
    new arrow.Vector([
      new arrow.Data(type, 0, data.length / 2, 0, {}, [
        new arrow.Data(new arrow.Float32(), 0, data.length, 0, { 1: data }),
      ]),
    ]);
  const batches = Array.from({ length: Math.ceil(rows.count / 100) }, (_, k) => {
    const part = (data: Float32Array<ArrayBuffer>) => column(data.slice(200 * k, 200 * (k + 1)));
    return new arrow.Table({ left: part(rows.left), right: part(rows.right) }).batches[0]!;
  });
  await writeFile(file, arrow.tableToIPC(new arrow.Table(batches), form));
  return file;
}

export async function writeHdf5(file: string, { left, right, count }: Rows): Promise<string> {
  const { File, ready } = await import("h5wasm/node");
  await ready;
  const handle = new File(file, "w");
  handle.create_dataset({ name: "left", data: left, shape: [count, 2], dtype: "<f" });
  handle.create_dataset({ name: "right", data: right, shape: [count, 2], dtype: "<f" });
  handle.close();
  return file;
}

/** An AnnData file: `left` as `X` in CSR, `right` in `obsm`, observations called `cell-0`, ... */
export async function writeAnnData(file: string, { left, right, count }: Rows): Promise<string> {
  const { File, ready } = await import("h5wasm/node");
  await ready;
  const stored = [...left.keys()].filter((i) => left[i] !== 0);
  const pointers = Array.from({ length: count + 1 }, (_, row) => stored.filter((i) => i < 2 * row).length);
  const handle = new File(file, "w");
  const matrix = handle.create_group("X");
  matrix.create_attribute("encoding-type", "csr_matrix");
  matrix.create_attribute("shape", new BigInt64Array([BigInt(count), 2n]));
  matrix.create_dataset({ name: "data", data: Float32Array.from(stored, (i) => left[i]!) });
  matrix.create_dataset({ name: "indices", data: Int32Array.from(stored, (i) => i % 2) });
  matrix.create_dataset({ name: "indptr", data: Int32Array.from(pointers) });
  const observations = handle.create_group("obs");
  observations.create_attribute("_index", "cell");
  observations.create_dataset({ name: "cell", data: Array.from({ length: count }, (_, row) => `cell-${row}`) });
  handle.create_group("obsm").create_dataset({ name: "protein", data: right, shape: [count, 2] });
  handle.close();
  return file;
}
