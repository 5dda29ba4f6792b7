export interface BootstrapOptions {
  /** Uniform integer in 0 .. n - 1: the caller's seeded generator. */
  readonly draw: (n: number) => number;
  /** At least 1. */
  readonly resamples?: number;
  /** Coverage of the interval, between 0 and 1. */
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
 * @throws RangeError for no value, one that is not finite, or options out of range
 */
export function bootstrapMean(values: Float64Array, options: BootstrapOptions): [number, number] {
  const n = values.length;
  if (n === 0) throw new RangeError("Cannot bootstrap a mean: there must be at least one value, got none");
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RangeError(`Cannot bootstrap a mean: value ${wrong} must be finite, got ${values[wrong]}`);
  }
  return bootstrapInterval(
    n,
    (rows) => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += values[rows[i]!]!;
      return sum / n;
    },
    options,
  );
}

/**
 * Percentile bootstrap interval of any statistic of rows.
 *
 * @param statistic of row numbers, drawn with replacement, as many as there are rows; the array is reused
 * @returns [low, high], in the unit of the statistic
 * @throws RangeError for a level or a number of resamples out of range, or a statistic that is NaN
 */
export function bootstrapInterval(
  rows: number,
  statistic: (drawn: Int32Array) => number,
  options: BootstrapOptions,
): [number, number] {
  const { draw, resamples, level } = { ...bootstrapDefaults, ...options };
  requireWhole("rows", rows);
  requireWhole("resamples", resamples);
  const drawn = new Int32Array(rows);
  const found = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < rows; i++) drawn[i] = draw(rows);
    const value = statistic(drawn);
    // A single NaN would be sorted to the end, and pass for the upper bound or for nothing.
    if (Number.isNaN(value)) throw new RangeError("Cannot bootstrap: the statistic must be a number, got NaN");
    return value;
  });
  return middleOf(found, level);
}

/**
 * The middle `level` of what resamples gave: for several statistics of the same resamples, taken at once.
 *
 * @throws RangeError for a level that is not between 0 and 1
 */
export function middleOf(found: ArrayLike<number>, level: number = bootstrapDefaults.level): [number, number] {
  if (!(level > 0 && level < 1)) {
    throw new RangeError(`Cannot bootstrap: "level" must be between 0 and 1, such as 0.95, got ${level}`);
  }
  const sorted = Float64Array.from(found).sort();
  const tail = (1 - level) / 2;
  return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
}

function requireWhole(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new RangeError(`Cannot bootstrap: "${name}" must be a whole number of at least 1, got ${value}`);
}

/** Linear interpolation between the order statistics of `sorted`; equal ones are not interpolated, infinite ones above all. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  const [low, high] = [sorted[below]!, sorted[above]!];
  return low === high || at === below ? low : low + (at - below) * (high - low);
}
