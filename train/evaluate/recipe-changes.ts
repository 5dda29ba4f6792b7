import type { Recipe } from "../../schemas/recipe.ts";
import type { Results } from "../../schemas/results.ts";
import { readRecipe, recipeNames } from "../recipes/read-recipe.ts";
import type { EvaluatedRun } from "./published-rows.ts";

/** How a run stands to the recipe of its name: what the command that repeats it has to say. */
export async function besideItsName(
  recipe: Recipe,
  results: Pick<Results, "step">,
): Promise<Pick<EvaluatedRun, "budget" | "changes" | "usualPairs" | "isBuiltIn">> {
  return {
    budget: await nameOfBudget(recipe, results),
    changes: await recipeChanges(recipe),
    usualPairs: await usualPairs(recipe),
    isBuiltIn: recipeNames().includes(recipe.name),
  };
}

/** `full`, a budget of the recipe, or `custom`. */
export async function nameOfBudget(recipe: Recipe, { step }: Pick<Results, "step">): Promise<string> {
  const { batchSize } = recipe.training;
  const named = Object.entries(recipe.budgets ?? {}).find(
    ([, budget]) => budget.steps === step && (budget.batchSize ?? batchSize) === batchSize,
  );
  if (named !== undefined) return named[0];
  if (!recipeNames().includes(recipe.name)) return "custom";
  const { training } = await readRecipe(recipe.name);
  return training.steps === step && training.batchSize === batchSize ? "full" : "custom";
}

/**
 * What a run's recipe has otherwise than the recipe of its name, in model, data, the checkpoints that figures average
 * over, and who measures and judges, as assignments for `--set`: without them the command that repeats the run would
 * repeat another one. Empty for recipes that are not the package's.
 */
async function recipeChanges(recipe: Recipe): Promise<readonly string[]> {
  if (!recipeNames().includes(recipe.name)) return [];
  const own = await readRecipe(recipe.name);
  return [
    ...(["model", "data"] as const).flatMap((part) => differences(own[part], recipe[part], part)),
    // One that keeps no more than it needs to resume is measured at its last checkpoint, whenever others were saved.
    ...(recipe.training.keepCheckpoints === undefined ? [] : (["checkpointEvery", "keepCheckpoints"] as const)).flatMap(
      (key) => differences(own.training[key], recipe.training[key], `training.${key}`),
    ),
    ...(["classifier", "judge"] as const).flatMap((key) =>
      differences(own.evaluation[key], recipe.evaluation[key], `evaluation.${key}`),
    ),
  ];
}

/** Pairs that are measured of the repeated run where nobody says how many: the run itself may have been told. */
async function usualPairs({ name, evaluation }: Recipe): Promise<number> {
  return recipeNames().includes(name) ? (await readRecipe(name)).evaluation.pairs : evaluation.pairs;
}

/** Leaves that differ, lists as wholes; a field that only the first has cannot be taken away by an assignment. */
function differences(before: unknown, after: unknown, path: string): string[] {
  if (isRecord(before) && isRecord(after)) {
    return Object.keys(after).flatMap((key) => differences(before[key], after[key], `${path}.${key}`));
  }
  if (after === undefined || JSON.stringify(before) === JSON.stringify(after)) return [];
  return [`${path}=${typeof after === "string" ? after : JSON.stringify(after)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
