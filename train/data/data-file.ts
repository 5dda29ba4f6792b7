import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../../schemas/errors.ts";

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
