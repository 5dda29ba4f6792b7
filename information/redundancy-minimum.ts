import type { JointDistribution } from "./joint-distribution.ts";
import { pairTable } from "./pair-table.ts";
import { requireSources, type SourcesAndTarget } from "./redundancy-and.ts";

/**
 * Redundant information I_min: for each value of the target the least that a source tells about it, averaged.
 *
 *   I_min = sum_y p(y) min_i I(Y = y; X_i),   I(Y = y; X) = sum_x p(x | y) log2( p(y | x) / p(y) )
 *
 * Compares amounts, not contents: two independent bits are redundant about their pair (1 bit for UNQ).
 *
 * Source: Williams & Beer 2010, https://arxiv.org/abs/1004.2515, equations 2 and 3
 *
 * @returns bits, between 0 and the smallest I(X_i; Y). O(sources x (outcomes + cells))
 * @throws RangeError for no source
 */
export function redundancyMinimumBits(joint: JointDistribution, { sources, target }: SourcesAndTarget): number {
  requireSources(sources);
  const perSource = sources.map((source) => specificInformation(joint, source, target));
  const { py, specific } = perSource[0]!;
  return specific.reduce((bits, _, y) => {
    const least = Math.min(...perSource.map((other) => other.specific[y]!));
    return bits + py[y]! * Math.max(0, least);
  }, 0);
}

function specificInformation(
  joint: JointDistribution,
  source: SourcesAndTarget["sources"][number],
  target: SourcesAndTarget["target"],
): { py: Float64Array; specific: Float64Array } {
  const { table, px, py } = pairTable(joint, source, target);
  const specific = new Float64Array(py.length);
  for (const [cell, p] of table.entries()) {
    const y = cell % py.length;
    if (p === 0) continue;
    // Not the ratio to the product: of rare values that is 0 in float64.
    const given = p / px[Math.floor(cell / py.length)]!;
    specific[y]! += (p / py[y]!) * (Math.log2(given) - Math.log2(py[y]!));
  }
  return { py, specific };
}
