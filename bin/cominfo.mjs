#!/usr/bin/env node
// In an installed package dist/ is there; in a clone it is built on first use.
import { existsSync } from "node:fs";

const builder = new URL("../scripts/build.mjs", import.meta.url);
if (existsSync(builder)) {
  const { buildIfStale } = await import(builder.href);
  buildIfStale();
}
await import(new URL("../dist/cli.js", import.meta.url).href);
