import { bootstrapMean } from "../../information/bootstrap.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { NotComputed } from "../../schemas/results.ts";
import { stream } from "../random.ts";

/** A figure in bits that is the mean of its rows, with the bootstrap interval of that mean. */
export function meanFigure(
  quantity: string,
  rows: Float64Array,
  { estimator, seed, value = meanOf(rows) }: { estimator: string; seed: number; value?: number },
): Figure {
  const interval = bootstrapMean(rows, { draw: stream(seed, "bootstrap", quantity).integer });
  return { quantity, unit: "bits", value, estimator, n: rows.length, seed, interval };
}

/** Figures, and those that were measured in vain. */
export interface Measured {
  readonly figures: Figure[];
  readonly notComputed: NotComputed[];
}

/** Parts finite figures from the others, which JSON has no numbers for and a reader should know to be missing. */
export function finiteOnly(measured: readonly Figure[]): Measured {
  const isFinite = ({ value, interval }: Figure): boolean => [value, ...(interval ?? [])].every(Number.isFinite);
  return {
    figures: measured.filter(isFinite),
    notComputed: measured
      .filter((figure) => !isFinite(figure))
      .map((figure) => {
        const { quantity, unit, estimator } = figure;
        return { quantity, unit, estimator, reason: whyNone(figure) };
      }),
  };
}

function whyNone({ value, unit, n }: Figure): string {
  const found = Number.isFinite(value)
    ? `its interval is not finite around ${value.toFixed(2)} ${unit}`
    : `its value is ${value}`;
  return `${found}: among ${n} pairs a stray one lies too far out for a double`;
}

function meanOf(rows: Float64Array): number {
  return rows.reduce((sum, row) => sum + row, 0) / rows.length;
}
