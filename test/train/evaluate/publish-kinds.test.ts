import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { publishResults } from "../../../train/evaluate/publish-results.ts";
import { docs, folder, run, sweepSummary } from "./evaluated-folders.ts";

/** Which rows belong together, and which of them a later publication replaces. */

function swept(name: string): string {
  const dir = path.join(folder, `swept-${name}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "sweep.json"), "{}");
  writeFileSync(path.join(dir, "summary.json"), JSON.stringify(sweepSummary(name)));
  return dir;
}

test("a run and a sweep of one name leave each other's rows alone, and replace their own", async () => {
  const at = docs("one-name");
  const [sweep, first] = [swept("beta-unique"), await run("first", { recipe: "beta-unique", seed: 1, value: 0.5 })];
  const again = await run("again", { recipe: "beta-unique", seed: 1, value: 1.5 });
  const figures = async (...published: string[]) =>
    (await publishResults(published, at)).map(({ quantity, ours }) => [quantity, ours]);
  const ofSweep = [
    ["mig_gain.a.over.b", 1],
    ["mig_median.a", 2],
    ["mig_median.b", 1],
    ["reconstruction_gain.a.over.b", -1],
  ];
  expect(await figures(sweep)).toEqual(ofSweep);
  expect(await figures(first)).toEqual([...ofSweep, ["usable.shape.common", 0.5]]);
  expect(await figures(again)).toEqual([...ofSweep, ["usable.shape.common", 1.5]]);
  expect(await figures(sweep)).toEqual([...ofSweep, ["usable.shape.common", 1.5]]);
});

test("a sweep has its plan's words and not those of its recipe, and a section of its own where both have rows", async () => {
  const at = docs("headings");
  const page = () => readFileSync(path.join(at, "results.md"), "utf8");
  const ofRecipe = "Common-3dshapes with more latents than factors: what beta_u does. Source: ";
  const ofPlan = "More latents than factors: what the weight of the unique rate does. Source: ";
  await publishResults([swept("sprites-video"), swept("beta-unique")], at);
  expect(page()).toContain(`\n### beta-unique\n\n${ofPlan}`);
  expect(page()).toContain("section 4.3, figure 4 right.");
  expect(page()).not.toContain(ofRecipe);
  await publishResults([await run("both", { recipe: "beta-unique", seed: 1, value: 0.5 })], at);
  expect(page()).toContain(`\n### beta-unique\n\n${ofRecipe}`);
  expect(page()).toContain(`\n### beta-unique (sweep)\n\n${ofPlan}`);
  expect(page()).toContain("| [beta-unique](#beta-unique) |");
  expect(page()).toContain("| [beta-unique (sweep)](#beta-unique-sweep) | 1 of 2 |");
  expect(page()).toContain("| [sprites-video](#sprites-video) | 1 of 2 |");
});

test("runs that were evaluated with different numbers of pairs are not averaged: both are named", async () => {
  const [many, few] = [await run("many", { seed: 1, value: 1 }), await run("few", { seed: 2, value: 1, pairs: 500 })];
  await expect(publishResults([many, few], docs("pairs"))).rejects.toThrow(
    `its runs must be evaluated with one number of pairs, got 4000 in "${many}" and 500 in "${few}"; evaluate one of them again, with --pairs`,
  );
  expect((await publishResults([few], docs("few-pairs")))[0]!.command).toMatch(/ --pairs 500$/);
});

test("which checkpoints there were stands in the command where figures average over them, and nowhere else", async () => {
  const commandOf = async (name: string, recipe: string, change: { set?: string[]; budget?: string; steps?: number }) =>
    (await publishResults([await run(name, { recipe, seed: 1, value: 1, ...change })], docs(`${name}-docs`)))[0]!
      .command;
  const set = ["training.checkpointEvery=10", "training.keepCheckpoints=7"];
  expect(await commandOf("averaged", "rine-canonical", { set })).toContain(
    " --set training.checkpointEvery=10 --set training.keepCheckpoints=7 &&",
  );
  expect(await commandOf("averaged-plain", "rine-canonical", {})).not.toContain("--set");
  expect(await commandOf("last", "quickstart", { set: set.slice(0, 1) })).not.toContain("--set");
});

test("a number of pairs that the run itself was told stands in the command that repeats it", async () => {
  const told = await run("told", { seed: 1, value: 1, pairs: 500, set: ["evaluation.pairs=500"] });
  const [row] = await publishResults([told], docs("told-docs"));
  expect(row!.command).toBe("cominfo train quickstart --seed 1 && cominfo evaluate runs/quickstart --pairs 500");
});
