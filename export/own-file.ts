import { stat } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../schemas/errors.ts";

/**
 * Refuses to write over what is read. Files are told apart as the disk does, so that another spelling of a path, a link
 * and a file system that ignores case hide nothing.
 *
 * @throws UsageError if `out` is one of `inputs`
 */
export async function requireOwnFile(out: string, inputs: readonly string[], model: string): Promise<void> {
  const wanted = await identityOf(path.resolve(out)); // as it will be written: "gone/../a" is a
  if (wanted === undefined) return;
  for (const input of inputs) {
    if ((await identityOf(input)) !== wanted) continue;
    throw new UsageError(
      `Cannot convert "${model}": out must be a file of its own, got "${out}", which is the model's "${input}"; choose another --out`,
      { code: "overwrites_input" },
    );
  }
}

/** undefined where there is nothing. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true }); // Windows numbers files with more than 53 bits
    return `${dev}:${ino}`;
  } catch {
    return undefined; // whoever reads or writes it has more to say
  }
}
