import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { CellLine } from "../../../schemas/sweep.ts";
import { tableOf } from "../../../train/commands/sweep.ts";
import { sweepRows } from "../../../train/evaluate/sweep-rows.ts";
import { cellsOf } from "../../../train/sweep/cells.ts";
import { readSweep, sweepNames } from "../../../train/sweep/read-sweep.ts";
import { summarise } from "../../../train/sweep/summarise.ts";
import { pText } from "../../../train/sweep/verdict.ts";
import { violinOf } from "../../../train/sweep/violin.ts";
import { sweepPage, writeSweepReport } from "../../../train/sweep/write-sweep-report.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";
import { smallPlan } from "./plan.ts";

function lineOf(variant: string, seed: number, mig: number, status: "finished" | "failed" = "finished"): CellLine {
  const figure = (value: number, unit: string) => ({ value, unit, estimator: "a test" });
  return {
    cell: `${variant}-seed${seed}`,
    variant,
    seed,
    recipeHash: "x",
    status,
    ...(status === "failed" ? { error: "it broke" } : {}),
    figures:
      status === "failed" ? {} : { "mig-hist20-means": figure(mig, "1"), reconstruction: figure(50 - mig, "nats") },
    steps: 3,
    batchSize: 4,
    seconds: 10,
    device: "cpu",
    created: "2026-01-01T00:00:00.000Z",
    producer: "a test",
  };
}

const cells = await cellsOf(smallPlan(), "full");
const vanilla = [0.1, 0.3, 0.2, 0.15, 0.25].map((mig, seed) => lineOf("vae.vanilla", seed, mig));
const split = [0.5, 0.7, 0.6, 0.55, 0.65].map((mig, seed) => lineOf("vae.split", seed, mig));

test("medians are over seeds, and a difference of medians is judged by its interval", () => {
  const summary = summarise({ sweep: smallPlan(), budget: "full" }, [...split, ...vanilla], cells);
  const [first] = summary.medians;
  expect(first).toMatchObject({ variant: "vae.vanilla", quantity: "mig", median: 0.2, seeds: [0, 1, 2, 3, 4] });
  expect(first!.interval![0]).toBeGreaterThanOrEqual(0.1);
  expect(first!.interval![1]).toBeLessThanOrEqual(0.3);
  expect(first!.interval![0]).toBeLessThan(0.2);
  const [effect] = summary.comparisons;
  expect(effect!.difference).toBeCloseTo(0.4, 12);
  expect(effect).toMatchObject({ claim: "higher", agrees: true, isClear: true });
  expect(effect!.interval![0]).toBeGreaterThan(0.2);
  expect(effect!.interval![1]).toBeLessThan(0.6);
});

test("a summary bears the date of its newest cell, whenever it is written", () => {
  const later = { ...split[0]!, created: "2026-02-03T00:00:00.000Z" };
  const { created } = summarise({ sweep: smallPlan(), budget: "full" }, [later, ...split.slice(1), ...vanilla], cells);
  expect(created).toBe("2026-02-03T00:00:00.000Z");
});

test("an effect against its claim, and one that the interval does not tell from none, are said to be so", () => {
  const lower = smallPlan({
    comparisons: [{ of: "vae.split", against: "vae.vanilla", quantity: "mig", claim: "lower", source: "x" }],
  });
  expect(summarise({ sweep: lower, budget: "full" }, [...split, ...vanilla], cells).comparisons[0]).toMatchObject({
    agrees: false,
    isClear: true,
  });
  const alike = vanilla.map(({ seed }) => lineOf("vae.split", seed, [0.31, 0.1, 0.2, 0.26, 0.14][seed]!));
  expect(summarise({ sweep: smallPlan(), budget: "full" }, [...alike, ...vanilla], cells).comparisons[0]!.isClear).toBe(
    false,
  );
});

