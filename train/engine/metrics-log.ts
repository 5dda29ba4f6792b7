import { type FileHandle, open, readFile } from "node:fs/promises";
import path from "node:path";
import { type Disk, diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import type { MetricsLine } from "../../schemas/run-status.ts";

export interface MetricsLog {
  write(line: MetricsLine): Promise<void>;
  close(): Promise<void>;
}

/**
 * `metrics.jsonl`, one JSON line a logged step. On resume the lines after `step` are dropped: they will be written
 * again, the same but for the times.
 */
export async function openMetricsLog(folder: string, step: number, disk: Disk = realDisk): Promise<MetricsLog> {
  const file = path.join(folder, "metrics.jsonl");
  await dropLinesAfter(file, step, disk);
  const handle = await open(file, "a");
  return {
    async write(line) {
      const { size } = await handle.stat();
      try {
        await disk.append(handle, new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      } catch (error) {
        await takeBack(handle, size);
        throw diskFailure(`log step ${line.step}`, folder, error);
      }
    },
    close: () => handle.close(),
  };
}

/** A full disk must not leave half a line. */
async function takeBack(handle: FileHandle, size: number): Promise<void> {
  await handle.truncate(size);
}

async function dropLinesAfter(file: string, step: number, disk: Disk): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  if (text === "") return;
  const lines = text.split("\n").slice(0, -1); // what follows the last newline is empty or cut short
  const kept = lines.filter((line) => stepOf(line) <= step);
  const next = kept.map((line) => `${line}\n`).join("");
  if (next !== text) await replaceFile(disk, file, new TextEncoder().encode(next));
}

/** Infinity for a damaged line, so that it is dropped. */
function stepOf(line: string): number {
  try {
    return (JSON.parse(line) as MetricsLine).step;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
