import { basename } from "node:path";
import type { Hdf5Dataset, Hdf5Reader } from "../../files/hdf5.ts";
import { openNpz } from "../../files/npz.ts";
import { sha256OfFile } from "../../files/sha256.ts";
import type { DspritesFileOptions, Shapes3dFileOptions } from "../../schemas/data.ts";
import { FailureError } from "../../schemas/errors.ts";
import { findDataFile } from "./data-file.ts";
import { binaryImages, type ImageStore, type ImageStoreBuilder, plainImages } from "./image-store.ts";
import type { PairSource } from "./pair-source.ts";
import { type FactorColumn, pairRows } from "./paired-rows.ts";
import type { Roles } from "./pairing.ts";
import { requireNoRoles, singleFromRows } from "./single-view.ts";

const DSPRITES_FACTORS = ["shape", "scale", "orientation", "position_x", "position_y"] as const;
const SHAPES3D_FACTORS = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"] as const;
const BLOCK_BYTES = 2 ** 25; // read from HDF5 at a time

/** Either kind of file as far as these sources need it. */
interface Tables {
  shapeOf(name: string): readonly number[];
  /** A table of labels, row-major. */
  read(name: string): ArrayLike<number | bigint>;
  eachBlock(name: string, onBlock: (rows: unknown) => void): void;
}

/**
 * Pairs of the published dSprites images, or of a part of them, held in memory as bits (377 MB for all); with `views` 1
 * single ones.
 * Files: `imgs` [count, 64, 64] of 0 and 1; `latents_classes` (npz) or `latents/classes` (HDF5) [count, 5 or 6], where the
 * first of six is the colour, always the same. Roles as of source `dsprites`; pairing as in `pairRows`.
 *
 * @throws UsageError if the file is missing; FailureError if it does not hold this
 */
export function openDspritesFile(
  options: DspritesFileOptions,
  { dataDir, hdf5 }: { dataDir?: string | undefined; hdf5?: Hdf5Reader | undefined },
): PairSource {
  const action = `open data source "dsprites-file"`;
  const file = findDataFile(options.file, dataDir, action);
  const isHdf5 = /\.(hdf5|h5)$/.test(file);
  const { tables, close } = isHdf5
    ? hdf5Tables(file, needed(hdf5, action))
    : { tables: npzTables(file), close: () => {} };
  const [count = 0, height = 0, width = 0, ...more] = tables.shapeOf("imgs");
  if (more.length > 0 || height * width === 0) {
    throw bad(action, `imgs must have shape [count, height, width], got [${tables.shapeOf("imgs").join(", ")}]`);
  }
  const builder = binaryImages({ count, height, width, channels: 1 }, action);
  fill(builder, tables, "imgs", action);
  const classes = isHdf5 ? "latents/classes" : "latents_classes";
  const columns = readColumns(tables, classes, { names: DSPRITES_FACTORS, leading: "color", action });
  close();
  const set = {
    name: "dsprites-file",
    images: builder.done(),
    columns,
    provenance: { [basename(file)]: sha256OfFile(file, action) },
    action,
  };
  const title = `dSprites of "${basename(file)}"`;
  if (options.views === 1) {
    requireNoRoles(options, action);
    return singleFromRows({ ...set, summary: `${title}: ${count} single images` });
  }
  return pairRows({ ...set, title, roles: untoldRoles(options, ["position_x", "position_y"]) });
}

/**
 * Pairs of the published 3dshapes images, or of a part of them: HDF5 with `images` uint8 [count, 64, 64, 3] and `labels`
 * [count, 6]. A label's class is its rank among the values that occur. Roles as of source `shapes3d`; pairing as in
 * `pairRows`.
 *
 * @throws UsageError if the file is missing; FailureError if it does not hold this
 */
