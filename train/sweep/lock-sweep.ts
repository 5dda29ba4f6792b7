import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isInUse, lockFolder, requireUnlocked } from "../engine/lock.ts";
import type { Shard } from "./cells.ts";

/**
 * Takes the folder of a sweep for this process, or for a shard its part of the cells: those of one division have none in
 * common, and may run beside each other.
 *
 * @returns releases the lock
 * @throws FailureError that names the process that may work on the same cells
 */
export function lockSweep(folder: string, shard: Shard | undefined): () => void {
  const [own, action] = [lockFile(shard), "sweep into"];
  const release = lockFolder(folder, { name: own, action });
  try {
    // Only now: of two that begin at once, one at least must see the other.
    for (const name of readdirSync(folder)) {
      if (name !== own && sharesCells(name, shard)) requireUnlocked(folder, { name, action });
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

/**
 * Waits while a process trains into the folder of a cell: one that a killed sweep has left saves its step before it
 * ends. Whoever is there after a minute is no such one, and the cell's training says so.
 */
export async function untilFree(cell: string, signal: AbortSignal, patience = 60_000): Promise<void> {
  const end = Date.now() + patience;
  while (isInUse(cell) && Date.now() < end && !signal.aborted) await sleep(100);
}

function lockFile(shard: Shard | undefined): string {
  return shard === undefined ? "lock.json" : `lock-${shard.index}-of-${shard.count}.json`;
}

function sharesCells(name: string, shard: Shard | undefined): boolean {
  const lock = /^lock(?:-\d+-of-(\d+))?\.json$/.exec(name);
  return lock !== null && (shard === undefined || lock[1] !== String(shard.count));
}
