import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../../../schemas/errors.ts";
import type { Table } from "./table.ts";

type Open = (file: string) => Promise<Table>;

/** By the end of the name; each loads its library when it is needed. */
const formats: readonly (readonly [RegExp, string, Open])[] = [
  [/\.npz$/i, ".npz", async (file) => (await import("./array-tables.ts")).openNpzTable(file)],
  [/\.npy$/i, ".npy", async (file) => (await import("./array-tables.ts")).openNpyTable(file)],
  [/\.parquet$/i, ".parquet", async (file) => (await import("./parquet-table.ts")).openParquetTable(file)],
  [/\.(arrow|feather|ipc)$/i, ".arrow", async (file) => (await import("./arrow-table.ts")).openArrowTable(file)],
  [/\.csv$/i, ".csv", async (file) => (await import("./text-tables.ts")).openCsvTable(file)],
  [/\.(jsonl|ndjson)$/i, ".jsonl", async (file) => (await import("./text-tables.ts")).openJsonlTable(file)],
  [/\.(h5|hdf5|h5ad)$/i, ".h5 or .h5ad", async (file) => (await import("./hdf5-table.ts")).openHdf5Table(file)],
  [
    /(idx[1-9]-ubyte|\.idx)(\.gz)?$/i,
    "an IDX file (-idx3-ubyte, .gz)",
    async (file) => (await import("./idx-table.ts")).openIdxTable(file),
  ],
];

/**
 * Opens what `--in` names: a file by its extension, or a folder of PNG files.
 *
 * @throws UsageError for what is not there or has no known form; FailureError for what is damaged
 */
export async function openTable(source: string): Promise<Table> {
  const stats = await stat(source).catch(() => undefined);
  if (stats?.isDirectory()) return (await import("./folder-table.ts")).openFolderTable(source);
  const open = formats.find(([pattern]) => pattern.test(path.basename(source)))?.[2];
  if (open !== undefined) return open(source);
  const known = formats.map(([, name]) => name).join(", ");
  throw new UsageError(
    `Cannot score "${source}": the input must be ${known}, or a folder of PNG files, got ${stats === undefined ? "nothing there" : "another name"}`,
    { code: "unknown_format" },
  );
}

export interface Source {
  /** What the mapping calls it, `view_1` of `--in view_1=left`; undefined where it was not named. */
  readonly name: string | undefined;
  readonly path: string;
}

/** A folder that holds folders instead of pictures is one source a folder, called as they are. Links are followed. */
export async function expandFolders(sources: readonly Source[]): Promise<Source[]> {
  const expanded = await Promise.all(
    sources.map(async (source) => {
      if (source.name !== undefined || !(await stat(source.path).catch(() => undefined))?.isDirectory())
        return [source];
      const folders: Source[] = [];
      for (const entry of await readdir(source.path, { withFileTypes: true })) {
        const { name } = entry;
        const inside = { name, path: path.join(source.path, name) };
        const isLink = entry.isSymbolicLink();
        const isFolder = isLink ? (await stat(inside.path).catch(() => entry)).isDirectory() : entry.isDirectory();
        if (!isFolder && name.toLowerCase().endsWith(".png")) return [source];
        if (isFolder && !name.startsWith(".")) folders.push(inside);
      }
      return folders.length === 0 ? [source] : folders.sort((a, b) => (a.path < b.path ? -1 : 1));
    }),
  );
  return expanded.flat();
}
