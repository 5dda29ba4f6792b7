import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { expect, test, vi } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { addSweepCommand } from "../../../train/commands/sweep.ts";
import { readCellLines } from "../../../train/sweep/cell-lines.ts";
import { cellsOf, parseShard, shardOf } from "../../../train/sweep/cells.ts";
import { requireFigures } from "../../../train/sweep/requirements.ts";
import type { CellOutcome } from "../../../train/sweep/run-cell.ts";
import { runSweep, type SweepRequest } from "../../../train/sweep/run-sweep.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";
import { smallPlan } from "./plan.ts";

const figure = { value: 0.5, unit: "1", estimator: "a test" };
const figures = { "mig-hist20-means": figure, reconstruction: figure };
const finished: CellOutcome = { kind: "finished", figures, seconds: 2, device: "cpu" };

function requestFor(outDir: string, changes: Partial<SweepRequest> = {}): SweepRequest {
  const plan = { sweep: smallPlan(), budget: "full", outDir };
  return { ...plan, workers: 2, threads: 1, device: "cpu", reports: false, run: async () => finished, ...changes };
}

test("the cells of a plan are its variants with its seeds, seed by seed, each with its own recipe", async () => {
  const cells = await cellsOf(smallPlan(), "full");
  expect(cells.map(({ name }) => name)).toEqual([
    "vae.vanilla-seed0",
    "vae.split-seed0",
    "vae.vanilla-seed1",
    "vae.split-seed1",
    "vae.vanilla-seed2",
    "vae.split-seed2",
  ]);
  expect(cells[3]!.recipe.training.seed).toBe(1);
  expect(cells[0]!.recipe.model).toMatchObject({ objective: "vae", encoder: { kind: "vanilla" } });
  expect(cells[1]!.recipe.model).toMatchObject({ encoder: { kind: "split", branchWidth: 3 } });
  expect(new Set(cells.map(({ recipeHash }) => recipeHash)).size).toBe(6);
});

test("a budget changes recipes and seeds, and its cells are other ones", async () => {
  const [cell, ...others] = await cellsOf(smallPlan({ seeds: [7] }), "tiny");
  expect(others).toHaveLength(1);
  expect(cell!.recipe.training).toMatchObject({ seed: 7, steps: 1 });
  const [full] = await cellsOf(smallPlan({ seeds: [7] }), "full");
  expect(full!.recipeHash).not.toBe(cell!.recipeHash);
});

test("shards have every cell once, and each some of every variant", async () => {
  const cells = await cellsOf(smallPlan(), "full");
  const shards = [1, 2, 3].map((index) => shardOf(cells, { index, count: 3 }));
  expect(shards.flat().length).toBe(6);
  expect(new Set(shards.flat())).toEqual(new Set(cells));
  expect(parseShard("2/3")).toEqual({ index: 2, count: 3 });
  for (const wrong of ["0/3", "4/3", "1", "a/b", "1/0"]) expect(() => parseShard(wrong)).toThrow(UsageError);
});

test("a variant whose recipe is not valid is named", async () => {
  const plan = smallPlan({
    variants: [{ name: "odd", set: { "model.objective": "gan" } }],
    comparisons: [],
    charts: [],
  });
  await expect(cellsOf(plan, "full")).rejects.toThrow(/Cannot use variant "odd" of sweep "small".*must be one of vae/);
});

test("a variant that puts a number in place of the training is named, whatever its seed", async () => {
  const plan = smallPlan({ variants: [{ name: "odd", set: { training: 5 } }], comparisons: [], charts: [] });
  await expect(cellsOf(plan, "full")).rejects.toThrow(
    /^Cannot use variant "odd" of sweep "small".*"training" must be object, got 5$/,
  );
});

test("a cell that fails is noted and stops no other; run again, it alone is tried again", async () => {
  const outDir = temporaryFolder();
  const tried: string[] = [];
  const run: SweepRequest["run"] = async (request) => {
    tried.push(path.basename(request.outDir));
    return request.outDir.endsWith("vae.split-seed1") && tried.length <= 6
      ? { kind: "failed", message: "the loss must be finite" }
      : finished;
  };
  const first = await runSweep(requestFor(outDir, { run }));
  expect(first).toEqual({ cells: 6, finished: 5, failed: 1, interrupted: false });
  expect((await readCellLines(outDir)).get("vae.split-seed1")).toMatchObject({
    status: "failed",
    error: "the loss must be finite",
  });
  const second = await runSweep(requestFor(outDir, { run }));
  expect(tried.slice(6)).toEqual(["vae.split-seed1"]);
  expect(second).toEqual({ cells: 6, finished: 6, failed: 0, interrupted: false });
  expect((await readCellLines(outDir)).size).toBe(6);
});

