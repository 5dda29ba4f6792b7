import { conditionalEntropyBits } from "./conditional-entropy.ts";
import { entropyBits } from "./entropy.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";

/**
 * Dual total correlation (binding information, excess entropy): what at least two of the variables hold together.
 *
 *   D(X_1; ...; X_n) = H(X_1, ..., X_n) - sum_i H(X_i | all others)
 *
 * For two variables it is I(X_1; X_2).
 *
 * Source: Han 1978, "Nonnegative entropy measures of multivariate symmetric correlations"
 *
 * @param of the variables or groups; left out: every variable
 * @returns bits, at least 0. O(outcomes x variables^2)
 * @throws RangeError for fewer than two
 */
export function dualTotalCorrelationBits(joint: JointDistribution, of?: readonly Selection[]): number {
  const parts = of ?? joint.variables.map(({ name }) => name);
  if (parts.length < 2) {
    throw new RangeError(`Cannot compute the dual total correlation: there must be two variables, got ${parts.length}`);
  }
  const own = parts.map((part, i) => conditionalEntropyBits(joint, part, parts.toSpliced(i, 1).flat()));
  return Math.max(0, entropyBits(joint, parts.flat()) - own.reduce((sum, bits) => sum + bits, 0));
}