export function openShapes3dFile(
  options: Shapes3dFileOptions,
  { dataDir, hdf5 }: { dataDir?: string | undefined; hdf5?: Hdf5Reader | undefined },
): PairSource {
  const action = `open data source "shapes3d-file"`;
  const file = findDataFile(options.file, dataDir, action);
  const { tables, dataset, close } = hdf5Tables(file, needed(hdf5, action));
  const shape = tables.shapeOf("images");
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  if (shape.length !== 4 || height * width * channels === 0) {
    throw bad(action, `images must have shape [count, height, width, channels], got [${shape.join(", ")}]`);
  }
  const columns = readColumns(tables, "labels", { names: SHAPES3D_FACTORS, action });
  let images: ImageStore;
  if (options.stored === "memory") {
    const builder = plainImages({ count, height, width, channels }, action);
    fill(builder, tables, "images", action);
    close();
    images = builder.done();
  } else {
    const stored = dataset("images");
    const copy = (row: number, target: Uint8Array, offset: number): void =>
      target.set(bytesOf(stored.rows(row, row + 1), "images", action), offset);
    images = { count, height, width, channels, copy };
  }
  return pairRows({
    name: "shapes3d-file",
    title: `3dshapes of "${basename(file)}"`,
    images,
    columns,
    roles: untoldRoles(options, ["floor_hue", "wall_hue", "object_hue"]),
    provenance: { [basename(file)]: sha256OfFile(file, action) },
    action,
  });
}

function untoldRoles({ common, unique }: Roles, uniqueOtherwise: readonly string[]): Roles {
  return common === undefined && unique === undefined ? { unique: uniqueOtherwise } : { common, unique };
}

function npzTables(file: string): Tables {
  const npz = openNpz(file);
  return {
    shapeOf: (name) => npz.header(name).shape,
    read: (name) => npz.read(name).data,
    eachBlock: (name, onBlock) => npz.eachBlock(name, onBlock),
  };
}

function hdf5Tables(
  file: string,
  reader: Hdf5Reader,
): { tables: Tables; dataset(name: string): Hdf5Dataset; close(): void } {
  const opened = reader.open(file);
  const tables: Tables = {
    shapeOf: (name) => opened.dataset(name).shape,
    read: (name) => opened.dataset(name).rows(0, opened.dataset(name).shape[0] ?? 0),
    eachBlock(name, onBlock) {
      const { shape, rows } = opened.dataset(name);
      const [count = 0, ...row] = shape;
      const step = Math.max(1, Math.floor(BLOCK_BYTES / row.reduce((product, size) => product * size, 1)));
      for (let first = 0; first < count; first += step) onBlock(rows(first, Math.min(first + step, count)));
    },
  };
  return { tables, dataset: (name) => opened.dataset(name), close: () => opened.close() };
}

function fill(builder: ImageStoreBuilder, tables: Tables, name: string, action: string): void {
  tables.eachBlock(name, (rows) => builder.add(bytesOf(rows, name, action)));
}

function bytesOf(rows: unknown, name: string, action: string): Uint8Array {
  if (rows instanceof Uint8Array) return rows;
  throw bad(action, `${name} must be uint8, got ${(rows as object).constructor.name}`);
}

/**
 * Columns of a table of labels, the class of a value being its rank among those that occur in its column.
 * A `leading` column may come first and must be constant.
 */
function readColumns(
  tables: Tables,
  table: string,
  { names, leading, action }: { names: readonly string[]; leading?: string; action: string },
): FactorColumn[] {
  const shape = tables.shapeOf(table);
  const [count = 0, width = 0] = shape;
  const skip = leading !== undefined && width === names.length + 1 ? 1 : 0;
  if (shape.length !== 2 || width !== names.length + skip) {
    throw bad(action, `${table} must have shape [count, ${names.length}], got [${shape.join(", ")}]`);
  }
  const values = tables.read(table);
  const columns = [...(skip === 1 ? [leading!] : []), ...names].map((name, k) => {
    const column = Float64Array.from({ length: count }, (_, row) => Number(values[row * width + k]));
    const distinct = [...new Set(column)].sort((a, b) => a - b);
    if (distinct.some((value) => !Number.isFinite(value)) || distinct.length > MAX_CLASSES) {
      throw bad(
        action,
        `${table} column ${k} (${name}) must hold at most ${MAX_CLASSES} numbers, got ${distinct.length}`,
      );
    }
    const rank = new Map(distinct.map((value, index) => [value, index]));
    return { name, size: distinct.length, classes: Int32Array.from(column, (value) => rank.get(value)!) };
  });
  if (skip === 1 && columns[0]!.size > 1) {
    throw bad(action, `${table} column 0 (${leading}) must be constant, got ${columns[0]!.size} values`);
  }
  return columns.slice(skip);
}

const MAX_CLASSES = 1000;

function needed(hdf5: Hdf5Reader | undefined, action: string): Hdf5Reader {
  if (hdf5 !== undefined) return hdf5;
  throw new TypeError(`Cannot ${action}: an HDF5 file needs the reader: open the source with loadSource()`);
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
