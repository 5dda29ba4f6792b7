import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { placeOf } from "../../../serve/score/place.ts";
import { connect, queueName, queueOptions, type ShardJob } from "../../../serve/score/queue.ts";
import { ended, run, start } from "./command-line.ts";
import { arithmeticBundle, someRows, writeArchive } from "./datasets.ts";

/** A real Redis server on a port of its own, and workers that are killed while they hold a shard. */

const missing = !hasRedis();
const title = missing ? " (skipped: no redis-server here; Debian's package redis-server brings it)" : "";
let folder: string;
let redis: ChildProcess;
let url: string;

function hasRedis(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-queue-"));
  if (missing) return;
  const port = await freePort();
  url = `redis://127.0.0.1:${port}`;
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  redis = spawn("redis-server", flags, { stdio: ["ignore", "pipe", "ignore"] });
  for await (const piece of redis.stdout!) if (String(piece).includes("Ready to accept connections")) break;
});
afterAll(async () => {
  redis?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test.skipIf(missing)(
  `workers killed in the middle of shards: others take these, and the output is that of one undisturbed process${title}`,
  async () => {
    const bundle = await arithmeticBundle(folder);
    const source = await writeArchive(path.join(folder, "rows.npz"), someRows(10_000));
    const flags = ["score", "--model", bundle, "--task", "arithmetic", "--in", source, "--quiet"];
    flags.push("--part-rows", "50", "--batch", "10", "--threads", "1", "--no-hash");
    const [whole, out] = [path.join(folder, "whole.jsonl"), path.join(folder, "queued.jsonl")];
    const worker = () => start("worker", "--queue", url, "--threads", "1", "--lost-after", "2");
    const parts = async () =>
      (await readdir(`${out}.parts`).catch(() => [] as string[])).filter((name) => /^part-\d+\.json$/.test(name))
        .length;

    const planner = start(...flags, "--out", out, "--queue", url);
    const end = ended(planner);
    let killed = 0;
    for (let k = 0; k < 2; k++) {
      const before = await parts();
      const victim = worker();
      const gone = ended(victim);
      while (planner.exitCode === null && (await parts()) < before + 5) await sleep(5);
      victim.kill("SIGKILL");
      if ((await gone).code === "SIGKILL") killed++;
    }
    const between = await parts();
    const last = worker();
    const lastGone = ended(last);
    expect(await end).toMatchObject({ code: 0 });
    last.kill("SIGTERM");
    expect((await lastGone).code).toBe(0);
    expect(killed).toBe(2);
    expect(between).toBeLessThan(200); // shards were open when their workers died
    expect((await run(...flags, "--out", whole)).code).toBe(0);
    expect(await readFile(out, "utf8")).toBe(await readFile(whole, "utf8"));
  },
);

test.skipIf(missing)(`a shard that is on the queue still when all is merged is no failure${title}`, async () => {
  const bundle = await arithmeticBundle(folder);
  const source = await writeArchive(path.join(folder, "merged.npz"), someRows(10));
  const out = path.join(folder, "merged.jsonl");
  expect((await run("score", "--model", bundle, "--task", "arithmetic", "--in", source, "--out", out)).code).toBe(0);
  const { plan } = JSON.parse(await readFile(`${out}.manifest.json`, "utf8")) as { plan: string };
  const connection = await connect(url);
  const queue = new Queue<ShardJob>(queueName, { connection, ...queueOptions });
  const place = placeOf(out, { task: "arithmetic", format: undefined });
  await queue.add("shard", { place, identity: plan, parts: [0] }, { removeOnComplete: true });
  const { code, stderr } = await run("worker", "--queue", url, "--until-idle");
  expect(code).toBe(0);
  expect(stderr).toBe(`parts 0 to 0: "${out}" is there already, and complete\n`);
  expect(await queue.getFailedCount()).toBe(0);
  await queue.close();
  connection.disconnect();
});

test.skipIf(missing)(`a queue that does not answer is an error of one line${title}`, async () => {
  const bundle = await arithmeticBundle(folder);
  const source = await writeArchive(path.join(folder, "few.npz"), someRows(10));
  const flags = ["--model", bundle, "--task", "arithmetic", "--in", source, "--out", path.join(folder, "few.jsonl")];
  const { code, stderr } = await run("score", ...flags, "--queue", "redis://:secret@127.0.0.1:1");
  expect(code).toBe(1);
  expect(stderr).toContain('Cannot use queue "redis://***@127.0.0.1:1": Redis must answer, got: connect ECONNREFUSED');
  expect(stderr).not.toContain("secret");
});
