import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { FailureError } from "../../schemas/errors.ts";

/** Apart from the repository, so that a worker starts without loading schemas. */

/** @throws FailureError that calls the file by its `label` when it is missing or its SHA-256 is not the manifest's */
export async function readModelFile(
  file: string,
  { sha256, label }: { sha256: string; label: string },
): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new FailureError(`Cannot load model: ${label} must be readable, got ${codeOf(cause)}`, {
      code: "bad_bundle",
      cause,
    });
  });
  const actual = createHash("sha256").update(bytes).digest("hex");
  if (actual !== sha256) {
    const short = (hash: string) => `${hash.slice(0, 12)}...`;
    throw new FailureError(
      `Cannot load model: ${label} must have the SHA-256 of its manifest, ${short(sha256)}, got ${short(actual)}; export it again`,
      { code: "bad_bundle" },
    );
  }
  return bytes;
}

/** The system's name of an error, `ENOENT`. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
