// `npm run bench -- NAME`: builds, then runs bench/NAME.bench.ts and writes bench/results/NAME.json.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { installIfMissing } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const names = readdirSync(`${root}/bench`)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.slice(0, -".bench.ts".length));
const [name, ...rest] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`Cannot run benchmark "${name ?? ""}": known benchmarks are ${names.join(", ")}`);
  process.exit(2);
}
installIfMissing();
build();
if (!existsSync(`${root}/dist/bench/${name}.bench.js`)) process.exit(1);
const result = spawnSync(process.execPath, ["--expose-gc", `${root}/dist/bench/${name}.bench.js`, ...rest], {
  cwd: root,
  stdio: "inherit",
});
process.exit(result.status ?? 1);
