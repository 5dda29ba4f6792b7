// `npm start`: from a fresh clone to a served model. Installs and builds what is missing, then hands over to the CLI.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.mjs";
import { buildDemoIfStale } from "./demo.mjs";
import { installIfMissing } from "./install.mjs";

installIfMissing();
buildIfStale();
await buildDemoIfStale();
const root = fileURLToPath(new URL("..", import.meta.url));
const child = spawn(process.execPath, [`${root}/dist/cli.js`, "start", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
