import { UsageError } from "../../schemas/errors.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { PublishedRow } from "../../schemas/published-results.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { Results } from "../../schemas/results.ts";
import type { RunStatus } from "../../schemas/run-status.ts";
import { sourceNeedsFiles } from "../data/open-source.ts";

/** What one evaluated run says of itself. */
export interface EvaluatedRun {
  readonly folder: string;
  readonly recipe: Recipe;
  readonly results: Results;
  readonly status: RunStatus;
  /** Name of the recipe's budget that the run had, `full`, or `custom`. */
  readonly budget: string;
  /** What its recipe has otherwise than the one of its name, as assignments for `--set`. */
  readonly changes: readonly string[];
  /** Of the recipe of its name. */
  readonly usualPairs: number;
  /** Whether the package has a recipe of its name. */
  readonly isBuiltIn: boolean;
}

/** One row a quantity of each experiment. */
export function rowsOf(runs: readonly EvaluatedRun[]): Omit<PublishedRow, "commit">[] {
  const byExperiment = new Map<string, EvaluatedRun[]>();
  for (const run of runs) {
    const name = run.results.experiment;
    byExperiment.set(name, [...(byExperiment.get(name) ?? []), run]);
  }
  return [...byExperiment.values()].flatMap((group) => {
    requireOneKind(group);
    const missing = group.flatMap(({ results }) => results.notComputed ?? []);
    const names = new Set([...group[0]!.results.figures, ...missing].map(({ quantity }) => quantity));
    return [...names].map((quantity) => missingRowOf(quantity, group) ?? rowOf(quantity, group));
  });
}

function requireOneKind(group: readonly EvaluatedRun[]): void {
  const [first, ...others] = group;
  const different = others.find((run) => budgetOf(run) !== budgetOf(first!));
  if (different !== undefined) {
    throw new UsageError(
      `Cannot publish "${first!.recipe.name}": its runs must have one budget, got ${budgetOf(first!)} and ${budgetOf(different)}`,
    );
  }
  const otherwise = others.find(({ results }) => results.pairs !== first!.results.pairs);
  if (otherwise !== undefined) {
    const of = ({ folder, results }: EvaluatedRun): string => `${results.pairs} in "${folder}"`;
    throw new UsageError(
      `Cannot publish "${first!.recipe.name}": its runs must be evaluated with one number of pairs, got ${of(first!)} and ${of(otherwise)}; evaluate one of them again, with --pairs`,
    );
  }
  const changed = others.find((run) => run.changes.join() !== first!.changes.join());
  if (changed !== undefined) {
    throw new UsageError(
      `Cannot publish "${first!.recipe.name}": its runs must have the same model, data and evaluation, got ${first!.changes.join(" ") || "the recipe's"} and ${changed.changes.join(" ") || "the recipe's"}`,
    );
  }
  const seeds = group.map(({ results }) => results.seed);
  if (new Set(seeds).size < seeds.length) {
    throw new UsageError(`Cannot publish "${first!.recipe.name}": its runs must have different seeds, got ${seeds}`);
  }
}

/** Row of a quantity that came to no number in one of the runs: a mean over the others would be of other seeds. */
function missingRowOf(quantity: string, group: readonly EvaluatedRun[]): Omit<PublishedRow, "commit"> | undefined {
  const missing = group.flatMap(({ results }) => {
    const found = results.notComputed?.find((candidate) => candidate.quantity === quantity);
    return found === undefined ? [] : [{ ...found, seed: results.seed }];
  });
  const [first] = missing;
  if (first === undefined) return undefined;
  const { unit, estimator } = first;
  const notComputed = missing.map(({ seed, reason }) => `seed ${seed}: ${reason}`).join("; ");
  return { ...originOf(group), quantity, unit, notComputed, estimator };
}

function rowOf(quantity: string, group: readonly EvaluatedRun[]): Omit<PublishedRow, "commit"> {
  const figures = group.map(({ results }): Figure => {
    const figure = results.figures.find((candidate) => candidate.quantity === quantity);
    if (figure === undefined)
      throw new UsageError(`Cannot publish ${quantity}: a run of ${results.experiment} lacks it`);
    return figure;
  });
  const first = figures[0]!;
  const values = figures.map(({ value }) => value);
  const ours = values.reduce((sum, value) => sum + value, 0) / values.length;
  const { unit, estimator, paper, minimum, maximum } = first;
  const interval = values.length > 1 ? [Math.min(...values), Math.max(...values)] : first.interval;
  const isJudged = minimum !== undefined || maximum !== undefined;
  return {
    ...originOf(group),
    quantity,
    unit,
    ...(paper === undefined ? {} : { paper }),
    ours,
    ...(interval === undefined ? {} : { interval: [...interval] }),
    estimator,
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(isJudged
      ? { met: (minimum === undefined || ours >= minimum) && (maximum === undefined || ours <= maximum) }
      : {}),
  };
}

/** What all rows of an experiment have in common. */
function originOf(
  group: readonly EvaluatedRun[],
): Pick<PublishedRow, "experiment" | "seeds" | "budget" | "device" | "command" | "date"> {
  const first = group[0]!;
  const { results, status } = first;
  return {
    experiment: results.experiment,
    seeds: group.map((run) => run.results.seed),
    budget: budgetOf(first),
    device: status.device,
    command: commandOf(first),
    date: results.created.slice(0, 10),
  };
}

function budgetOf({ budget, recipe, results }: EvaluatedRun): string {
  return `${budget}: ${results.step} steps of ${recipe.training.batchSize}`;
}

/** The command line that repeats a run and its evaluation; RUN is the folder of the run. */
export function commandOf(run: Omit<EvaluatedRun, "folder" | "status">): string {
  const { recipe, results, budget, changes, usualPairs, isBuiltIn } = run;
  const { name, training, data } = recipe;
  const { pairs, step } = results;
  const files = sourceNeedsFiles(data.source) ? " --data DIR" : "";
  const words = [`cominfo train ${isBuiltIn ? name : "RUN/recipe.json"}${files}`];
  if (!isBuiltIn) {
    if (step < training.steps) words.push("--steps", String(step));
    words.push("--out", `runs/${name}`);
  } else {
    if (budget === "custom") words.push("--steps", String(step), "--batch-size", String(training.batchSize));
    else if (budget !== "full") words.push("--budget", budget);
    words.push("--seed", String(training.seed), ...changes.flatMap((change) => ["--set", change]));
  }
  const others = pairs === usualPairs ? "" : ` --pairs ${pairs}`;
  return `${words.join(" ")} && cominfo evaluate runs/${name}${files}${others}`;
}
