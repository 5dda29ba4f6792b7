import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parsePng } from "../../../files/png.ts";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { BrokenCell, type Cell, type Table } from "./table.ts";

/** A folder of PNG files, in the order of their names, which without `.png` are the ids. Names are held in memory. */
export async function openFolderTable(folder: string): Promise<Table> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && entry.name.toLowerCase().endsWith(".png"))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) {
    throw new UsageError(`Cannot score "${folder}": a folder must hold PNG files, got none`, { code: "no_data" });
  }
  const ids = names.map(idOf);
  if (new Set(ids).size < ids.length) {
    const twice = ids.find((id, i) => ids.indexOf(id) !== i)!;
    throw new UsageError(
      `Cannot score "${folder}": its pictures must have names of their own, got two called "${twice}"`,
      { code: "bad_data" },
    );
  }
  return {
    label: folder,
    rows: names.length,
    columns: [
      { name: "image", shape: undefined, integer: false },
      { name: "name", shape: undefined, integer: false },
    ],
    idColumn: "name",
    uniqueIds: true,
    gaps: true,
    async read(columns, first, end) {
      const block = names.slice(first, end);
      const wantsImages = columns.includes("image");
      const images = wantsImages ? await Promise.all(block.map((name) => readImage(path.join(folder, name)))) : [];
      return columns.map((column) => ({ kind: "cells", cells: column === "name" ? block.map(idOf) : images }));
    },
    close: async () => undefined,
  };
}

const idOf = (name: string): string => name.slice(0, -".png".length);

async function readImage(file: string): Promise<Cell> {
  try {
    return imageCell(await readFile(file));
  } catch (error) {
    return new BrokenCell((error as Error).message);
  }
}

/** A picture in memory; one that cannot be decoded rejects its row and no other. */
export function imageCell(bytes: Buffer): Cell {
  try {
    const { height, width, channels, data } = parsePng(bytes, { action: "read PNG" });
    return { shape: [height, width, channels], data };
  } catch (error) {
    if (error instanceof FailureError) return new BrokenCell(error.message);
    throw error;
  }
}
