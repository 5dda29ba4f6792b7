import { entropyBits } from "./entropy.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";

/**
 * Total correlation (multi-information, integration): how far the variables are from independent.
 *
 *   T(X_1; ...; X_n) = sum_i H(X_i) - H(X_1, ..., X_n)
 *
 * Exact, hence never negative; estimates of it from minibatches can be. For two variables it is I(X_1; X_2).
 *
 * Source: Watanabe 1960
 *
 * @param of the variables or groups; left out: every variable
 * @returns bits, at least 0. O(outcomes x variables)
 */
export function totalCorrelationBits(joint: JointDistribution, of?: readonly Selection[]): number {
  const parts = of ?? joint.variables.map(({ name }) => name);
  const separate = parts.reduce((bits, part) => bits + entropyBits(joint, part), 0);
  return Math.max(0, separate - entropyBits(joint, parts.flat()));
}
