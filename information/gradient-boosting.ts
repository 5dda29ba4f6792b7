import { type Classifier, requireClasses } from "./classifier.ts";
import { binFeatures } from "./feature-bins.ts";
import { labelCounts } from "./label-entropy.ts";
import { requireLabelled } from "./linear-probe.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { evaluateTree, growTree, type RegressionTree } from "./regression-tree.ts";

/** The defaults of scikit-learn's GradientBoostingClassifier, which the GK-VAE paper and disentanglement_lib use. */
export const boostingSettings = { stages: 100, depth: 3, learningRate: 0.1 } as const;

export type BoostingSettings = { readonly [key in keyof typeof boostingSettings]: number };

/** Least probability that is charged, as in scikit-learn's log_loss: a row costs at most 34.5 nats, 49.8 bits. */
const leastProbability = 1e-15;

export interface BoostedTrees {
  readonly classes: number;
  readonly columns: number;
  /** Classes that occur in the training rows, ascending; the others have probability 0. */
  readonly present: Int32Array;
  /** Score that every row starts from, one a scored class. */
  readonly start: Float64Array;
  /** By stage, then by scored class: with two classes only the second is scored. */
  readonly stages: readonly (readonly RegressionTree[])[];
  readonly learningRate: number;
  /** [columns], summed gains of the splits by a feature, divided by their total. */
  readonly importances: Float64Array;
}

/**
 * Gradient-boosted regression trees for the classes' scores, softmax over them.
 *
 *   residual_ik = [y_i = k] - p_ik;   leaf value = (K-1)/K sum residual / sum p (1 - p)   (K = 2: without (K-1)/K)
 *
 * Every stage grows one tree a class from the same probabilities. No subsampling, no randomness. Follows scikit-learn's
 * GradientBoostingClassifier, except that features with more than 255 distinct values are cut into 255 bins.
 *
 * Source: Friedman 2001, https://doi.org/10.1214/aos/1013203451, algorithm 6
 *
 * @param features [rows, columns]
 * @param labels [rows], integers 0 .. classes - 1, at least two of them different
 * @throws RangeError if rows and labels differ in number, are too few or all of one class, or a value is not finite
 */
export function fitBoostedTrees(
  features: Matrix,
  labels: Int32Array,
  classes: number,
  settings: BoostingSettings = boostingSettings,
): BoostedTrees {
  requireLabelled("fit boosted trees", features, labels, classes);
  requireClasses("fit boosted trees", labels, classes);
  const { rows, columns } = features;
  const counts = labelCounts(labels, classes);
  const present = Int32Array.from(counts.keys()).filter((k) => counts[k]! > 0);
  const binary = present.length === 2;
  const scored = binary ? present.subarray(1) : present;
  const start = Float64Array.from(scored, (k) =>
    binary ? Math.log(counts[k]! / counts[present[0]!]!) : Math.log(counts[k]! / rows),
  );
  const scores = Array.from(start, (score) => new Float64Array(rows).fill(score));
  const probabilities = Array.from(scored, () => new Float64Array(rows));
  const residuals = new Float64Array(rows);
  const bins = binFeatures(features);
  const importances = new Float64Array(columns);
  const newton = binary ? 1 : (present.length - 1) / present.length;

  function grow(index: number, stage: number): RegressionTree {
    const [label, score, probability] = [scored[index]!, scores[index]!, probabilities[index]!];
    for (let i = 0; i < rows; i++) residuals[i] = (labels[i] === label ? 1 : 0) - probability[i]!;
    return growTree(bins, residuals, {
      depth: settings.depth,
      turn: stage * scored.length + index,
      importances,
      leafValue: (leaf) => {
        let slope = 0;
        let curvature = 0;
        for (const i of leaf) {
          slope += residuals[i]!;
          curvature += probability[i]! * (1 - probability[i]!);
        }
        return curvature < 1e-150 ? 0 : (newton * slope) / curvature;
      },
      onLeaf: (leaf, value) => {
        for (const i of leaf) score[i]! += settings.learningRate * value;
      },
    });
  }

  const stages = Array.from({ length: settings.stages }, (_, stage) => {
    softmax(scores, probabilities);
    return Array.from(scored, (_label, index) => grow(index, stage));
  });
  const total = importances.reduce((sum, gain) => sum + gain, 0);
  return {
    classes,
    columns,
    present,
    start,
    stages,
    learningRate: settings.learningRate,
    importances: total > 0 ? importances.map((gain) => gain / total) : importances,
  };
}

/** ln p(k | x_i), [rows, classes] row-major, nats, at least ln 1e-15. */
export function boostedLogProbabilities(model: BoostedTrees, features: Matrix): Float64Array {
  const action = "apply boosted trees";
  requireMatrix(action, "features", features);
  if (features.columns !== model.columns) {
    throw new RangeError(`Cannot ${action}: "features" must have ${model.columns} columns, got ${features.columns}`);
  }
  const { rows, columns, values } = features;
  const { classes, present, start, stages, learningRate } = model;
  const least = Math.log(leastProbability);
  const out = new Float64Array(rows * classes).fill(least);
  const scores = new Float64Array(present.length);
  const first = present.length - start.length;
  for (let i = 0; i < rows; i++) {
    scores.fill(0, 0, first);
    scores.set(start, first);
    for (const trees of stages) {
      for (let k = 0; k < trees.length; k++) {
        scores[first + k]! += learningRate * evaluateTree(trees[k]!, values, i * columns);
      }
    }
    const top = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    const logPartition = top + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0));
    for (const [k, score] of scores.entries()) {
      out[i * classes + present[k]!] = Math.max(score - logPartition, least);
    }
  }
  return out;
}

/** Writes the probabilities of the scored classes; a single column of scores is held against a score of 0. */
function softmax(scores: readonly Float64Array[], probabilities: readonly Float64Array[]): void {
  const rows = scores[0]!.length;
  const hidden = scores.length === 1;
  for (let i = 0; i < rows; i++) {
    let top = hidden ? 0 : Number.NEGATIVE_INFINITY;
    for (const score of scores) top = Math.max(top, score[i]!);
    let total = hidden ? Math.exp(-top) : 0;
    for (const [k, score] of scores.entries()) total += probabilities[k]![i] = Math.exp(score[i]! - top);
    for (const probability of probabilities) probability[i]! /= total;
  }
}

/** Boosted trees as a classifier: what the GK-VAE paper measures usable information and importances with. */
export const gradientBoosting: Classifier = {
  name: `gradient-boosted trees (${boostingSettings.stages} stages, depth ${boostingSettings.depth}, learning rate ${boostingSettings.learningRate}, 255 bins)`,
  fit(features, labels, classes) {
    const model = fitBoostedTrees(features, labels, classes);
    return {
      importances: model.importances,
      converged: true,
      logProbabilities: (rows) => boostedLogProbabilities(model, rows),
    };
  },
};
