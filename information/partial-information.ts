import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { redundancyAndBits } from "./redundancy-and.ts";
import { redundancyBroja } from "./redundancy-broja.ts";
import { redundancyGriffithHoBits } from "./redundancy-griffith-ho.ts";
import { redundancyMinimumBits } from "./redundancy-minimum.ts";
import { union } from "./selection.ts";

/** The definitions of redundant information to choose from. */
export const redundancyMeasures = ["I_and", "I_GH", "I_min", "BROJA"] as const;
export type RedundancyMeasure = (typeof redundancyMeasures)[number];

/** How two sources' information about a target divides, bits. The four parts add up to `totalBits`. */
export interface PartialInformation {
  readonly measure: RedundancyMeasure;
  readonly redundantBits: number;
  /** What each source alone tells, in the order of the sources. */
  readonly uniqueBits: readonly [number, number];
  /** What only both together tell. Negative values occur with I_and and I_GH. */
  readonly synergisticBits: number;
  /** I(X_1, X_2; Y) */
  readonly totalBits: number;
  /** How far the parts can be from their exact values, proved; 0 for a measure that is computed directly. */
  readonly gapBits: number;
}

/**
 * Partial information decomposition of two sources about a target, from one definition of the redundant part.
 *
 *   unique_i = I(X_i; Y) - redundant,   synergistic = I(X_1, X_2; Y) - unique_1 - unique_2 - redundant
 *
 * Source: Williams & Beer 2010; RINE paper, equations 12-14
 *
 * @throws RangeError where I_GH refuses the table as too large
 */
export function partialInformation(
  joint: JointDistribution,
  { sources, target }: { readonly sources: readonly [Selection, Selection]; readonly target: Selection },
  measure: RedundancyMeasure,
): PartialInformation {
  const [first, second] = sources.map((source) => mutualInformationBits(joint, source, target)) as [number, number];
  // By every measure at most what either source tells: where that is nothing, no table is too large.
  const nothing = withoutRounding(Math.min(first, second)) === 0;
  const { bits: redundantBits, gapBits } = nothing
    ? { bits: 0, gapBits: 0 }
    : redundancy(joint, { sources, target }, measure);
  const totalBits = mutualInformationBits(joint, union(...sources), target);
  return {
    measure,
    redundantBits,
    uniqueBits: [withoutRounding(first - redundantBits), withoutRounding(second - redundantBits)],
    synergisticBits: withoutRounding(totalBits - first - second + redundantBits),
    totalBits,
    gapBits,
  };
}

function redundancy(
  joint: JointDistribution,
  given: { readonly sources: readonly [Selection, Selection]; readonly target: Selection },
  measure: RedundancyMeasure,
): { bits: number; gapBits: number } {
  switch (measure) {
    case "I_and":
      return { bits: redundancyAndBits(joint, given), gapBits: 0 };
    case "I_GH":
      return { bits: redundancyGriffithHoBits(joint, given), gapBits: 0 };
    case "I_min":
      return { bits: redundancyMinimumBits(joint, given), gapBits: 0 };
    case "BROJA":
      return redundancyBroja(joint, given);
  }
}

/** Differences of rounded numbers: -1e-16 means 0. */
function withoutRounding(bits: number): number {
  return Math.abs(bits) < 1e-12 ? 0 : bits;
}
