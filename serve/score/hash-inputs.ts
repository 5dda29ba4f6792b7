import { once } from "node:events";
import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { builtFile } from "../../files/built-file.ts";

/**
 * SHA-256 of whole files, on a thread beside the work. A folder has none.
 *
 * @param signal ends the thread: a run that failed or was interrupted must not wait for a terabyte to be read
 * @returns by path
 */
export async function hashFiles(paths: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const stats = await Promise.all(paths.map((path) => stat(path)));
  const files = paths.filter((_, k) => stats[k]!.isFile());
  if (files.length === 0) return new Map();
  const worker = new Worker(builtFile("serve/score/hash-thread"), { workerData: files });
  try {
    const options = signal === undefined ? {} : { signal };
    const [hashes] = (await once(worker, "message", options)) as [readonly string[]];
    return new Map(files.map((file, k) => [file, hashes[k]!]));
  } finally {
    await worker.terminate();
  }
}
