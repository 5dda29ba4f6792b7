import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(process.env.COMINFO_TEST_DATA ?? join(import.meta.dirname, "../../../shared/data"));

/** Folder of real data files, and why tests of it are skipped where it is missing. */
export function testData(name: string): { folder: string; missing: boolean; title: string } {
  const folder = join(root, name);
  const missing = !existsSync(folder);
  return { folder, missing, title: missing ? `(skipped: no folder ${folder}, set COMINFO_TEST_DATA)` : "" };
}
