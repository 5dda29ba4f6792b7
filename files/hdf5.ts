import { existsSync } from "node:fs";
import type * as Library from "h5wasm/node";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { didYouMean } from "../schemas/nearest.ts";

/** Numbers of an HDF5 dataset, row-major. */
export type Hdf5Data =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export interface Hdf5Dataset {
  readonly shape: readonly number[];
  /** Rows `first .. end - 1` of the first axis. Compressed files are read in chunks: long runs are fast, single rows slow. */
  rows(first: number, end: number): Hdf5Data;
  /** Whether its values are text. */
  readonly text: boolean;
  /** Rows of a dataset of text. */
  texts(first: number, end: number): string[];
}

export interface Hdf5File {
  /** Paths of all datasets, for instance `latents/classes`. */
  readonly names: readonly string[];
  /** @throws UsageError if the file has no such dataset; FailureError if it is not one of numbers */
  dataset(path: string): Hdf5Dataset;
  /** Paths of all groups, without a slash at either end; the root is `""`. */
  readonly groups: readonly string[];
  /** Value of an attribute of a group or dataset; undefined where there is none. */
  attribute(path: string, name: string): unknown;
  close(): void;
}

export interface Hdf5Reader {
  /**
   * Opens a file for reading. Nothing is read into memory before it is asked for.
   *
   * @throws UsageError if there is no such file; FailureError if it is no HDF5 file, or truncated
   */
  open(file: string): Hdf5File;
}

/** Loads the HDF5 library (WebAssembly, 0.2 s; no network), so that what reads files can be synchronous. */
export async function loadHdf5(): Promise<Hdf5Reader> {
  const library = await import("h5wasm/node");
  const module = await library.ready;
  module.activate_throwing_error_handler(); // else it prints its faults to stderr and goes on
  return { open: (file) => openHdf5(file, library) };
}

function openHdf5(file: string, library: typeof Library): Hdf5File {
  const action = `read HDF5 file "${file}"`;
  if (!existsSync(file))
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  const handle = guarded(action, () => new library.File(file, "r"));
  const entities = guarded(action, () =>
    handle.paths().map((path) => [path.replace(/^\//, ""), handle.get(path)] as const),
  );
  const datasets = new Map(
    entities.flatMap(([path, entity]) => (entity instanceof library.Dataset ? [[path, entity]] : [])),
  );

  const groups = entities.flatMap(([path, entity]) => (entity instanceof library.Group ? [path] : []));

  return {
    names: [...datasets.keys()],
    groups: ["", ...groups],
    attribute(path, name) {
      const entity = path === "" ? handle : handle.get(path);
      if (!(entity instanceof library.Group || entity instanceof library.Dataset)) return undefined;
      return guarded(action, () => (name in entity.attrs ? entity.attrs[name]!.value : undefined));
    },
    dataset(path) {
      const dataset = datasets.get(path);
      if (dataset === undefined) {
        const names = [...datasets.keys()];
        throw new UsageError(
          `Cannot ${action}: dataset "${path}" must be one of ${names.join(", ") || "none"}${didYouMean(path, names)}`,
          { code: "no_array" },
        );
      }
      const shape = guarded(action, () => dataset.shape) ?? [];
      return {
        shape,
        text: typeof dataset.dtype === "string" && /^[SU]/.test(dataset.dtype),
        texts(first, end) {
          const value = guarded(`${action}, dataset "${path}"`, () => dataset.slice([[first, end]]));
          if (Array.isArray(value)) return value.map(String);
          throw new FailureError(`Cannot ${action}: dataset "${path}" must hold text, got numbers`, {
            code: "bad_data",
          });
        },
        rows(first, end) {
          const value = guarded(`${action}, dataset "${path}"`, () => dataset.slice([[first, end]]));
          if (ArrayBuffer.isView(value)) return value as Hdf5Data;
          throw new FailureError(
            `Cannot ${action}: dataset "${path}" must hold numbers, got type ${JSON.stringify(dataset.dtype)}`,
            {
              code: "bad_data",
            },
          );
        },
      };
    },
    close() {
      handle.close();
    },
  };
}

function guarded<T>(action: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const lines = (cause as Error).message.split("\n").map((line) => line.trim());
    const innermost = lines.findLast((line) => line.startsWith("#")); // its trace: #007: file line n in function(): what
    const reason = innermost?.replace(/^.*?\(\): /, "") ?? lines[0];
    throw new FailureError(`Cannot ${action}: the HDF5 library says "${reason}": the file is damaged or no HDF5 file`, {
      code: "bad_data",
      cause,
    });
  }
}
