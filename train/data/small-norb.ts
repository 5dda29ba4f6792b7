import { existsSync } from "node:fs";
import path from "node:path";
import { readNorbMatrix } from "../../files/norb-matrix.ts";
import { sha256OfFile } from "../../files/sha256.ts";
import type { SmallNorbOptions } from "../../schemas/data.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type ImageStoreBuilder, plainImages } from "./image-store.ts";
import { createLanczos } from "./lanczos.ts";
import type { PairSource } from "./pair-source.ts";
import { singleFromRows } from "./single-view.ts";

const ACTION = `open data source "small-norb"`;
const SIDE = 96;
const CAMERAS = 2;
const BASES = {
  train: "smallnorb-5x46789x9x18x6x2x96x96-training",
  test: "smallnorb-5x01235x9x18x6x2x96x96-testing",
} as const;

/** Values of `info`'s columns after the instance, and how a label comes from one: azimuths are even numbers to 34. */
const FACTORS = [
  { name: "category", size: 5, step: 1 },
  { name: "elevation", size: 9, step: 1 },
  { name: "azimuth", size: 18, step: 2 },
  { name: "lighting", size: 6, step: 1 },
] as const;

/**
 * Single images of SmallNORB (LeCun et al. 2004): the left camera, made smaller with antialiasing as disentanglement_lib
 * does; both parts, 48,600 images, or one. Factors: category 5, elevation 9, azimuth 18, lighting 6. The ten instances of
 * a category are noise.
 *
 * @param dataDir folder of the `-dat.mat`, `-cat.mat` and `-info.mat` files, plain or gzip (`.mat.gz`)
 * @throws UsageError if a file is missing; FailureError if one is damaged or holds something else
 */
export function openSmallNorb({ size, split }: SmallNorbOptions, dataDir: string | undefined): PairSource {
  const parts = (split === "both" ? (["train", "test"] as const) : [split]).map((part) => ({
    images: fileOf(`${BASES[part]}-dat.mat`, dataDir),
    categories: fileOf(`${BASES[part]}-cat.mat`, dataDir),
    info: fileOf(`${BASES[part]}-info.mat`, dataDir),
  }));
  const labels = parts.map(readLabels);
  const count = labels.reduce((sum, { rows }) => sum + rows, 0);
  const builder = plainImages({ count, height: size, width: size, channels: 1 }, ACTION);
  for (const [i, { images }] of parts.entries()) addLeftImages(builder, images, { size, rows: labels[i]!.rows });
  const columns = FACTORS.map(({ name, size: values }, k) => {
    const classes = new Int32Array(count);
    let at = 0;
    for (const part of labels) {
      classes.set(part.columns[k]!, at);
      at += part.rows;
    }
    return { name, size: values, classes };
  });
  const files = parts.flatMap((part) => Object.values(part));
  return singleFromRows({
    name: "small-norb",
    summary: `SmallNORB ${size}x${size}, ${count} single images of the left camera (${split === "both" ? "training and testing" : split})`,
    images: builder.done(),
    columns,
    provenance: Object.fromEntries(files.map((file) => [path.basename(file), sha256OfFile(file, ACTION)])),
    action: ACTION,
  });
}

function fileOf(name: string, dataDir: string | undefined): string {
  if (dataDir === undefined) {
    throw new UsageError(`Cannot ${ACTION}: it needs "${name}", got no data folder: use \`--data DIR\``, {
      code: "no_data",
    });
  }
  const found = [name, `${name}.gz`].map((file) => path.join(dataDir, file)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UsageError(`Cannot ${ACTION}: it needs "${name}" or "${name}.gz", got neither in "${dataDir}"`, {
    code: "no_data",
  });
}

function readLabels({ categories, info }: { categories: string; info: string }): {
  rows: number;
  columns: readonly Int32Array[];
} {
  const category = readNorbMatrix(categories);
  const details = readNorbMatrix(info);
  const rows = category.shape[0] ?? 0;
  if (category.shape.length !== 1 || !(category.data instanceof Int32Array)) {
    throw bad(`"${categories}" must be int32 [images], got [${category.shape.join(", ")}]`);
  }
  if (details.shape.join() !== `${rows},4` || !(details.data instanceof Int32Array)) {
    throw bad(`"${info}" must be int32 [${rows}, 4], got [${details.shape.join(", ")}]`);
  }
  const columns = FACTORS.map(({ name, size, step }, k) =>
    Int32Array.from({ length: rows }, (_, row) => {
      // The first column of `info` is the instance.
      const value = k === 0 ? category.data[row]! : details.data[4 * row + k]!;
      if (value >= 0 && value / step < size && value % step === 0) return value / step;
      throw bad(`${name} must be one of ${size} values from 0 in steps of ${step}, got ${value} in row ${row}`);
    }),
  );
  return { rows, columns };
}

function addLeftImages(builder: ImageStoreBuilder, file: string, { size, rows }: { size: number; rows: number }): void {
  const { shape, data } = readNorbMatrix(file);
  const wanted = [rows, CAMERAS, SIDE, SIDE];
  if (shape.join() !== wanted.join() || !(data instanceof Uint8Array)) {
    throw bad(`"${file}" must be bytes [${wanted.join(", ")}], got [${shape.join(", ")}]`);
  }
  const shrink = createLanczos({ height: SIDE, width: SIDE, channels: 1 }, { height: size, width: size });
  const pixels = SIDE * SIDE;
  for (let row = 0; row < rows; row++) {
    const at = row * CAMERAS * pixels; // left camera first
    builder.add(shrink(data.subarray(at, at + pixels)));
  }
}

function bad(what: string): FailureError {
  return new FailureError(`Cannot ${ACTION}: ${what}`, { code: "bad_data" });
}
