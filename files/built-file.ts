import { existsSync } from "node:fs";

/**
 * A compiled module of this package, for threads and child processes: Node 20 cannot run TypeScript, so tests that run
 * the sources start the file that `npm run build` made.
 *
 * @param module without extension, from the root of the sources, for instance `train/engine/engine-thread`
 */
export function builtFile(module: string): URL {
  const here = new URL(`../${module}.js`, import.meta.url);
  return existsSync(here) ? here : new URL(`../dist/${module}.js`, import.meta.url);
}
