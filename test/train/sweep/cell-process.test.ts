import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { builtFile } from "../../../files/built-file.ts";
import type { Sweep } from "../../../schemas/sweep.ts";
import { lockFolder } from "../../../train/engine/lock.ts";
import { readStatus } from "../../../train/engine/run-folder.ts";
import { readCellLines } from "../../../train/sweep/cell-lines.ts";
import type { CellRequest } from "../../../train/sweep/cell-process.ts";
import { cellsOf } from "../../../train/sweep/cells.ts";
import { untilFree } from "../../../train/sweep/lock-sweep.ts";
import { runSweep } from "../../../train/sweep/run-sweep.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";
import { smallPlan } from "./plan.ts";

/** What a killed sweep leaves behind: processes of cells, whose channel closes. */

const alone = { seeds: [3], variants: smallPlan().variants.slice(0, 1), comparisons: [], charts: [] };

async function startCell(outDir: string, set: Sweep["set"]): Promise<ChildProcess> {
  const plan = smallPlan(alone);
  const [cell] = await cellsOf({ ...plan, set: { ...plan.set, ...set } }, "full");
  const { recipe } = cell!;
  const child = fork(builtFile("train/sweep/cell-process"), { serialization: "advanced", stdio: "ignore" });
  child.send({ recipe, outDir, dataDir: undefined, device: "cpu", threads: 1, report: false } satisfies CellRequest);
  return child;
}

test("a cell whose sweep is killed while it trains saves its step, and ends", async () => {
  const outDir = temporaryFolder();
  const child = await startCell(outDir, { "training.steps": 1_000_000, "training.checkpointEvery": 1_000_000 });
  await once(child, "message"); // of a step
  child.disconnect();
  await once(child, "exit");
  const { status, step } = (await readStatus(outDir))!;
  expect([status, existsSync(path.join(outDir, "lock.json"))]).toEqual(["interrupted", false]);
  expect(step).toBeGreaterThan(0);
});

test("a cell whose sweep is killed while it measures ends without figures", async () => {
  const outDir = temporaryFolder();
  const child = await startCell(outDir, { "evaluation.pairs": 20_000 });
  while ((await readStatus(outDir))?.status !== "finished") await sleep(5);
  child.disconnect();
  await once(child, "exit");
  expect(existsSync(path.join(outDir, "results.json"))).toBe(false);
});

test("a sweep that is started while a process of the killed one still saves waits for it, and the cell does not fail", async () => {
  const outDir = temporaryFolder();
  const cell = path.join(outDir, "cells", "vae.vanilla-seed3");
  mkdirSync(cell, { recursive: true });
  const release = lockFolder(cell); // as that process
  const plan = { sweep: smallPlan(alone), budget: "full", outDir, device: "cpu", reports: false } as const;
  const sweep = runSweep({ ...plan, workers: 1, threads: 1 });
  await Promise.race([sweep, sleep(5000)]); // in which a cell would have come upon the lock
  release();
  expect(await sweep).toMatchObject({ finished: 1, failed: 0 });
  expect((await readCellLines(outDir)).get("vae.vanilla-seed3")!.status).toBe("finished");
});

test("a process that stays is not waited for longer than that, nor after the sweep is to stop", async () => {
  const folder = temporaryFolder();
  lockFolder(folder);
  await untilFree(folder, new AbortController().signal, 50);
  await untilFree(folder, AbortSignal.abort());
});
