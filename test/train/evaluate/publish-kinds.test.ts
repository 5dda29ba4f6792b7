import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { publishResults } from "../../../train/evaluate/publish-results.ts";
import { docs, folder, run, sweepSummary } from "./evaluated-folders.ts";

/** Which rows belong together, and which of them a later publication replaces. */

function swept(name: string): string {
  const dir = path.join(folder, `swept-${name}`);
  mkdirSync(dir);
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
