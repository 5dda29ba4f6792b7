process.env.ORT_DISABLE_TELEMETRY = "1";

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Measured, record } from "./record.ts";
import { writeCopyBundle } from "./serve/bundles.ts";
import { ServerProcess } from "./serve/server.ts";
import { soak, swapFolders } from "./serve/soak.ts";

/**
 * Ten minutes of `cominfo serve` with clients that come and go, a bundle that changes and workers that are killed: no
 * answer may be lost, doubled or wrong, and the server may not grow.
 *
 *   npm run bench -- soak [seconds] [clients]
 */

const seconds = Number(process.argv[2] ?? 600);
const clients = Number(process.argv[3] ?? 16);

const scratch = mkdtempSync(path.join(tmpdir(), "cominfo-soak-"));
const repository = path.join(scratch, "models");
const bundle = path.join(repository, "soak");
mkdirSync(repository);
await writeCopyBundle(bundle, 0);
const server = await ServerProcess.start(repository, { instances: 2 }, ["--poll", "0.5"]);
let state = 0;
const early = setTimeout(() => {
  memoryMiB = server.memoryMiB();
}, seconds * 250);
let memoryMiB = server.memoryMiB();
const result = await soak({
  port: server.port,
  model: "soak.encode",
  seconds,
  clients,
  workerPids: () => server.workerPids(),
  changeEveryMs: 13_000,
  killEveryMs: 17_000,
  async change() {
    state++;
    const next = path.join(scratch, `next-${state}`, "soak");
    await writeCopyBundle(next, state);
    swapFolders(bundle, next, path.join(scratch, `old-${state}`));
    rmSync(path.join(scratch, `old-${state}`), { recursive: true });
  },
});
clearTimeout(early);
const growth = server.memoryMiB() - memoryMiB;
await server.stop();
rmSync(scratch, { recursive: true });

const { wrong, ...counts } = result;
const row = (metric: string, value: number, unit = "1"): Measured => {
  return { bench: "soak", metric, unit, median: value, min: value, max: value, runs: 1 };
};
record("soak", [
  row("seconds", seconds, "s"),
  ...Object.entries(counts).map(([name, count]) => row(name, count)),
  row("wrong", wrong.length),
  row("server_growth_after_first_quarter", growth, "MiB"),
]);
for (const line of wrong) console.error(line);
const { right, unavailable, abandoned, lost, doubled, sent } = result;
if (lost + doubled + wrong.length > 0 || right + unavailable + abandoned !== sent) {
  throw new Error("No answer may be lost, doubled or wrong");
}
