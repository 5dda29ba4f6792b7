import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { FailureError, UsageError } from "../schemas/errors.ts";

/** How a folder is known as one that an export has written. */
export interface OwnMark {
  /** What the folder is, for people. */
  readonly kind: string;
  /** Its JSON file, and keys that no other file of that name has. */
  readonly file: string;
  readonly keys: readonly string[];
}

/**
 * An export may replace what an export of its kind has written, or fill an empty folder; anything else is somebody's work.
 *
 * @throws UsageError for a file, or a folder that holds something else; FailureError for one that cannot be read
 */
export async function requireReplaceable(dir: string, { kind, file, keys }: OwnMark): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(dir);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") {
      throw new UsageError(`Cannot export to "${dir}": it must be a folder, got a file`, { code: "foreign_folder" });
    }
    throw new FailureError(`Cannot export to "${dir}": it must be readable, got ${String(code)}`, { cause: error });
  }
  if (entries.length === 0) return;
  const old: unknown = await readFile(path.join(dir, file), "utf8")
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined); // not there, or not JSON: not ours either way
  if (typeof old === "object" && old !== null && keys.every((key) => key in old)) return;
  throw new UsageError(
    `Cannot export to "${dir}": it must be ${kind} or empty, got a folder with "${entries.sort()[0]}"; choose another --out`,
    { code: "foreign_folder" },
  );
}
