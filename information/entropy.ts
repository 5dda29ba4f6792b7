import { combinations, type JointDistribution, type Selection, selectedIndices } from "./joint-distribution.ts";

/**
 * Entropy (Shannon entropy, joint entropy) of some variables of a known distribution.
 *
 *   H(X) = - sum_x p(x) log2 p(x)
 *
 * Source: Shannon 1948, section 6. For labels see `labelEntropy`.
 *
 * @param of left out: all variables
 * @returns bits, between 0 and log2 of the number of symbols. O(outcomes x variables)
 * @throws RangeError for an unknown or repeated name
 */
export function entropyBits(joint: JointDistribution, of?: Selection): number {
  const columns = of === undefined ? [...joint.variables.keys()] : selectedIndices(joint, of);
  const { labels, count } = combinations(joint, columns);
  const sums = new Float64Array(count);
  for (const [i, label] of labels.entries()) sums[label]! += joint.probabilities[i]!;
  // One combination is 0 exactly, although its probability may be summed to 1 - 1e-16.
  return count === 1 ? 0 : sums.reduce((bits, p) => bits - p * Math.log2(p), 0);
}
