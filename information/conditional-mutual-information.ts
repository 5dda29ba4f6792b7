import { entropyBits } from "./entropy.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { union } from "./selection.ts";

/**
 * Conditional mutual information; 0 exactly where X - Z - Y is a Markov chain.
 *
 *   I(X; Y | Z) = H(X, Z) + H(Y, Z) - H(X, Y, Z) - H(Z)
 *
 * Source: Cover & Thomas 2006, section 2.5
 *
 * @returns bits, at least 0; above or below I(X; Y). O(outcomes x variables)
 */
export function conditionalMutualInformationBits(
  joint: JointDistribution,
  { x, y, given }: { x: Selection; y: Selection; given: Selection },
): number {
  const pairs = entropyBits(joint, union(x, given)) + entropyBits(joint, union(y, given));
  return Math.max(0, pairs - entropyBits(joint, union(x, y, given)) - entropyBits(joint, given));
}
