import { bootstrapMean } from "../../information/bootstrap.ts";
import { labelEntropy } from "../../information/label-entropy.ts";
import { logSumExp } from "../../information/log-sum-exp.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { loadSource } from "../data/open-source.ts";
import type { PairSource } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import { bootstrapOf, meanFigure } from "./figures.ts";
import type { Findings, Subject } from "./protocol.ts";

/** Figures of a classifier. */
export const judgeQuantities = ["accuracy.test", "label_bits.test"];

const blockRows = 500;

/**
 * Classifiers, on the other split of their source:
 *
 *   accuracy.test       share of images that they name rightly
 *   label_bits.test     bits of the label that they tell: H(label) - cross-entropy, a lower bound on the mutual information
 *                       of image and label up to the sampling error of the test part (Xu et al. 2020)
 */
export async function judgeProtocol(subject: Subject): Promise<Findings> {
  const { tasks, recipe, pairs, seed, onProgress } = subject;
  const source = await testSource(subject);
  onProgress(`classifying ${pairs} images`);
  const right = new Float64Array(pairs);
  const bits = new Float64Array(pairs);
  const labels = new Int32Array(pairs);
  for (let start = 0; start < pairs; start += blockRows) {
    const rows = Math.min(blockRows, pairs - start);
    const { tensors } = source.draw(rows, stream(seed, "evaluation", start / blockRows));
    const logits = (await tasks.run("classify", { view_1: tensors.view_1! })).logits!;
    const classes = logits.shape[1]!;
    for (let row = 0; row < rows; row++) {
      const own = (logits.data as Float32Array).subarray(row * classes, (row + 1) * classes);
      const label = Number(tensors.label!.data[row]);
      labels[start + row] = label;
      right[start + row] = largest(own, { start: 0, length: classes }) === label ? 1 : 0;
      bits[start + row] = (own[label]! - logSumExp(Float64Array.from(own))) * bitsPerNat;
    }
  }
  const split = isTrainSplit(recipe) ? "the test split" : "the source itself";
  const draws = `${pairs} draws with replacement from ${split}`;
  const value = right.reduce((sum, one) => sum + one, 0) / pairs;
  const interval = bootstrapMean(right, bootstrapOf("accuracy.test", seed));
  const estimator = `share of images named rightly; ${draws}`;
  const accuracy = { quantity: "accuracy.test", unit: "1", value, estimator, n: pairs, seed, interval };
  const entropy = labelEntropy(labels, source.description.factors[0]!.size);
  const usable = meanFigure(
    "label_bits.test",
    bits.map((logLikelihood) => entropy + logLikelihood),
    { estimator: `entropy of the labels less the classifier's cross-entropy; ${draws}`, seed },
  );
  return { figures: [accuracy, usable], tables: () => [], pictures: async () => [] };
}

/** The source with its test split in place of the training one; the source itself where it has no splits. */
export async function testSource({ recipe, source, dataDir }: Subject): Promise<PairSource> {
  return isTrainSplit(recipe) ? loadSource({ ...recipe.data, split: "test" }, { dataDir }) : source;
}

function isTrainSplit({ data }: Recipe): boolean {
  return "split" in data && data.split === "train";
}

/** Place of the largest value among `length` values from `start`, the first of equal ones. */
export function largest(values: Float32Array, { start, length }: { start: number; length: number }): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}
