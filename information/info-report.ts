import { conditionalEntropyBits } from "./conditional-entropy.ts";
import { entropyBits } from "./entropy.ts";
import { gacsKorner } from "./gacs-korner.ts";
import type { JointDistribution } from "./joint-distribution.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { partialInformation, redundancyMeasures } from "./partial-information.ts";
import { stream } from "./random.ts";
import { wynerCommonInformation } from "./wyner.ts";

/** A figure that was not computed, and why. */
interface NotComputed {
  readonly notComputed: string;
}

/**
 * Exact measures of the empirical distribution of rows: plug-in figures, no interval.
 *
 * Its form is `schemas/info-report.ts`, which this room may not import: the compiler compares them where both are used.
 *
 * @param joint made from `rows` rows, with variables x, y and, where it is given, target
 */
export function infoReport(
  joint: JointDistribution,
  { x, y, target, rows, seed }: { x: string; y: string; target?: string | undefined; rows: number; seed: number },
) {
  const common = gacsKorner(joint, [x, y]);
  const [sizeX, sizeY] = [x, y].map((name) => joint.variables.find((one) => one.name === name)!.symbols.length);
  const report = {
    format: 1 as const,
    rows,
    x,
    y,
    entropyBits: { x: entropyBits(joint, x), y: entropyBits(joint, y), joint: entropyBits(joint, [x, y]) },
    conditionalEntropyBits: {
      xGivenY: conditionalEntropyBits(joint, x, y),
      yGivenX: conditionalEntropyBits(joint, y, x),
    },
    mutualInformationBits: mutualInformationBits(joint, x, y),
    mutualInformationBiasBits: ((sizeX! - 1) * (sizeY! - 1)) / (2 * rows * Math.LN2),
    gacsKornerBits: common.bits,
    gacsKornerValues: common.probabilities.length,
    wyner: unlessTooLarge(() => {
      const found = wynerCommonInformation(joint, { x, y }, { uniform: stream(seed, "wyner").uniform });
      const { bits, lowerBits, dualBits, upperBits, gapBits, converged } = found;
      return { bits, lowerBits, dualBits, upperBits, gapBits, converged };
    }),
  };
  if (target === undefined) return report;
  return {
    ...report,
    target,
    entropyBits: { ...report.entropyBits, target: entropyBits(joint, target) },
    informationAboutTargetBits: {
      x: mutualInformationBits(joint, x, target),
      y: mutualInformationBits(joint, y, target),
      both: mutualInformationBits(joint, [x, y], target),
    },
    decompositions: redundancyMeasures.map((measure) => {
      const parts = unlessTooLarge(() => partialInformation(joint, { sources: [x, y], target }, measure));
      return "notComputed" in parts ? { measure, ...parts } : { ...parts, uniqueBits: [...parts.uniqueBits] };
    }),
  };
}

/** A table beyond an exact method's reach costs one figure, not the report. */
function unlessTooLarge<T>(compute: () => T): T | NotComputed {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) return { notComputed: error.message };
    throw error;
  }
}
