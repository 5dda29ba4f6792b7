import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { lockSweep } from "../../../train/sweep/lock-sweep.ts";
import { runSweep, type SweepRequest } from "../../../train/sweep/run-sweep.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";
import { smallPlan } from "./plan.ts";

/** Two sweeps at once in one folder. */

const inUse = (folder: string): string =>
  `Cannot sweep into "${folder}": the folder must be free, got one in use by process ${process.pid}; use another --out`;

test("a second sweep into a folder is refused at its start and told the process, and the first one is not disturbed", async () => {
  const outDir = temporaryFolder();
  const request = { sweep: smallPlan(), budget: "full", outDir, workers: 1, threads: 1, device: "cpu" } as const;
  let second: Promise<unknown> | undefined;
  const run: NonNullable<SweepRequest["run"]> = async () => {
    const title = "Another title";
    second ??= runSweep({ ...request, sweep: smallPlan({ title }), reports: false, run }).catch((error) => error);
    await second;
    const figure = { value: 1, unit: "1", estimator: "a test" };
    const figures = { "mig-hist20-means": figure, reconstruction: figure };
    return { kind: "finished", figures, seconds: 1, device: "cpu" };
  };
  expect(await runSweep({ ...request, reports: false, run })).toMatchObject({ cells: 6, finished: 6, failed: 0 });
  expect(await second).toMatchObject({ message: expect.stringContaining(inUse(outDir)), code: "folder_in_use" });
  expect(JSON.parse(readFileSync(path.join(outDir, "sweep.json"), "utf8")).sweep).toEqual(smallPlan());
  expect(readdirSync(outDir).sort()).toEqual(["cells.jsonl", "sweep.json"]);
});

test("shards of one division run beside each other; twice the same, another division or the whole would share cells", () => {
  const folder = temporaryFolder();
  const releases = [1, 2].map((index) => lockSweep(folder, { index, count: 3 }));
  for (const other of [{ index: 2, count: 3 }, { index: 1, count: 2 }, undefined]) {
    expect(() => lockSweep(folder, other)).toThrow(inUse(folder));
  }
  for (const release of releases) release();
  const release = lockSweep(folder, undefined);
  expect(() => lockSweep(folder, { index: 1, count: 3 })).toThrow(inUse(folder));
  release();
  expect(readdirSync(folder)).toEqual([]);
});
