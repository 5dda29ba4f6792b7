import { appendFile, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import { FailureError } from "../../schemas/errors.ts";
import { type CellLine, cellLineSchema } from "../../schemas/sweep.ts";
import { validate } from "../../schemas/validate.ts";
import type { Shard } from "./cells.ts";

/** The record of a sweep: one line of JSON for each cell that has ended, one file for each shard. */

/** `cells.jsonl`, or `cells-2-of-3.jsonl`: files of several machines can lie in one folder. */
export function lineFile(shard: Shard | undefined): string {
  return shard === undefined ? "cells.jsonl" : `cells-${shard.index}-of-${shard.count}.jsonl`;
}

/**
 * The last line of every cell in all files of a folder, by the cell's name; a finished one wins over a failed one. A
 * line that a killed process left unfinished is passed over.
 *
 * @throws FailureError if a whole line is not valid
 */
export async function readCellLines(folder: string): Promise<Map<string, CellLine>> {
  const found = new Map<string, CellLine>();
  const entries = await readdir(folder).catch(() => []);
  for (const name of entries.filter((entry) => /^cells(-\d+-of-\d+)?\.jsonl$/.test(entry)).sort()) {
    const file = path.join(folder, name);
    for (const line of (await readFile(file, "utf8")).split("\n").slice(0, -1)) {
      const read = validate(cellLineSchema, parse(line, file), `read "${file}"`);
      if (read.status === "finished" || found.get(read.cell)?.status !== "finished") found.set(read.cell, read);
    }
  }
  return found;
}

/** Adds a line. A half one that an earlier process left at the end is taken away first. */
export async function appendCellLine(folder: string, shard: Shard | undefined, line: CellLine): Promise<void> {
  const file = path.join(folder, lineFile(shard));
  try {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text !== "" && !text.endsWith("\n")) {
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      await replaceFile(realDisk, file, new TextEncoder().encode(whole));
    }
    await appendFile(file, `${JSON.stringify(line)}\n`);
  } catch (error) {
    throw diskFailure("note a cell", folder, error);
  }
}

function parse(line: string, file: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FailureError(`Cannot read "${file}": every line must be JSON, got "${line.slice(0, 60)}"`, { cause });
  }
}
