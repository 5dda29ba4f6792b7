import { gacsKorner } from "./gacs-korner.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";

/** Sources that tell about a target. */
export interface SourcesAndTarget {
  /** At least one; each a variable or a group of them. */
  readonly sources: readonly Selection[];
  readonly target: Selection;
}

/**
 * In front of every measure of redundancy: without sources each would answer something else, or fail inside.
 *
 * @throws RangeError for no source
 */
export function requireSources(sources: SourcesAndTarget["sources"]): void {
  if (sources.length > 0) return;
  throw new RangeError("Cannot compute a redundancy: there must be at least one source, got none");
}

/**
 * Redundant information I_and: what the common random variable of the sources tells about the target.
 *
 *   I_and = max_Q I(Q; Y)   such that   Q = f_1(X_1) = ... = f_n(X_n)
 *
 * The maximum is the Gacs-Korner common variable, since every other Q is a function of it. Exact; symmetric, self-redundant
 * and monotone; the synergy derived from it can be negative.
 *
 * Source: Griffith et al. 2014, "Intersection information based on common randomness"; RINE paper, equation 2
 *
 * @returns bits, between 0 and the smallest I(X_i; Y). O(outcomes x variables)
 * @throws RangeError for no source
 */
export function redundancyAndBits(joint: JointDistribution, { sources, target }: SourcesAndTarget): number {
  requireSources(sources);
  const common = gacsKorner(joint, sources);
  const { outcomes, probabilities, variables } = regroup(joint, [...sources, target]);
  const width = variables.length;
  const symbols = variables[width - 1]!.symbols.length;
  const table = new Float64Array(common.probabilities.length * symbols);
  const ofTarget = new Float64Array(symbols);
  for (const [at, probability] of probabilities.entries()) {
    const component = common.componentOf[0]![outcomes[at * width]!]!;
    const y = outcomes[at * width + width - 1]!;
    table[component * symbols + y]! += probability;
    ofTarget[y]! += probability;
  }
  const bits = table.reduce((sum, p, cell) => {
    if (p === 0) return sum;
    // Not the ratio to the product: of rare values that is 0 in float64.
    const given = p / common.probabilities[Math.floor(cell / symbols)]!;
    return sum + p * (Math.log2(given) - Math.log2(ofTarget[cell % symbols]!));
  }, 0);
  return Math.max(0, bits);
}
