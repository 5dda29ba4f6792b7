// Compiles the TypeScript of the package into dist/. Plain JavaScript: it runs before anything is compiled.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export function build() {
  rmSync(`${root}/dist`, { recursive: true, force: true });
  const result = spawnSync(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, "-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Builds unless dist/ is newer than every source file. An installed package has no sources and is never rebuilt. */
export function buildIfStale() {
  if (!existsSync(`${root}/tsconfig.build.json`)) return;
  const built = existsSync(`${root}/dist/cli.js`) ? statSync(`${root}/dist/cli.js`).mtimeMs : 0;
  const rooms = [
    "cli.ts",
    "start.ts",
    "schemas",
    "information",
    "files",
    "runtime",
    "train",
    "export",
    "serve",
    "bench",
    "tsconfig.json",
    "tsconfig.build.json",
  ];
  if (rooms.some((room) => newest(`${root}/${room}`) > built)) build();
}

function newest(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
