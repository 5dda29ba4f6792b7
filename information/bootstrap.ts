export interface BootstrapOptions {
  /** Uniform integer in 0 .. n - 1: the caller's seeded generator. */
  readonly draw: (n: number) => number;
  readonly resamples?: number;
  /** Coverage of the interval. */
  readonly level?: number;
}

export const bootstrapDefaults = { resamples: 1000, level: 0.95 } as const;

/**
 * Percentile bootstrap interval of a mean: rows are drawn with replacement, the mean is taken, and the middle `level`
 * of the resampled means is returned. It says how far the mean would move with other rows, nothing of other training
 * runs or seeds.
 *
 * Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3
 *
 * @param values one a row, at least one
 * @returns [low, high], in the unit of `values`
 */
export function bootstrapMean(values: Float64Array, options: BootstrapOptions): [number, number] {
  const { draw, resamples, level } = { ...bootstrapDefaults, ...options };
  const n = values.length;
  if (n === 0) throw new RangeError("Cannot bootstrap a mean: there must be at least one value, got none");
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[draw(n)]!;
    means[r] = sum / n;
  }
  means.sort();
  const tail = (1 - level) / 2;
  return [quantile(means, tail), quantile(means, 1 - tail)];
}

/** Linear interpolation between the order statistics of `sorted`. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
