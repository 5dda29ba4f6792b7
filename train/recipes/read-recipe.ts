import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../schemas/errors.ts";
import { type Recipe, recipeSchema } from "../../schemas/recipe.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { validate } from "../../schemas/validate.ts";
import { checkModelConfig } from "../models/registry.ts";
import { applySet } from "./apply-set.ts";

/** What a command line changes of a recipe. Later ones win: variant, budget, then `set`, then the named numbers. */
export interface RecipeOverrides {
  /** One of the recipe's variants: the same as the name `<recipe>-<variant>`. */
  readonly variant?: string | undefined;
  /** One of the recipe's named budgets. */
  readonly budget?: string | undefined;
  /** `path=value` with a dotted path; the value is JSON, or else a string. */
  readonly set?: readonly string[] | undefined;
  readonly steps?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly seed?: number | undefined;
}

/** Names of the recipes that come with the package, variants among them. */
export function recipeNames(): string[] {
  return [...builtIn().keys()].sort();
}

interface Place {
  readonly file: string;
  readonly variant?: string;
}

/** Every file of the package under its own name, and each of its variants under `<name>-<variant>`. */
function builtIn(): Map<string, Place> {
  const files = readdirSync(recipeFolder()).filter((file) => file.endsWith(".json"));
  return new Map(
    files.flatMap((base): [string, Place][] => {
      const file = path.join(recipeFolder(), base);
      const name = base.slice(0, -".json".length);
      const { variants = {} } = JSON.parse(readFileSync(file, "utf8")) as { variants?: object };
      return [
        [name, { file }],
        ...Object.keys(variants).map((variant): [string, Place] => [`${name}-${variant}`, { file, variant }]),
      ];
    }),
  );
}

/**
 * Reads a recipe of the package by name, or a JSON file by path, applies overrides, checks the whole and fills in
 * defaults. The options of the data source are checked when it is opened.
 *
 * @throws UsageError for an unknown recipe, budget, key or value; names the nearest known one
 */
export async function readRecipe(nameOrFile: string, overrides: RecipeOverrides = {}): Promise<Recipe> {
  const { file, variant } = placeOf(nameOrFile);
  const action = `read recipe "${nameOrFile}"`;
  const recipe = await readJson(file, action);
  // A copy: the check below fills in defaults, and a budget is to change what it names and nothing else.
  const asWritten = structuredClone(recipe) as Pick<Recipe, "budgets" | "variants">;
  // First the file alone: its faults are told before those of the overrides, and its defaults can be overridden.
  const { family, model } = validate(recipeSchema, recipe, action);
  checkModelConfig(family, model, action);
  let { budgets } = asWritten;
  for (const chosen of [variant, overrides.variant]) {
    if (chosen === undefined) continue;
    applyVariant(recipe, chosen, nameOrFile);
    budgets = { ...budgets, ...asWritten.variants?.[chosen]?.budgets };
  }
  delete recipe.variants;
  if (budgets !== undefined) recipe.budgets = budgets;
  applyBudget(recipe, overrides.budget, nameOrFile);
  for (const assignment of overrides.set ?? []) applySet(recipe, assignment);
  const { steps, batchSize, seed } = overrides;
  overrideTraining(recipe, { steps, batchSize, seed });
  const checked = validate(recipeSchema, recipe, action);
  checkModelConfig(checked.family, checked.model, action);
  return checked;
}

function placeOf(nameOrFile: string): Place {
  if (nameOrFile.endsWith(".json") || /[\\/]/.test(nameOrFile)) {
    if (existsSync(nameOrFile)) return { file: nameOrFile };
    throw new UsageError(`Cannot read recipe "${nameOrFile}": it must be a file, got nothing there`, {
      code: "no_recipe",
    });
  }
  const place = builtIn().get(nameOrFile);
  if (place !== undefined) return place;
  const names = recipeNames();
  throw new UsageError(
    `Cannot find recipe "${nameOrFile}": it must be ${names.join(", ")} or the path of a JSON file${didYouMean(nameOrFile, names)}`,
    { code: "no_recipe" },
  );
}

/** The JSON files lie beside the sources; the compiled program in dist/ reads them from there. */
function recipeFolder(): string {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const fromDist = fileURLToPath(new URL("../../../train/recipes", import.meta.url));
  return path.basename(path.resolve(here, "../..")) === "dist" ? fromDist : here;
}

async function readJson(file: string, action: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new UsageError(`Cannot ${action}: ${cause.message}`, { cause });
  });
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot ${action}: it must be JSON, got ${why}`, { cause });
  }
}

/** Leaves a recipe of its own: the variant's name, title and source, and no variants. */
function applyVariant(recipe: Record<string, unknown>, variant: string, name: string): void {
  const { variants = {} } = recipe as { variants?: NonNullable<Recipe["variants"]> };
  delete recipe.variants;
  const chosen = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (chosen === undefined) {
    const known = Object.keys(variants);
    throw new UsageError(
      `Cannot use variant "${variant}": recipe "${name}" has ${known.join(", ") || "none"}${didYouMean(variant, known)}`,
      { code: "unknown_variant", path: ["variants", variant] },
    );
  }
  Object.assign(recipe, { name: `${recipe.name}-${variant}`, title: chosen.title, source: chosen.source });
  for (const assignment of chosen.set) applySet(recipe, assignment);
}

function applyBudget(recipe: Record<string, unknown>, budget: string | undefined, name: string): void {
  if (budget === undefined) return;
  const budgets = (recipe.budgets ?? {}) as Record<string, object>;
  if (!Object.hasOwn(budgets, budget)) {
    const known = Object.keys(budgets);
    throw new UsageError(
      `Cannot use budget "${budget}": recipe "${name}" has ${known.join(", ") || "none"}${didYouMean(budget, known)}`,
      { code: "unknown_budget", path: ["budgets", budget] },
    );
  }
  overrideTraining(recipe, budgets[budget]!);
}

/** An assignment may have left there what is no object: the check of the whole refuses it. */
function overrideTraining({ training }: Record<string, unknown>, values: object): void {
  if (typeof training !== "object" || training === null) return;
  Object.assign(training, Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)));
}