test("two seeds make no effect clear, whatever their interval", () => {
  const lines = [...vanilla.slice(0, 2), ...split.slice(0, 2)];
  const [effect] = summarise({ sweep: smallPlan(), budget: "full" }, lines, cells).comparisons;
  expect(effect!.interval![0]).toBeGreaterThan(0);
  expect(effect).toMatchObject({ agrees: true, isClear: false });
});

test("one seed has no interval anywhere: a width of 0 would pass for certainty", async () => {
  const summary = summarise({ sweep: smallPlan(), budget: "full" }, [vanilla[0]!, split[0]!], cells);
  const rows = [...summary.medians, ...summary.comparisons, ...sweepRows(summary)];
  expect(rows.filter(({ interval }) => interval !== undefined)).toEqual([]);
  expect(tableOf(summary)).toMatch(/mig +0\.100 \(1 seed\)/);
  expect(tableOf(summary)).toContain("0.400; claimed higher: not clear");
  expect(sweepPage(summary, smallPlan())).not.toContain("0.100 to 0.100");
});

test("failed cells are listed and count for nothing; a variant without a cell has no row", () => {
  const lines = [...vanilla, lineOf("vae.split", 0, 0, "failed")];
  const summary = summarise({ sweep: smallPlan(), budget: "full" }, lines, cells);
  expect(summary.failures).toEqual([{ cell: "vae.split-seed0", error: "it broke" }]);
  expect(summary.medians.map(({ variant }) => variant)).toEqual(["vae.vanilla", "vae.vanilla"]);
  expect(summary.comparisons).toEqual([]);
  expect(tableOf(summary)).toContain("FAILED vae.split-seed0: it broke");
});

