import { entropyBits } from "./entropy.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { union } from "./selection.ts";

/**
 * Mutual information (transmission) of two variables or groups of variables.
 *
 *   I(X; Y) = H(X) + H(Y) - H(X, Y)
 *
 * Source: Shannon 1948, section 12
 *
 * @returns bits, at least 0; 0 where they are independent. O(outcomes x variables)
 */
export function mutualInformationBits(joint: JointDistribution, x: Selection, y: Selection): number {
  return Math.max(0, entropyBits(joint, x) + entropyBits(joint, y) - entropyBits(joint, union(x, y)));
}
