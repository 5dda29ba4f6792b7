import { gradientBoosting } from "../../information/gradient-boosting.ts";
import { linearProbe } from "../../information/linear-probe.ts";
import { joinColumns, type Matrix } from "../../information/matrix.ts";
import { type UsableInformation, usableInformation } from "../../information/usable-information.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Factor } from "../data/pair-source.ts";
import { jointFactor, labelsOf, variedFactors } from "./asked-factors.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { entropyFigure, meanFigure } from "./figures.ts";
import { codeNamed, drawnCodes, hasPosterior } from "./posteriors.ts";
import { trainingPairs } from "./training-pairs.ts";

/** What is looked at of a posterior: its mean, or one draw from it. */
export type CodeKind = "means" | "drawn";

export interface UsableOptions {
  readonly seed: number;
  readonly factors: readonly Factor[];
  /** What looks for a factor in a block; default `linear`. */
  readonly classifier?: "linear" | "trees";
  /** Exact common information of the source's factors, where it is known: shows whether they are independent. */
  readonly commonInformationBits?: number | undefined;
  /** After each figure, with its name. */
  readonly onFigure?: (quantity: string) => void;
}

/**
 * What a classifier finds about each factor in each block, in bits, with bootstrap intervals over test pairs:
 *
 *   entropy.<factor>             of the test labels of view 1: the most that can be found (with the means only)
 *   usable.<factor>.<block>      in the posterior means of common, unique_1, unique_2 or all
 *   usable.<factor>.unique       mean of unique_1 and unique_2, each with the labels of its own view
 *   usable_drawn.<factor>.<block>    in one draw from each posterior, without `all`: two means can differ by far less
 *                                than the posterior's own noise, and what only such differences tell no code carries
 *   mutual_information.views.barber-agakov    sum of usable.<factor>.common over the common factors, where they are
 *                                independent: a lower bound on I(view_1; view_2) (with the means only)
 *
 * A factor that has one value only is left out: there is nothing to find. Where there are several common factors and
 * not too many combinations of them, `common_factors` is all of them at once: what a linear probe finds there is to be
 * held against the common information of the source. It can exceed the sum over single factors: a code that lines the
 * combinations up (by area, say) tells them all apart and yet shows no line between the values of one factor.
 */
export function measureUsable(encoded: EncodedPairs, kind: CodeKind, options: UsableOptions): Figure[] {
  const { seed, factors, onFigure = () => {} } = options;
  const [prefix, of] =
    kind === "means" ? ["usable", "posterior means"] : ["usable_drawn", "one draw from each posterior"];
  const classifier = options.classifier === "trees" ? gradientBoosting : linearProbe;
  const asked = variedFactors(factors, encoded.labels);
  const joint = jointFactor(asked);
  const blocks = kind === "means" ? meanBlocks(encoded) : drawnBlocks(encoded, seed);
  const figures: Figure[] = [];
  const push = (figure: Figure): void => {
    figures.push(figure);
    onFigure(figure.quantity);
  };
  const shared: UsableInformation[] = [];
  for (const factor of joint === undefined ? asked : [...asked, joint]) {
    const unique: UsableInformation[] = [];
    for (const { name, view, codes } of blocks) {
      const train = trainingPairs(codes.rows);
      const labels = labelsOf(factor, encoded.labels[view], asked);
      const found = usableInformation(codes, labels, { classes: factor.size, train, classifier });
      if (kind === "means" && name === "common") {
        const of = { classes: factor.size, of: "test labels of view 1", seed };
        push(entropyFigure(`entropy.${factor.name}`, labels.subarray(train), of));
      }
      const estimator =
        `${found.estimator} on ${of} of ${train} pairs, ` +
        `entropy of the test labels of view ${view + 1} minus test cross-entropy${found.converged ? "" : "; the fit did not converge"}`;
      push(meanFigure(`${prefix}.${factor.name}.${name}`, found.rows, { estimator, seed, value: found.bits }));
      if (name.startsWith("unique")) unique.push(found);
      if (name === "common" && factor.role === "common" && factor !== joint) shared.push(found);
    }
    const [first, second] = unique;
    if (first === undefined || second === undefined) continue;
    const estimator = `mean over both views of what ${first.estimator} finds in ${of} of the view's own unique block about its own labels`;
    const rows = first.rows.map((row, i) => (row + second.rows[i]!) / 2);
    push(meanFigure(`${prefix}.${factor.name}.unique`, rows, { estimator, seed }));
  }
  if (kind === "means" && shared.length > 0 && areIndependent(asked, options.commonInformationBits)) {
    push(viewsFigure(shared, seed));
  }
  return figures;
}

/** Uniform and independent: the common information is the sum of the entropies. One factor alone always is. */
function areIndependent(factors: readonly Factor[], commonInformationBits: number | undefined): boolean {
  const common = factors.filter(({ role }) => role === "common");
  const sum = common.reduce((total, { size }) => total + Math.log2(size), 0);
  return common.length === 1 || Math.abs(sum - (commonInformationBits ?? Number.NaN)) < 1e-6;
}

/** For independent Y_k, sum_k I(Y_k; C) is at most I(Y_1 .. Y_K; C), and that at most I(view_2; view_1). */
function viewsFigure(found: readonly UsableInformation[], seed: number): Figure {
  const rows = Float64Array.from(found[0]!.rows, (_, i) => found.reduce((sum, { rows: own }) => sum + own[i]!, 0));
  const estimator = `Barber-Agakov: lower bound on I(view_1; view_2) in expectation, what ${found[0]!.estimator} finds in encoder 1's common code of the common factors of view 2, added up over independent factors`;
  return meanFigure("mutual_information.views.barber-agakov", rows, { estimator, seed });
}

/** Codes that are asked for a factor, and the view whose labels go with them. */
interface Block {
  readonly name: string;
  readonly view: 0 | 1;
  readonly codes: Matrix;
}

/** As in the paper the common block is that of encoder 1, and `all` is the whole code against the labels of view 1. */
function meanBlocks(encoded: EncodedPairs): Block[] {
  const mean = (name: string): Matrix => codeNamed(encoded, `${name}_mean`);
  const common: Block = { name: "common", view: 0, codes: mean("common") };
  const { unique_1_mean, unique_2_mean } = encoded.codes;
  // Families without a unique block leave its figures out. `common` every family has.
  if (unique_1_mean === undefined) return [common];
  const first: Block = { name: "unique_1", view: 0, codes: unique_1_mean };
  if (unique_2_mean === undefined) return [common, first];
  return [
    common,
    first,
    { name: "unique_2", view: 1, codes: unique_2_mean },
    { name: "all", view: 0, codes: joinColumns([unique_1_mean, common.codes, unique_2_mean]) },
  ];
}

function drawnBlocks(encoded: EncodedPairs, seed: number): Block[] {
  const views = { common: 0, unique_1: 0, unique_2: 1 } as const;
  const names = ["common", "unique_1", "unique_2"] as const;
  return names
    .filter((name) => hasPosterior(encoded, name))
    .map((name) => ({ name, view: views[name], codes: drawnCodes(encoded, name, seed) }));
}
