import { createHash } from "node:crypto";
import { UsageError } from "../../schemas/errors.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { Sweep } from "../../schemas/sweep.ts";
import { configurationOf, hashOf } from "../engine/configuration.ts";
import { readRecipe } from "../recipes/read-recipe.ts";

/** One training of a sweep. */
export interface Cell {
  /** `<variant>-seed<seed>`: also the name of its run folder. */
  readonly name: string;
  readonly variant: string;
  readonly seed: number;
  readonly recipe: Recipe;
  readonly recipeHash: string;
}

/** A part of a sweep for one of several machines. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/**
 * All cells of a plan, each with its recipe: seed by seed, so that a sweep that is stopped early has some of every
 * variant.
 *
 * @throws UsageError if a variant's recipe is not valid; says which variant
 */
export async function cellsOf(sweep: Sweep, budget: string): Promise<readonly Cell[]> {
  const small = budget === "full" ? undefined : sweep.budgets[budget];
  const cells: Cell[] = [];
  for (const seed of small?.seeds ?? sweep.seeds) {
    for (const variant of sweep.variants) {
      const set = { ...sweep.set, ...variant.set, ...small?.set };
      const recipe = await readRecipe(variant.recipe ?? sweep.recipe, { set: assignments(set), seed }).catch(
        (error: unknown) => {
          if (!(error instanceof UsageError)) throw error;
          const message = `Cannot use variant "${variant.name}" of sweep "${sweep.name}": ${error.message}`;
          throw new UsageError(message, { code: error.code, path: error.path, cause: error });
        },
      );
      const name = `${variant.name}-seed${seed}`;
      cells.push({ name, variant: variant.name, seed, recipe, recipeHash: recipeHashOf(recipe) });
    }
  }
  return cells;
}

/** Cells of one shard: every count-th, so that each shard has its part of every variant. */
export function shardOf(cells: readonly Cell[], { index, count }: Shard): readonly Cell[] {
  return cells.filter((_, i) => i % count === index - 1);
}

/** @throws UsageError unless it is `i/n` with 1 <= i <= n */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new UsageError(`Cannot sweep: --shard must be i/n with i from 1 to n, for instance 2/3, got "${text}"`);
}

/** The number of steps counts too: figures of a shorter training are others. */
function recipeHashOf(recipe: Recipe): string {
  const { steps } = recipe.training;
  const { pairs, classifier } = recipe.evaluation;
  return createHash("sha256")
    .update(JSON.stringify([hashOf(configurationOf(recipe)), steps, pairs, classifier]))
    .digest("hex");
}

function assignments(set: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
}
