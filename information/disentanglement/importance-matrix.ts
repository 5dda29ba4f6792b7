import { gradientBoosting } from "../gradient-boosting.ts";
import { type Matrix, requireMatrix } from "../matrix.ts";
import { type UsableInformation, type UsableInformationOptions, usableInformation } from "../usable-information.ts";
import type { LabelledFactor } from "./score.ts";

/**
 * Importance of every latent for predicting every factor. A column (a factor) adds up to 1, or is 0 throughout where
 * nothing was learned of the factor; rows add up to anything.
 */
export interface ImportanceMatrix {
  readonly latents: readonly string[];
  readonly factors: readonly string[];
  /** [latents x factors] row-major. */
  readonly values: Float64Array;
}

export interface Explained {
  readonly importance: ImportanceMatrix;
  /** By factor: what the same classifiers find of it in all latents together. */
  readonly usable: readonly UsableInformation[];
}

/**
 * Fits one classifier a factor on all latents, and keeps both what it found and what it rests on: usable information
 * and the importance matrix of the DCI scores come from one procedure.
 *
 * Source: Eastwood & Williams 2018, https://openreview.net/forum?id=By-7dz-AZ; Kleinman et al., GK-VAE, section 4.2,
 * with gradient boosting as in the authors' code (the text there says random forest)
 *
 * @param codes [rows, latents], usually posterior means
 * @param options the classifier must have importances; boosted trees where left out
 * @throws RangeError if names and columns differ in number, a classifier has no importances, or as usableInformation()
 */
export function explainFactors(
  { codes, latents }: { codes: Matrix; latents: readonly string[] },
  factors: readonly LabelledFactor[],
  { train, classifier = gradientBoosting }: Omit<UsableInformationOptions, "classes">,
): Explained {
  const action = "explain factors";
  if (codes.columns !== latents.length) {
    throw new RangeError(`Cannot ${action}: "codes" must have ${latents.length} columns, got ${codes.columns}`);
  }
  if (factors.length === 0) throw new RangeError(`Cannot ${action}: there must be at least one factor, got none`);
  const usable = factors.map(({ labels, classes }) => usableInformation(codes, labels, { classes, train, classifier }));
  const values = new Float64Array(latents.length * factors.length);
  for (const [k, { importances, estimator }] of usable.entries()) {
    if (importances === undefined) {
      throw new RangeError(`Cannot ${action}: the classifier must have importances, got ${estimator}`);
    }
    for (const [j, share] of importances.entries()) values[j * factors.length + k] = share;
  }
  return { importance: { latents, factors: factors.map(({ name }) => name), values }, usable };
}

/** Rounding that columns of shares may carry. */
const slack = 1e-6;

/**
 * Checks shape and meaning: the columns' sums tell a transposed matrix from a right one even where it is square.
 *
 * @throws RangeError unless values are latents x factors shares, every factor's adding up to 1 or all 0
 */
export function requireImportance(action: string, { latents, factors, values }: ImportanceMatrix): void {
  const [rows, columns] = [latents.length, factors.length];
  requireMatrix(action, "importance", { rows, columns, values });
  if (rows === 0 || columns === 0) {
    throw new RangeError(`Cannot ${action}: "importance" must have latents and factors, got ${rows} x ${columns}`);
  }
  for (const [k, factor] of factors.entries()) {
    let sum = 0;
    for (let j = 0; j < rows; j++) {
      const share = values[j * columns + k]!;
      if (share < 0) {
        throw new RangeError(
          `Cannot ${action}: "importance" must not be negative, got ${share} for ${latents[j]}, ${factor}`,
        );
      }
      sum += share;
    }
    if (sum !== 0 && Math.abs(sum - 1) > slack) {
      throw new RangeError(
        `Cannot ${action}: the importances for "${factor}" must add up to 1 over latents, or all be 0, got ${sum}; is the matrix [latents x factors]?`,
      );
    }
  }
}

/**
 * 1 - H(shares) / ln(number of shares) for weights that need not add up to 1: 1 where one has it all, 0 where all are
 * equal, and 0 where there is nothing to share.
 */
export function concentration(weights: Float64Array): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return 0;
  const entropy = weights.reduce(
    (sum, weight) => (weight === 0 ? sum : sum - (weight / total) * Math.log(weight / total)),
    0,
  );
  // Rounding aside, entropy lies between 0 and its maximum.
  return Math.min(1, Math.max(0, 1 - entropy / Math.log(weights.length)));
}
