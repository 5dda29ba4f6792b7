// `npm test`: installs and builds what is missing, then runs the whole test suite. Arguments go to vitest.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { buildDemoIfStale } from "./demo.mjs";
import { installIfMissing } from "./install.mjs";

installIfMissing();
build(); // tests of the command line run the compiled program
await buildDemoIfStale(); // tests of the demo open the built site
const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = spawnSync(
  process.execPath,
  [`${root}/node_modules/vitest/vitest.mjs`, "run", ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
process.exit(vitest.status ?? 1);
