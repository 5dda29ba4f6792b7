import type { PublishedRow } from "../../schemas/published-results.ts";
import type { SweepSummary } from "../../schemas/sweep.ts";
import { pText } from "../sweep/verdict.ts";

/** A plan may bear the name of a recipe: the command tells its rows from those of runs. */
export function isSweepRow({ command }: Pick<PublishedRow, "command">): boolean {
  return command.startsWith("cominfo sweep ");
}

/** Rows that are published together: an experiment's, or `<name> (sweep)`, since a recipe and a sweep may have one name. */
export function kindOf(row: Pick<PublishedRow, "experiment" | "command">): string {
  return isSweepRow(row) ? `${row.experiment} (sweep)` : row.experiment;
}

/**
 * The published rows of a sweep: `<quantity>_median.<variant>`, and `<quantity>_gain.<variant>.over.<other>` for each
 * effect that its source claims. An effect counts as met only where its whole interval has the claimed sign.
 * `<quantity>_trend` is the rank correlation along the variants of a curve.
 */
export function sweepRows(summary: SweepSummary): Omit<PublishedRow, "commit">[] {
  const { sweep, budget, steps, batchSize, device, command, created, medians, comparisons, trends } = summary;
  const shared = {
    experiment: sweep,
    budget: `${budget}: ${steps} steps of ${batchSize}`,
    device,
    command,
    date: created.slice(0, 10),
  };
  const seedsOf = (name: string) => medians.find(({ variant }) => variant === name)?.seeds ?? [];
  return [
    ...medians.map(({ variant, quantity, unit, estimator, median, interval, seeds }) => ({
      ...shared,
      quantity: `${quantity}_median.${variant}`,
      unit,
      ours: median,
      ...(interval === undefined ? {} : { interval }),
      estimator: `median over seeds, 95 % bootstrap interval over seeds; ${estimator}`,
      seeds,
    })),
    ...comparisons.map(({ of, against, quantity, unit, difference, interval, claim, source, agrees, isClear }) => ({
      ...shared,
      quantity: `${quantity}_gain.${of}.over.${against}`,
      unit,
      ours: difference,
      ...(interval === undefined ? {} : { interval }),
      estimator: `difference of medians over seeds, 95 % bootstrap interval; claimed ${claim} (${source}); met only where the whole interval is`,
      seeds: seedsOf(of),
      ...(claim === "higher" ? { minimum: 0 } : { maximum: 0 }),
      met: agrees && isClear,
    })),
    ...trends.map(({ quantity, axis, correlation, pValue, points, claim, source, agrees, isClear }) => ({
      ...shared,
      quantity: `${quantity}_trend`,
      unit: "1",
      ours: correlation,
      estimator: `Spearman's rank correlation with the ${axis} over all cells, ${pText(pValue)} by permutation${claim === undefined ? "" : `; claimed ${claim} (${source}); met only where p is at most 0.05`}`,
      seeds: seedsOf(points[0]!.variant),
      ...(claim === undefined
        ? {}
        : { ...(claim === "rising" ? { minimum: 0 } : { maximum: 0 }), met: agrees === true && isClear }),
    })),
  ];
}
