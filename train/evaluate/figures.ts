import { type BootstrapOptions, bootstrapInterval, bootstrapMean } from "../../information/bootstrap.ts";
import { labelEntropy } from "../../information/label-entropy.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { NotComputed } from "../../schemas/results.ts";
import { stream } from "../random.ts";

/**
 * A figure in bits that is the mean of its rows, with the bootstrap interval of that mean; without one where a row is not
 * finite, and then no number to publish (`finiteOnly`).
 */
export function meanFigure(
  quantity: string,
  rows: Float64Array,
  { estimator, seed, value = meanOf(rows) }: { estimator: string; seed: number; value?: number },
): Figure {
  const figure = { quantity, unit: "bits", value, estimator, n: rows.length, seed };
  return rows.every(Number.isFinite)
    ? { ...figure, interval: bootstrapMean(rows, bootstrapOf(quantity, seed)) }
    : { ...figure, value: meanOf(rows) };
}

/** How a figure's rows are resampled: each quantity has its own stream. */
export function bootstrapOf(quantity: string, seed: number): BootstrapOptions {
  return { draw: stream(seed, "bootstrap", quantity).integer };
}

/**
 * Plug-in entropy of labels in bits. Resampled entropies are as much below the figure as the figure is below the
 * source's entropy: their interval is mirrored at the figure, which it always holds, and ends at log2 of the classes.
 *
 * @param of what the labels are of, in words
 */
export function entropyFigure(
  quantity: string,
  labels: Int32Array,
  { classes, of, seed }: { classes: number; of: string; seed: number },
): Figure {
  const value = labelEntropy(labels, classes);
  const resampled = new Int32Array(labels.length);
  const [low, high] = bootstrapInterval(
    labels.length,
    (drawn) => {
      for (let i = 0; i < drawn.length; i++) resampled[i] = labels[drawn[i]!]!;
      return labelEntropy(resampled, classes);
    },
    bootstrapOf(quantity, seed),
  );
  const interval: [number, number] = [
    Math.min(value, Math.max(0, 2 * value - high)),
    Math.max(value, Math.min(Math.log2(classes), 2 * value - low)),
  ];
  const estimator = `entropy of the ${of}, plug-in; interval mirrored, as the plug-in is low`;
  return { quantity, unit: "bits", value, estimator, n: labels.length, seed, interval };
}

/** Figures, and those that were measured in vain. */
export interface Measured {
  readonly figures: Figure[];
  readonly notComputed: NotComputed[];
}

/** Parts finite figures from the others, which JSON has no numbers for and a reader should know to be missing. */
export function finiteOnly(measured: readonly Figure[]): Measured {
  const isNumber = ({ value, interval }: Figure): boolean => [value, ...(interval ?? [])].every(Number.isFinite);
  return {
    figures: measured.filter(isNumber),
    notComputed: measured
      .filter((figure) => !isNumber(figure))
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
