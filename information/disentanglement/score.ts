import type { BootstrapOptions } from "../bootstrap.ts";
import type { Matrix } from "../matrix.ts";

/** A disentanglement figure and the definition that it follows: the same word means different numbers in circulation. */
export interface Score {
  readonly value: number;
  readonly definition: string;
  /** What `value` averages, by factor or by latent, where the definition has such parts. */
  readonly parts?: Float64Array;
  /** Percentile bootstrap over rows, where a generator was given and the score is one of rows. */
  readonly interval?: [number, number];
  /** Of each of `parts`, from the same resamples, where the score is a gap. */
  readonly partIntervals?: readonly [number, number][];
}

export interface ScoreOptions {
  /** Resamples the rows that are scored; what was fitted, and shares and densities that rows are held against, stay. */
  readonly bootstrap?: BootstrapOptions | undefined;
}

/** Labels of one ground-truth factor, one a row. */
export interface LabelledFactor {
  readonly name: string;
  /** [rows], integers 0 .. classes - 1. */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Mean over factors of the largest minus the second largest entry of its column of [latents x factors]. */
export function meanGap({ rows, columns, values }: Matrix): { value: number; parts: Float64Array } {
  const parts = Float64Array.from({ length: columns }, (_, j) => {
    let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < rows; i++) {
      const value = values[i * columns + j]!;
      if (value > first) [first, second] = [value, first];
      else if (value > second) second = value;
    }
    return first - second;
  });
  return { value: parts.reduce((sum, gap) => sum + gap, 0) / columns, parts };
}

/**
 * Checks what a gap between the two best latents needs.
 *
 * @throws RangeError for fewer than 2 latents, no factor, a factor with one class only, or rows that do not match
 */
export function requireFactors(
  action: string,
  { rows, columns }: { rows: number; columns: number },
  factors: readonly LabelledFactor[],
): void {
  if (columns < 2) throw new RangeError(`Cannot ${action}: "codes" must have at least 2 columns, got ${columns}`);
  if (factors.length === 0) throw new RangeError(`Cannot ${action}: there must be at least one factor, got none`);
  for (const { name, labels, classes } of factors) {
    if (labels.length !== rows) {
      const hint = labels.length === columns ? "; is it transposed?" : "";
      throw new RangeError(
        `Cannot ${action}: "codes" must have one row for each of ${labels.length} labels of "${name}", got ${rows} rows of ${columns}${hint}`,
      );
    }
    if (rows < classes) {
      throw new RangeError(
        `Cannot ${action}: there must be at least as many rows as "${name}" has classes (${classes}), got ${rows}`,
      );
    }
    if (labels.every((label) => label === labels[0])) {
      throw new RangeError(`Cannot ${action}: factor "${name}" must vary, got class ${labels[0]} in every row`);
    }
  }
}
