import { entropyBits } from "./entropy.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { union } from "./selection.ts";

/**
 * Conditional entropy (equivocation).
 *
 *   H(X | Y) = H(X, Y) - H(Y)
 *
 * Source: Shannon 1948, section 6
 *
 * @returns bits, at least 0; 0 where Y determines X. O(outcomes x variables)
 */
export function conditionalEntropyBits(joint: JointDistribution, of: Selection, given: Selection): number {
  return Math.max(0, entropyBits(joint, union(of, given)) - entropyBits(joint, given));
}
