import { approximateGacsKorner } from "./approximate-gacs-korner.ts";
import { chanceMutualInformationBits } from "./chance-mutual-information.ts";
import { conditionalEntropyBits } from "./conditional-entropy.ts";
import { dualTotalCorrelationBits } from "./dual-total-correlation.ts";
import { entropyBits } from "./entropy.ts";
import { gacsKorner } from "./gacs-korner.ts";
import type { JointDistribution } from "./joint-distribution.ts";
import { marginal } from "./joint-operations.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { partialInformation, redundancyMeasures } from "./partial-information.ts";
import { stream } from "./random.ts";
import { stochasticGacsKorner } from "./stochastic-gacs-korner.ts";
import { totalCorrelationBits } from "./total-correlation.ts";
import { wynerCommonInformation } from "./wyner.ts";

/** A figure that was not computed, and why. */
interface NotComputed {
  readonly notComputed: string;
}

export interface InfoReportOptions {
  readonly x: string;
  readonly y: string;
  readonly target?: string | undefined;
  /** Observations behind `joint`; left out where it is no sample but the distribution itself. */
  readonly rows?: number | undefined;
  readonly seed: number;
  /** Starts of Wyner's fitted mixtures; left out: `wynerDefaults`. */
  readonly fits?: number | undefined;
  /** Adds the approximate common information, either way, at this slack. */
  readonly slackBits?: number | undefined;
  /** Adds the stochastic relaxation, at this weight of its constraint, up to 1e12 (`mostWeight`). */
  readonly weight?: number | undefined;
}

/**
 * Exact measures of a distribution; of the empirical one of rows, plug-in figures without an interval.
 *
 * Its form is `schemas/info-report.ts`, which this room may not import: the compiler compares them where both are used.
 *
 * @param joint with variables x, y and, where it is given, target
 */
export function infoReport(
  joint: JointDistribution,
  { x, y, target, rows, seed, fits, slackBits, weight }: InfoReportOptions,
) {
  const common = gacsKorner(joint, [x, y]);
  const report = {
    format: 1 as const,
    ...(rows === undefined ? {} : { rows }),
    x,
    y,
    entropyBits: { x: entropyBits(joint, x), y: entropyBits(joint, y), joint: entropyBits(joint, [x, y]) },
    conditionalEntropyBits: {
      xGivenY: conditionalEntropyBits(joint, x, y),
      yGivenX: conditionalEntropyBits(joint, y, x),
    },
    mutualInformationBits: mutualInformationBits(joint, x, y),
    ...(rows === undefined ? {} : { mutualInformationBiasBits: biasBits(joint, { x, y, rows }) }),
    gacsKornerBits: common.bits,
    gacsKornerValues: common.probabilities.length,
    wyner: unlessTooLarge(() => {
      const found = wynerCommonInformation(
        joint,
        { x, y },
        {
          uniform: stream(seed, "wyner").uniform,
          ...(fits === undefined ? {} : { fits }),
        },
      );
      const { bits, lowerBits, dualBits, upperBits, gapBits, converged } = found;
      return { bits, lowerBits, dualBits, upperBits, gapBits, converged };
    }),
    ...(slackBits === undefined ? {} : { approximate: approximate(joint, { x, y, slackBits }) }),
    ...(weight === undefined ? {} : { stochastic: stochastic(joint, { x, y, weight, seed }) }),
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

/** What columns of these counts would show if they had nothing in common. */
function biasBits(joint: JointDistribution, { x, y, rows }: { x: string; y: string; rows: number }): number {
  const counts = (name: string) => marginal(joint, [name]).probabilities.map((p) => Math.round(p * rows));
  return chanceMutualInformationBits(counts(x), counts(y));
}

function approximate(
  joint: JointDistribution,
  { x, y, slackBits }: Required<Pick<InfoReportOptions, "x" | "y">> & { slackBits: number },
) {
  const ofOne = (from: string, to: string) =>
    unlessTooLarge(() => {
      const { bits, leakBits, classOf } = approximateGacsKorner(joint, { x: from, y: to }, { slackBits });
      return { bits, leakBits, values: new Set(classOf).size };
    });
  return { slackBits, ofX: ofOne(x, y), ofY: ofOne(y, x) };
}

function stochastic(
  joint: JointDistribution,
  { x, y, weight, seed }: { x: string; y: string; weight: number; seed: number },
) {
  return unlessTooLarge(() => {
    const found = stochasticGacsKorner(joint, { x, y }, { weight, uniform: stream(seed, "stochastic").uniform });
    const { objectiveBits, informationBits, disagreementBits } = found;
    return { weight, objectiveBits, informationBits, disagreementBits };
  });
}

/** What more than two columns have in common: figures that grow with the rows only. */
export function columnsReport(
  joint: JointDistribution,
  { columns, rows }: { columns: string[]; rows?: number | undefined },
) {
  const common = gacsKorner(joint, columns);
  return {
    format: 1 as const,
    ...(rows === undefined ? {} : { rows }),
    columns,
    entropyBits: columns.map((name) => entropyBits(joint, name)),
    jointEntropyBits: entropyBits(joint, columns),
    totalCorrelationBits: totalCorrelationBits(joint, columns),
    dualTotalCorrelationBits: dualTotalCorrelationBits(joint, columns),
    gacsKornerBits: common.bits,
    gacsKornerValues: common.probabilities.length,
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