test("the report is one page that loads nothing, with a violin and a scatter chart and every effect", async () => {
  const outDir = temporaryFolder();
  const plan = { sweep: smallPlan({ identity: true }), budget: "tiny" };
  await writeSweepReport(outDir, plan, { lines: [...vanilla, ...split], planned: cells });
  const page = readFileSync(path.join(outDir, "report.html"), "utf8");
  expect(page).not.toMatch(/(src|href)="http/);
  expect(page.match(/<svg[^>]*role="img"/g)).toHaveLength(3);
  expect(page).toContain("vae.split against vae.vanilla");
  expect(page).toContain("one step, one seed");
  expect(page).toContain("Theorem 2 on Gaussian encoders");
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
  expect(JSON.parse(readFileSync(path.join(outDir, "summary.json"), "utf8")).finished).toBe(10);
});

test("the command that repeats a sweep asks for the files that its recipes read", async () => {
  expect(summarise({ sweep: smallPlan(), budget: "tiny" }, vanilla, cells).command).toBe(
    "cominfo sweep small.json --budget tiny",
  );
  const filed = await cellsOf(await readSweep("sprites-video"), "full");
  expect(summarise({ sweep: smallPlan(), budget: "full" }, vanilla, filed).command).toBe(
    "cominfo sweep small.json --data DIR",
  );
  const ofPackage = await readSweep("sprites-video");
  expect(summarise({ sweep: ofPackage, budget: "full" }, [], filed).command).toBe(
    "cominfo sweep sprites-video --data DIR",
  );
});

const delays = [1, 2, 3, 4, 5, 6].map((at) => ({ variant: `t${at}`, at }));
const video = smallPlan({
  variants: delays.map(({ variant }) => ({ name: variant })),
  comparisons: [],
  charts: [],
  trends: [{ title: "Delay", quantity: "mig", axis: "frames", points: delays, claim: "falling", source: "figure 4" }],
});

test("no p-value is shown as zero", () => {
  expect([0.0001, 0.00099, 0.001, 0.0506].map(pText)).toEqual(["p < 0.001", "p < 0.001", "p = 0.001", "p = 0.051"]);
});

test("a curve is judged by its rank correlation, which one seed a variant is enough for", async () => {
  const lines = delays.map(({ variant, at }) => lineOf(variant, 0, Math.exp(-at)));
  const summary = summarise({ sweep: video, budget: "full" }, lines, cells);
  expect(summary.trends).toHaveLength(1);
  expect(summary.trends[0]).toMatchObject({ claim: "falling", agrees: true, isClear: true, unit: "1" });
  expect(summary.trends[0]!.correlation).toBeCloseTo(-1, 12);
  expect(tableOf(summary)).toContain("mig against frames: -1.00 (p = 0.00");
  expect(sweepRows(summary).find(({ quantity }) => quantity === "mig_trend")).toMatchObject({ maximum: 0, met: true });
  const outDir = temporaryFolder();
  await writeSweepReport(outDir, { sweep: video, budget: "full" }, { lines, planned: cells });
  const page = readFileSync(path.join(outDir, "report.html"), "utf8");
  expect(page).toContain("Rank correlation −1.00");
  expect(page).toMatch(/Claimed falling \(figure 4\): <span class="met">agrees<\/span>/);
  expect(page).toContain('aria-label="Delay: 0.368 at 1, 0.135 at 2');
});

test("a curve that goes the other way does not agree, and one of two finished variants is not clear", () => {
  const rising = delays.map(({ variant, at }) => lineOf(variant, 0, at));
  expect(summarise({ sweep: video, budget: "full" }, rising, cells).trends[0]).toMatchObject({
    agrees: false,
    isClear: true,
  });
  const two = summarise({ sweep: video, budget: "full" }, [lineOf("t1", 0, 0.5), lineOf("t4", 0, 0.2)], cells);
  expect(two.trends[0]).toMatchObject({ agrees: true, isClear: false });
  expect(summarise({ sweep: video, budget: "full" }, [lineOf("t1", 0, 0.5)], cells).trends).toEqual([]);
});

test("more variants than a chart holds beside each other get the page's width, and none looks like another", () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const sweep = smallPlan({
    variants: names.map((name) => ({ name })),
    comparisons: [],
    charts: [{ title: "All", variants: names, source: "figure 2" }],
  });
  const lines = names.map((name, i) => lineOf(name, 0, i / 10));
  const page = sweepPage(summarise({ sweep, budget: "full" }, lines, cells), sweep);
  expect(page).toContain('<figure class="wide"><h3>mig by variant</h3>');
  const signs = [...page.matchAll(/<li><span style="color:(.*?)" aria-hidden="true">(.)<\/span>/g)];
  expect(new Set(signs.map(([, colour, sign]) => `${colour} ${sign}`)).size).toBe(names.length);
});

test("a violin has the statistics of a box plot and is widest where values crowd", () => {
  const violin = violinOf([1, 2, 3, 4, 100]);
  expect(violin.median).toBe(3);
  expect(violin.quartiles).toEqual([2, 4]);
  expect(violin.adjacent).toEqual([1, 4]);
  const crowd = violinOf([0, 0.9, 1, 1, 1.1, 2]);
  const widest = crowd.outline.reduce((most, point) => (point.width > most.width ? point : most));
  expect(widest.value).toBeCloseTo(1, 1);
  expect(widest.width).toBe(1);
  expect(violinOf([1, 1, 1, 1]).outline).toEqual([]);
  expect(violinOf([1, 2, 3]).outline).toEqual([]);
});

for (const name of sweepNames()) {
  test(`plan ${name} bears its file's name, and all its recipes are valid with every budget`, async () => {
    const plan = await readSweep(name);
    expect(plan.name).toBe(name);
    const full = await cellsOf(plan, "full");
    expect(full).toHaveLength(plan.variants.length * plan.seeds.length);
    if (name.startsWith("split-encoder"))
      for (const { recipe } of full) expect(recipe.training).toMatchObject({ steps: 300_000, batchSize: 64 });
    for (const budget of Object.keys(plan.budgets)) expect((await cellsOf(plan, budget)).length).toBeGreaterThan(0);
  });
}
