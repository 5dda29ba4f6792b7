import { bootstrapMean } from "../../information/bootstrap.ts";
import {
  type GaussianPrior,
  type GaussianRows,
  gaussianDisagreement,
  gaussianRate,
} from "../../information/gaussian-rate.ts";
import { gradientBoosting } from "../../information/gradient-boosting.ts";
import { linearProbe } from "../../information/linear-probe.ts";
import { joinColumns, type Matrix } from "../../information/matrix.ts";
import { bitsPerNat } from "../../information/units.ts";
import { type UsableInformation, usableInformation } from "../../information/usable-information.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Factor } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import type { EncodedPairs } from "./encode-pairs.ts";

/** Share of the pairs that the probes are fitted on, from the front; the paper's 8,000 of 10,000. */
const trainShare = 0.8;

/** How many of the pairs, from the front, the classifiers are fitted on; the rest is the test part. */
export function trainingPairs(pairs: number): number {
  return Math.floor(pairs * trainShare);
}

/**
 * What a representation is asked for: which view's labels go with a block, and the codes it consists of. As in the
 * paper the common block is that of encoder 1, and `all` is the whole code against the labels of view 1.
 */
const representations = [
  { name: "common", view: 0, codes: ["common_mean"] },
  { name: "unique_1", view: 0, codes: ["unique_1_mean"] },
  { name: "unique_2", view: 1, codes: ["unique_2_mean"] },
  { name: "all", view: 0, codes: ["unique_1_mean", "common_mean", "unique_2_mean"] },
] as const;

export interface MeasureOptions {
  readonly seed: number;
  readonly factors: readonly Factor[];
  /** What looks for a factor in a block; default `linear`. */
  readonly classifier?: "linear" | "trees";
  /** By block, where a family learns its priors; the standard normal elsewhere. */
  readonly priors?: Readonly<Record<string, GaussianPrior>>;
  /** After each figure, with its name. */
  readonly onFigure?: (quantity: string) => void;
}

/**
 * Figures of a two-view representation, in bits unless their unit says otherwise:
 *
 *   entropy.<factor>             of the test labels of view 1: the most that can be found
 *   usable.<factor>.<block>      what the classifier finds in common, unique_1, unique_2 or all; bootstrap over test rows
 *   usable.<factor>.unique       mean of unique_1 and unique_2, each with the labels of its own view; bootstrap over test
 *                                pairs, so that what the two views of a pair share is not counted as two draws
 *   rate.<block>                 mean rate of common (encoder 1), common_2 (encoder 2), unique_1, unique_2
 *   disagreement.common          mean KL( q(common | view_1) || q(common | view_2) )
 *
 * A factor that has one value only is left out: there is nothing to find. Where there are several common factors and
 * not too many combinations of them, `common_factors` is all of them at once: what a linear probe finds there is to be
 * held against the common information of the source. It can exceed the sum over single factors: a code that lines the
 * combinations up (by area, say) tells them all apart and yet shows no line between the values of one factor.
 */
