import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { createSession } from "../../runtime/create-session.ts";
import type { Manifest } from "../../schemas/manifest.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import { elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";

/** A bundle on the native runtime: what the page's numbers are checked against. */

const models = fileURLToPath(new URL("../../models", import.meta.url));

export interface NativeModel {
  readonly manifest: Manifest;
  /** Images of a view, and their labels, from the bundle's sample. */
  images(view: 1 | 2, pairs: readonly number[]): HostTensor;
  labels(view: 1 | 2, factor: string): Int32Array;
  /** Rows of a tensor of the bundle's sample. */
  rows(name: string, rows: readonly number[]): HostTensor;
  run(task: string, feeds: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
}

export function nativeModel(name: string): NativeModel {
  const folder = path.join(models, name);
  const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8")) as Manifest;
  const file = manifest.samples && gunzipSync(readFileSync(path.join(folder, manifest.samples.file)));
  const sample = file === undefined ? new Map<string, HostTensor>() : readSafetensors(file, "sample");
  return {
    manifest,
    images: (view, pairs) => takeRows(sample.get(`view_${view}`)!, pairs),
    rows: (name, rows) => takeRows(sample.get(name)!, rows),
    labels: (view, factor) => sample.get(`label_${view}/${factor}`)!.data as Int32Array,
    async run(task, feeds) {
      const bytes = new Uint8Array(readFileSync(path.join(folder, manifest.tasks[task]!.file)));
      const session = await createSession(bytes, { threads: 1 });
      try {
        return await session.run(feeds);
      } finally {
        await session.release();
      }
    },
  };
}

export function float32(shape: readonly number[], data: ArrayLike<number>): HostTensor {
  return { dtype: "float32", shape, data: Float32Array.from(data) };
}

function takeRows({ dtype, shape, data }: HostTensor, rows: readonly number[]): HostTensor {
  const size = elementCount(shape.slice(1));
  const picked = rows.flatMap((row) => Array.from(data.slice(row * size, (row + 1) * size), Number));
  const Data = data.constructor as new (values: readonly number[]) => TensorData;
  return { dtype, shape: [rows.length, ...shape.slice(1)], data: new Data(picked) };
}
