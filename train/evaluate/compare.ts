import { UsageError } from "../../schemas/errors.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import type { NotComputed } from "../../schemas/results.ts";

/**
 * Puts what the recipe expects beside what was measured: `paper`, `minimum`, `maximum`, and `met` where there is a
 * bound, judged on the value itself, not on its interval. A run of the whole training is held to the bounds for it.
 *
 * What it expects and nobody measured is told in the place of a figure: a misspelt name must not cost the others, nor the
 * training that came before.
 *
 * @param budget name of the run's budget; `full` for the whole training of the recipe
 * @throws UsageError if the recipe expects a quantity in another unit
 */
export function compare(
  figures: readonly Figure[],
  expected: Recipe["expected"],
  budget: string,
): { figures: Figure[]; notComputed: NotComputed[] } {
  const judged = new Map(figures.map((figure) => [figure.quantity, figure]));
  const notComputed: NotComputed[] = [];
  for (const { quantity, unit, paper, full, ...reduced } of expected) {
    const { minimum, maximum } = budget === "full" && full !== undefined ? full : reduced;
    const figure = judged.get(quantity);
    if (figure === undefined) {
      const reason = `the recipe expects it, and no figure has that name${didYouMean(quantity, [...judged.keys()])}`;
      notComputed.push({ quantity, unit, estimator: "none", reason });
      continue;
    }
    if (unit !== figure.unit) {
      throw new UsageError(`Cannot compare with the recipe: "${quantity}" must be in ${figure.unit}, got ${unit}`, {
        code: "unknown_quantity",
        path: ["expected"],
      });
    }
    const bounded = minimum !== undefined || maximum !== undefined;
    const { value } = figure;
    const met = value >= (minimum ?? Number.NEGATIVE_INFINITY) && value <= (maximum ?? Number.POSITIVE_INFINITY);
    judged.set(quantity, {
      ...figure,
      ...(paper === undefined ? {} : { paper }),
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
      ...(bounded ? { met } : {}),
    });
  }
  return { figures: [...judged.values()], notComputed };
}
