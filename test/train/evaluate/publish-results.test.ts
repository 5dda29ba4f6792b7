import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { publishResults } from "../../../train/evaluate/publish-results.ts";
import { docs, folder, run, sweepSummary } from "./evaluated-folders.ts";

test("publishResults() makes one row of two seeds: their mean, and the smaller and larger as interval", async () => {
  const at = docs("two");
  const rows = await publishResults(
    [await run("a", { seed: 1, value: 1.5 }), await run("b", { seed: 2, value: 1 })],
    at,
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    ours: 1.25,
    interval: [1, 1.5],
    seeds: [1, 2],
    met: true,
    device: "cpu",
    date: "2026-01-02",
  });
  expect(rows[0]!.budget).toMatch(/^full: \d+ steps of \d+$/);
  expect(JSON.parse(readFileSync(path.join(at, "results.json"), "utf8"))).toEqual(rows);
  const page = readFileSync(path.join(at, "results.md"), "utf8");
  expect(page).toContain("| `usable.shape.common` |  | 1.250 bits | 1.000 to 1.500 | ≥ 1 | yes |");
  expect(page).not.toContain("old");
  expect(page.endsWith("<!-- to here -->\nafter\n")).toBe(true);
});

test("publishResults() replaces the rows of an experiment and keeps those of others", async () => {
  const at = docs("again");
  const [first] = await publishResults([await run("c", { seed: 1, value: 0.5 })], at);
  expect(first!.met).toBe(false);
  writeFileSync(path.join(at, "results.json"), JSON.stringify([first, { ...first, experiment: "another" }]));
  const rows = await publishResults([await run("d", { seed: 1, value: 1.5 })], at);
  expect(rows.map(({ experiment, ours }) => [experiment, ours])).toEqual([
    ["another", 0.5],
    ["quickstart", 1.5],
  ]);
});

test("publishResults() refuses a run that is not evaluated, mixed budgets, equal seeds, and a page without its markers", async () => {
  const at = docs("bad");
  await expect(publishResults([folder], at)).rejects.toThrow(/must hold recipe.json, got none/);
  const [e, f] = [await run("e", { seed: 1, value: 1 }), await run("f", { seed: 2, value: 1, steps: 7 })];
  await expect(publishResults([e, f], at)).rejects.toThrow(/one budget, got full: .* and custom: 7 steps/);
  await expect(publishResults([e, e], at)).rejects.toThrow(/different seeds, got 1,1/);
  await expect(publishResults([e], docs("plain", "nothing here"))).rejects.toThrow(/must hold the lines/);
});

test("what a run changed of its recipe stands in the command that repeats it, and is not mixed with runs that did not", async () => {
  const changed = { value: 1, set: ["model.weights.matching=0.4", "data.size=64", "model.image.size=64"] };
  const g = await run("g", { seed: 1, ...changed });
  const [row] = await publishResults([g], docs("changed"));
  expect(row!.command).toContain("--set model.image.size=64 --set model.weights.matching=0.4 --set data.size=64 &&");
  const h = await run("h", { seed: 2, value: 1 });
  await expect(publishResults([g, h], docs("unlike"))).rejects.toThrow(
    /same model, data and evaluation, got model.image.size=64 model.weights.matching=0.4 data.size=64 and the recipe's/,
  );
  expect((await publishResults([h], docs("plainly")))[0]!.command).not.toContain("--set");
  const trees = await run("trees", { seed: 3, value: 1, set: ["evaluation.classifier=trees"] });
  const [measured] = await publishResults([trees], docs("measured"));
  expect(measured!.command).toContain("--seed 3 --set evaluation.classifier=trees && cominfo evaluate");
  await expect(publishResults([h, trees], docs("mixed"))).rejects.toThrow("same model, data and evaluation");
});

test("a run that was stopped is published only where a training of so many steps would have had its values", async () => {
  const cut = { value: 1, steps: 400, stoppedAt: 50 };
  const plain = await run("stopped", { seed: 1, ...cut });
  expect((await publishResults([plain], docs("stopped-docs")))[0]!.command).toContain("--steps 50 ");
  const falling = await run("falling", { seed: 1, ...cut, set: ["model.learningRateEnd=0.01"] });
  await expect(publishResults([falling], docs("falling-docs"))).rejects.toThrow(
    "its training must be at its end, since its schedules are, got step 50 of 400",
  );
  const atItsEnd = await run("fallen", { seed: 1, value: 1, steps: 400, set: ["model.learningRateEnd=0.01"] });
  expect(await publishResults([atItsEnd], docs("fallen-docs"))).toHaveLength(1);
});