export function measure({ codes, labels }: EncodedPairs, options: MeasureOptions): Figure[] {
  const { seed, factors } = options;
  const figures: Figure[] = [];
  const push = (figure: Omit<Figure, "unit" | "seed">): void => {
    figures.push({ ...figure, unit: "bits", seed });
    options.onFigure?.(figure.quantity);
  };
  const interval = (quantity: string, rows: Float64Array): [number, number] =>
    bootstrapMean(rows, { draw: stream(seed, "bootstrap", quantity).integer });

  const asked = variedFactors(factors, labels);
  const joint = jointFactor(asked);
  for (const factor of joint === undefined ? asked : [...asked, joint]) {
    const own: UsableInformation[] = [];
    for (const { name, view, codes: parts } of representations.filter((asked) => isComplete(asked, codes))) {
      const features = joinColumns(parts.map((part) => codeNamed(codes, part)));
      const train = trainingPairs(features.rows);
      const found = usableInformation(features, labelsOf(factor, labels[view], asked), {
        classes: factor.size,
        train,
        classifier: options.classifier === "trees" ? gradientBoosting : linearProbe,
      });
      const n = features.rows - train;
      if (name === "common") {
        const estimator = "entropy of the test labels of view 1, plug-in";
        push({ quantity: `entropy.${factor.name}`, value: found.entropyBits, estimator, n });
      }
      const quantity = `usable.${factor.name}.${name}`;
      const estimator =
        `${found.estimator} on posterior means of ${train} pairs, ` +
        `entropy of the test labels of view ${view + 1} minus test cross-entropy${found.converged ? "" : "; the fit did not converge"}`;
      push({ quantity, value: found.bits, estimator, n, interval: interval(quantity, found.rows) });
      if (name.startsWith("unique")) own.push(found);
    }
    const [first, second] = own;
    if (first === undefined || second === undefined) continue;
    const quantity = `usable.${factor.name}.unique`;
    const rows = first.rows.map((row, i) => (row + second.rows[i]!) / 2);
    push({
      quantity,
      value: (first.bits + second.bits) / 2,
      estimator: `mean over both views of what ${first.estimator} finds in the view's own unique block about its own labels`,
      n: rows.length,
      interval: interval(quantity, rows),
    });
  }

  const pushMean = (quantity: string, nats: Float64Array, estimator: string): void => {
    const bits = nats.map((value) => value * bitsPerNat);
    const value = bits.reduce((sum, one) => sum + one, 0) / bits.length;
    push({ quantity, value, estimator, n: bits.length, interval: interval(quantity, bits) });
  };
  for (const [block, moments] of [
    ["common", "common"],
    ["common_2", "common_2"],
    ["unique_1", "unique_1"],
    ["unique_2", "unique_2"],
  ] as const) {
    if (codes[`${moments}_logvar`] === undefined) continue; // a code without a posterior has no rate
    const prior = options.priors?.[block === "common_2" ? "common" : block];
    const estimator = `mean KL from the ${prior === undefined ? "standard normal" : "learned"} prior, closed form`;
    pushMean(`rate.${block}`, gaussianRate(gaussians(codes, moments), prior), estimator);
  }
  if (codes.common_1_logvar === undefined || codes.common_2_logvar === undefined) return figures;
  const disagreement = gaussianDisagreement(gaussians(codes, "common_1"), gaussians(codes, "common_2"));
  pushMean(
    "disagreement.common",
    disagreement,
    "mean KL of encoder 1's common posterior from encoder 2's, closed form",
  );
  return figures;
}

/** Families without a unique block leave its figures out. `common` every family has. */
function isComplete({ name, codes: parts }: (typeof representations)[number], codes: EncodedPairs["codes"]): boolean {
  return name === "common" || parts.every((part) => codes[part] !== undefined);
}

/** Factors that take more than one value in the pairs, in either view: of the others there is nothing to find. */
export function variedFactors(factors: readonly Factor[], labels: EncodedPairs["labels"]): Factor[] {
  return factors.filter(({ name }) => labels.every((ofView) => new Set(ofView[name]).size > 1));
}

/** Name of the figures about all common factors at once. */
export const jointName = "common_factors";

/** More classes than this leave a probe too few examples of each. */
const jointClasses = 64;

/** All common factors as one: its entropy is the common information of the labels. */
function jointFactor(factors: readonly Factor[]): Factor | undefined {
  const common = factors.filter(({ role }) => role === "common");
  const size = common.reduce((product, factor) => product * factor.size, 1);
  return common.length > 1 && size <= jointClasses ? { name: jointName, size, role: "common" } : undefined;
}

function labelsOf(
  { name }: Factor,
  labels: Readonly<Record<string, Int32Array>>,
  factors: readonly Factor[],
): Int32Array {
  if (name !== jointName) return labels[name]!;
  const common = factors.filter(({ role }) => role === "common");
  const first = labels[common[0]!.name]!;
  return Int32Array.from(first, (_, i) =>
    common.reduce((index, factor) => index * factor.size + labels[factor.name]![i]!, 0),
  );
}

function gaussians(codes: EncodedPairs["codes"], name: string): GaussianRows {
  return { mean: codeNamed(codes, `${name}_mean`), logvar: codeNamed(codes, `${name}_logvar`) };
}

function codeNamed(codes: EncodedPairs["codes"], name: string): Matrix {
  const code = codes[name];
  if (code === undefined)
    throw new Error(`Cannot evaluate: encode must return "${name}", got ${Object.keys(codes).join(", ")}`);
  return code;
}
