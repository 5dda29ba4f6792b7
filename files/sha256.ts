import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { FailureError } from "../schemas/errors.ts";

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
