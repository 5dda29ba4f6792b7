import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Figure } from "../../../schemas/manifest.ts";
import type { NotComputed } from "../../../schemas/results.ts";
import type { SweepSummary } from "../../../schemas/sweep.ts";
import { readRecipe } from "../../../train/recipes/read-recipe.ts";

/** What the tests of publishing publish: folders as `cominfo evaluate` and `cominfo sweep` leave them. */

export const folder = mkdtempSync(path.join(tmpdir(), "cominfo-publish-"));
const markers = "# Results\n\n<!-- written by `cominfo results` from here -->\nold\n<!-- to here -->\nafter\n";

const figure = (value: number): Figure => ({
  quantity: "usable.shape.common",
  unit: "bits",
  value,
  estimator: "linear probe",
  n: 800,
  seed: 1,
  interval: [value - 0.1, value + 0.1],
  minimum: 1,
  met: value >= 1,
});

/** Folder of an evaluated run of `recipe`. */
export async function run(
  at: string,
  {
    seed,
    value,
    notComputed,
    recipe: name = "quickstart",
    pairs = 4000,
    stoppedAt,
    name: own,
    ...changes
  }: {
    seed: number;
    value: number;
    notComputed?: NotComputed[];
    recipe?: string;
    pairs?: number;
    budget?: string;
    steps?: number;
    set?: string[];
    /** Where the training was stopped; left out: at its end. */
    stoppedAt?: number;
    /** Of a recipe of one's own. */
    name?: string;
  },
): Promise<string> {
  const dir = path.join(folder, at);
  mkdirSync(dir);
  const recipe = { ...(await readRecipe(name, { seed, ...changes })), ...(own === undefined ? {} : { name: own }) };
  const write = (file: string, content: unknown): void => writeFileSync(path.join(dir, file), JSON.stringify(content));
  write("recipe.json", recipe);
  write("run.json", {
    format: 1,
    status: "finished",
    step: recipe.training.steps,
    steps: recipe.training.steps,
    seconds: 1,
    engine: "compiled",
    device: "cpu",
  });
  write("results.json", {
    format: 1,
    experiment: recipe.name,
    family: recipe.family,
    seed,
    step: stoppedAt ?? recipe.training.steps,
    steps: recipe.training.steps,
    pairs,
    data: { name: "dsprites", summary: "sprites", factors: [], provenance: {} },
    figures: [figure(value)],
    notComputed,
    created: "2026-01-02T03:04:05Z",
    producer: "cominfo",
  });
  return dir;
}

/** A folder of results.json and results.md. */
export function docs(name: string, page = markers): string {
  const dir = path.join(folder, name);
  mkdirSync(dir);
  writeFileSync(path.join(dir, "results.md"), page);
  return dir;
}

/** Of two variants with three seeds; one effect is clear and one is not. Trends came later: a summary may lack them. */
export function sweepSummary(sweep = "split-encoder"): Omit<SweepSummary, "trends"> {
  const median = {
    quantity: "mig",
    unit: "1",
    estimator: "a test",
    seeds: [0, 1, 2],
    values: [1, 2, 3],
    interval: [1, 3],
  };
  const effect = {
    of: "a",
    against: "b",
    quantity: "mig",
    unit: "1",
    difference: 1,
    claim: "higher",
    source: "figure 3",
  } as const;
  return {
    format: 1,
    sweep,
    title: "t",
    source: "s",
    budget: "reduced",
    label: "less",
    command: `cominfo sweep ${sweep} --budget reduced`,
    planned: 6,
    finished: 6,
    medians: ["a", "b"].map((variant, i) => ({ ...median, variant, median: 2 - i })),
    comparisons: [
      { ...effect, interval: [-1, 2], agrees: true, isClear: false },
      {
        ...effect,
        quantity: "reconstruction",
        claim: "lower",
        difference: -1,
        interval: [-2, -0.5],
        agrees: true,
        isClear: true,
      },
    ],
    failures: [],
    steps: 10,
    batchSize: 4,
    seconds: 1,
    device: "cpu",
    created: "2026-01-02T03:04:05Z",
    producer: "cominfo",
  };
}