test("a plan that names a figure which its cells do not have ends after the first one, and goes on once it is right", async () => {
  const outDir = temporaryFolder();
  const tried: string[] = [];
  const run: SweepRequest["run"] = async (request, { signal }) => {
    tried.push(path.basename(request.outDir));
    if (tried.length === 1) return finished;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { kind: "interrupted" };
  };
  const wrong = smallPlan({ quantities: { mig: "mig-hist20-mean", reconstruction: "reconstruction" } });
  const message =
    'Cannot report sweep "small": its quantity "mig" must be a figure that cell "vae.vanilla-seed0" has, got "mig-hist20-mean", did you mean "mig-hist20-means"?';
  await expect(runSweep(requestFor(outDir, { sweep: wrong, run }))).rejects.toThrow(message);
  expect(tried).toHaveLength(2);
  await expect(runSweep(requestFor(outDir, { sweep: wrong, run }))).rejects.toThrow(message);
  expect(tried).toHaveLength(2);
  const again: string[] = [];
  const rest: SweepRequest["run"] = async (request) => {
    again.push(path.basename(request.outDir));
    return finished;
  };
  expect(await runSweep(requestFor(outDir, { run: rest }))).toMatchObject({ finished: 6 });
  expect(again).toHaveLength(5);
});

test("a figure that nothing is claimed about may be missing in some cells, not in all", async () => {
  const plan = smallPlan({ quantities: { mig: "mig-hist20-means", rate: "rate.common" } });
  const none = runSweep(requestFor(temporaryFolder(), { sweep: plan }));
  await expect(none).rejects.toThrow('its quantity "rate" must be a figure that a cell has, got "rate.common"');
  const run: SweepRequest["run"] = async ({ outDir }) =>
    outDir.endsWith("vae.split-seed2") ? { ...finished, figures: { ...figures, "rate.common": figure } } : finished;
  expect(await runSweep(requestFor(temporaryFolder(), { sweep: plan, run }))).toMatchObject({ finished: 6 });
});

test("cells that failed may yet bring a figure: what the others say is reported", async () => {
  const plan = smallPlan({ quantities: { mig: "mig-hist20-means", rate: "rate.common" } });
  const outDir = temporaryFolder();
  const run: SweepRequest["run"] = async (request) =>
    request.outDir.endsWith("vae.split-seed2") ? { kind: "failed", message: "no memory" } : finished;
  expect(await runSweep(requestFor(outDir, { sweep: plan, run }))).toMatchObject({ finished: 5, failed: 1 });
  const lines = [...(await readCellLines(outDir)).values()];
  expect(() => requireFigures(plan, lines, lines.length)).not.toThrow();
});

test("a sweep whose data is not there is refused before its first cell, and leaves no folder", async () => {
  const outDir = path.join(temporaryFolder(), "sweep");
  const data = { source: "cars3d" };
  const variants = smallPlan().variants.map((variant) => ({ ...variant, set: { ...variant.set, data } }));
  await expect(runSweep(requestFor(outDir, { sweep: smallPlan({ variants }) }))).rejects.toThrow("got no data folder");
  expect(existsSync(outDir)).toBe(false);
});

test("no more cells run at a time than there are workers", async () => {
  let [running, most] = [0, 0];
  const run: SweepRequest["run"] = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return finished;
  };
  await runSweep(requestFor(temporaryFolder(), { run, workers: 2 }));
  expect(most).toBe(2);
});

test("an interrupted sweep notes nothing of the cell in work and goes on with it", async () => {
  const outDir = temporaryFolder();
  const controller = new AbortController();
  const run: SweepRequest["run"] = async (request) => {
    if (!request.outDir.endsWith("vae.split-seed0")) return finished;
    controller.abort();
    return { kind: "interrupted" };
  };
  const request = requestFor(outDir, { run, workers: 1, signal: controller.signal });
  expect(await runSweep(request)).toEqual({ cells: 6, finished: 1, failed: 0, interrupted: true });
  expect([...(await readCellLines(outDir)).keys()]).toEqual(["vae.vanilla-seed0"]);
  expect(await runSweep(requestFor(outDir))).toMatchObject({ finished: 6, interrupted: false });
});