test("a recipe of one's own is repeated from the run's own file, which its name would not find", async () => {
  const mine = await run("mine", { seed: 7, value: 1, name: "mine", steps: 10 });
  expect((await publishResults([mine], docs("mine-docs")))[0]!.command).toBe(
    "cominfo train RUN/recipe.json --out runs/mine && cominfo evaluate runs/mine",
  );
});

test("a sweep's folder becomes a row for each median and each effect, met only where the whole interval is", async () => {
  const dir = path.join(folder, "swept");
  mkdirSync(dir);
  const summary = sweepSummary();
  writeFileSync(path.join(dir, "sweep.json"), "{}");
  await expect(publishResults([dir], docs("unswept"))).rejects.toThrow(
    /must hold summary.json, got none; sweep it first/,
  );
  writeFileSync(path.join(dir, "summary.json"), JSON.stringify(summary));
  const rows = await publishResults([dir], docs("sweeps"));
  expect(rows.map(({ quantity, ours, minimum, maximum, met }) => [quantity, ours, minimum, maximum, met])).toEqual([
    ["mig_gain.a.over.b", 1, 0, undefined, false],
    ["mig_median.a", 2, undefined, undefined, undefined],
    ["mig_median.b", 1, undefined, undefined, undefined],
    ["reconstruction_gain.a.over.b", -1, undefined, 0, true],
  ]);
  expect(rows[0]).toMatchObject({ experiment: "split-encoder", budget: "reduced: 10 steps of 4", seeds: [0, 1, 2] });
  expect(rows[0]!.command).toBe("cominfo sweep split-encoder --budget reduced");
});

test("publishResults() makes the folder that it is given, and refuses a file in its place in one line", async () => {
  const at = path.join(folder, "not", "there");
  const i = await run("i", { seed: 1, value: 1 });
  const rows = await publishResults([i], at);
  expect(JSON.parse(readFileSync(path.join(at, "results.json"), "utf8"))).toEqual(rows);
  expect(readFileSync(path.join(at, "results.md"), "utf8")).toContain("| `usable.shape.common` |  | 1.000 bits |");
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  await expect(publishResults([i], file)).rejects.toThrow(
    `Cannot publish results: folder "${file}" must be a folder, got a file`,
  );
});

test("a file that is no JSON is one line that names it, whichever of the files it is", async () => {
  const j = await run("j", { seed: 1, value: 1 });
  const at = docs("damaged");
  writeFileSync(path.join(at, "results.json"), "[{");
  await expect(publishResults([j], at)).rejects.toThrow(
    `Cannot read "${path.join(at, "results.json")}": it must be JSON`,
  );
  writeFileSync(path.join(j, "results.json"), '{"figures": [');
  await expect(publishResults([j], docs("whole"))).rejects.toThrow(`Cannot read "${path.join(j, "results.json")}"`);
  writeFileSync(path.join(j, "sweep.json"), "{}");
  writeFileSync(path.join(j, "summary.json"), "{");
  await expect(publishResults([j], docs("swept-damaged"))).rejects.toThrow(/summary.json": it must be JSON/);
});

test("outside of a git checkout the commit is unknown, and git's complaint is kept off the terminal", async () => {
  const [dir, at] = [await run("bare", { seed: 1, value: 1 }), path.join(folder, "unversioned")];
  const script = path.join(folder, "publish.mjs");
  writeFileSync(
    script,
    `const { publishResults } = await import("${path.resolve("train/evaluate/publish-results.ts")}");
console.log((await publishResults(["${dir}"], "${at}"))[0].commit);`,
  );
  const both = `node --no-warnings --import "${path.resolve("test/typescript.mjs")}" "${script}" 2>&1`;
  expect(execFileSync("sh", ["-c", both], { cwd: folder, encoding: "utf8" })).toBe("unknown\n");
});

test("a figure that one seed could not compute is a row without a number that says which seed, and why", async () => {
  const quantity = "mutual_information.views.nwj";
  const notComputed = [{ quantity, unit: "bits", estimator: "NWJ", reason: "its value is -Infinity" }];
  const [k, l] = [await run("k", { seed: 1, value: 1 }), await run("l", { seed: 2, value: 1, notComputed })];
  const at = docs("missing");
  const rows = await publishResults([k, l], at);
  expect(rows.map((row) => row.quantity)).toEqual([quantity, "usable.shape.common"]);
  expect(rows[0]).toMatchObject({ estimator: "NWJ", seeds: [1, 2], notComputed: "seed 2: its value is -Infinity" });
  expect(rows[0]).not.toHaveProperty("ours");
  expect(readFileSync(path.join(at, "results.md"), "utf8")).toContain(
    `| \`${quantity}\` | not computed: seed 2: its value is -Infinity |  |`,
  );
});
