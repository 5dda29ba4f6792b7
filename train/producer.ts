import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("cominfo/package.json") as { version: string };

/** What results and bundles name as their maker. */
export const producer = `cominfo ${version}`;
