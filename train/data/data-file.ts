import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { FailureError, UsageError } from "../../schemas/errors.ts";

/**
 * The file of a source in its data folder.
 *
 * @throws UsageError if there is no folder or it does not hold the file
 */
export function findDataFile(name: string, dataDir: string | undefined, action: string): string {
  if (dataDir === undefined) {
    throw new UsageError(`Cannot ${action}: it needs "${name}", got no data folder: use \`--data DIR\``, {
      code: "no_data",
    });
  }
  const file = join(dataDir, name);
  if (existsSync(file)) return file;
  const where = existsSync(dataDir) ? `no "${name}" in "${dataDir}"` : `no folder "${dataDir}"`;
  throw new UsageError(`Cannot ${action}: it needs "${name}", got ${where}`, { code: "no_data" });
}

/** sha256 of a file of any length, hexadecimal. */
export function sha256OfFile(file: string, action: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(1 << 20);
  let handle: number | undefined;
  try {
    handle = openSync(file, "r");
    for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer))
      hash.update(buffer.subarray(0, read));
  } catch (cause) {
    throw new FailureError(`Cannot ${action}: ${(cause as Error).message}`, { code: "unreadable", cause });
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
  return hash.digest("hex");
}
