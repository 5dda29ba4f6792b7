// Lets a child process of a test run the TypeScript sources, which Node 20 cannot do alone:
//   node --import <this file> script.ts        or NODE_OPTIONS="--import <this file's URL>"
// Types are stripped by rolldown, which vitest brings.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

// This file is also its own hooks, which Node runs in a thread of their own.
if (isMainThread) register(import.meta.url);

export async function load(url, context, nextLoad) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
  const { transformSync } = await import("rolldown/utils"); // in the hooks' thread only
  const { code, errors } = transformSync(url, await readFile(new URL(url), "utf8"), {
    typescript: { onlyRemoveTypeImports: true },
  });
  if (errors.length > 0) throw new SyntaxError(`Cannot strip types of ${url}: ${errors[0].message}`);
  return { format: "module", source: code, shortCircuit: true };
}