test("shards write files of their own, and together they are the sweep", async () => {
  const outDir = temporaryFolder();
  for (const index of [1, 2]) await runSweep(requestFor(outDir, { shard: { index, count: 2 } }));
  expect(readdirSync(outDir).sort()).toEqual(["cells-1-of-2.jsonl", "cells-2-of-2.jsonl", "sweep.json"]);
  expect((await readCellLines(outDir)).size).toBe(6);
  const ran: string[] = [];
  const note: SweepRequest["run"] = async ({ outDir: cell }) => {
    ran.push(cell);
    return finished;
  };
  await runSweep(requestFor(outDir, { run: note }));
  expect(ran).toEqual([]);
});

test("half a line that a killed process left costs its own cell alone", async () => {
  const outDir = temporaryFolder();
  await runSweep(requestFor(outDir, { shard: { index: 1, count: 6 } }));
  const file = path.join(outDir, "cells-1-of-6.jsonl");
  appendFileSync(file, '{"cell":"vae.split-se');
  expect((await readCellLines(outDir)).size).toBe(1);
  await runSweep(requestFor(outDir, { shard: { index: 1, count: 6 }, sweep: smallPlan({ seeds: [0, 1, 2, 3] }) }));
  expect((await readCellLines(outDir)).size).toBe(2);
  expect(
    readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .every((line) => JSON.parse(line).cell),
  ).toBe(true);
  appendFileSync(file, "not json\n");
  await expect(readCellLines(outDir)).rejects.toThrow(FailureError);
});

test("a folder with another sweep, another budget or cells of other recipes is refused", async () => {
  const outDir = temporaryFolder();
  await runSweep(requestFor(outDir));
  await expect(runSweep(requestFor(outDir, { budget: "tiny" }))).rejects.toThrow(/budget tiny or nothing/);
  const other = smallPlan({ name: "other" });
  await expect(runSweep(requestFor(outDir, { sweep: other }))).rejects.toThrow(UsageError);
  const longer = smallPlan();
  const changed = { ...longer, set: { ...longer.set, "training.steps": 4 } };
  await expect(runSweep(requestFor(outDir, { sweep: changed }))).rejects.toThrow(/one that ended with another/);
  expect(JSON.parse(readFileSync(path.join(outDir, "sweep.json"), "utf8")).sweep).toEqual(smallPlan());
});

test("a report is of the plan and budget that the cells were trained with, and of no other", async () => {
  const folder = temporaryFolder();
  const [plan, outDir] = [path.join(folder, "plan.json"), path.join(folder, "sweep")];
  writeFileSync(plan, JSON.stringify(smallPlan()));
  await runSweep(requestFor(outDir, { budget: "tiny" }));
  const report = async (...budget: string[]): Promise<void> => {
    const program = new Command();
    addSweepCommand(program);
    await program.parseAsync(["sweep", plan, "--out", outDir, "--report-only", "--quiet", ...budget], { from: "user" });
  };
  rmSync(path.join(outDir, "sweep.json")); // as where the lines of several machines were brought together
  await expect(report()).rejects.toThrow("must hold finished cells, got none"); // of other seeds
  writeFileSync(plan, JSON.stringify(smallPlan({ seeds: [7] })));
  await expect(report()).rejects.toThrow("one that ended with another"); // of more steps
  await runSweep(requestFor(outDir, { budget: "tiny" }));
  await expect(report()).rejects.toThrow('with budget full or nothing, got "small" with budget tiny');
  expect(existsSync(path.join(outDir, "summary.json"))).toBe(false);
  const print = vi.spyOn(console, "log").mockReturnValue();
  await report("--budget", "tiny");
  expect(print).toHaveBeenCalledWith(expect.stringContaining("2 of 2 cells finished"));
  print.mockRestore();
});

test("cells train and evaluate in processes of their own; one whose data is missing fails alone", async () => {
  const outDir = temporaryFolder();
  const [first] = smallPlan().variants;
  const variants = [first!, { name: "no-files", set: { ...first!.set, data: { source: "dsprites-file", views: 1 } } }];
  const sweep = smallPlan({ variants, seeds: [3], comparisons: [], charts: [] });
  const { run: _fake, ...request } = requestFor(outDir, { sweep });
  expect(await runSweep(request)).toMatchObject({ finished: 1, failed: 1 });
  const lines = await readCellLines(outDir);
  const done = lines.get("vae.vanilla-seed3")!;
  expect(done.figures["mig-hist20-means"]!.value).toBeGreaterThanOrEqual(0);
  expect(done.figures.reconstruction!.value).toBeGreaterThan(0);
  expect(lines.get("no-files-seed3")!.error).toMatch(/it needs "dsprites_.*npz", got no data folder/);
  expect(existsSync(path.join(outDir, "cells", "vae.vanilla-seed3", "results.json"))).toBe(true);
});
