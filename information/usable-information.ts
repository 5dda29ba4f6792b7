import { type Classifier, requireClasses } from "./classifier.ts";
import { labelCounts } from "./label-entropy.ts";
import { linearProbe, requireLabelled } from "./linear-probe.ts";
import { type Matrix, sliceRows } from "./matrix.ts";
import { bitsPerNat } from "./units.ts";

export interface UsableInformation {
  /** H(Y) - cross-entropy, bits. Negative where the classifier is worse than the labels' own frequencies. */
  readonly bits: number;
  /** Entropy of the test labels' empirical distribution, bits: the most that can be had. */
  readonly entropyBits: number;
  /** Contribution of every test row, bits; their mean is `bits`. */
  readonly rows: Float64Array;
  /** [test rows]: 1 where the most probable class is the row's. */
  readonly right: Uint8Array;
  /** Share of the test rows whose most probable class is theirs. */
  readonly accuracy: number;
  /** The classifier's name: without it the number says little. */
  readonly estimator: string;
  /** Whether the classifier's fit reached its tolerance. */
  readonly converged: boolean;
  /** [columns], where the classifier has them: how much its prediction rests on each column, adding up to 1 or 0. */
  readonly importances?: Float64Array;
}

export interface UsableInformationOptions {
  readonly classes: number;
  /** How many rows, from the front, the classifier is fitted on. */
  readonly train: number;
  /** The linear probe where left out. */
  readonly classifier?: Classifier;
}

/**
 * Information about a label that a classifier finds in a representation, on rows that it has not seen.
 *
 *   I = H(Y) - mean over test rows of -log2 q(y | x),   H(Y) from the empirical distribution of the test labels
 *
 * A lower bound on the mutual information of representation and label (Barber and Agakov's), up to the sampling error of
 * the test part. The first `train` rows fit the classifier, the rest are the test part.
 *
 * Source: Xu et al. 2020, https://arxiv.org/abs/2002.10689; Kleinman et al., GK-VAE, section 4.2 (there with gradient
 * boosting and with log2 of the number of classes as H(Y))
 *
 * @param features [rows, columns]
 * @param labels [rows], integers 0 .. classes - 1
 * @throws RangeError if the training part has fewer rows than classes or one class only, or a value is out of range
 */
export function usableInformation(
  features: Matrix,
  labels: Int32Array,
  { classes, train, classifier = linearProbe }: UsableInformationOptions,
): UsableInformation {
  const action = "measure usable information";
  requireLabelled(action, features, labels, classes);
  if (!(train > 0 && train < features.rows)) {
    throw new RangeError(`Cannot ${action}: "train" must be 1 .. ${features.rows - 1}, got ${train}`);
  }
  requireClasses(action, labels.subarray(0, train), classes);
  const fitted = classifier.fit(sliceRows(features, 0, train), labels.subarray(0, train), classes);
  const testLabels = labels.subarray(train);
  const found = fitted.logProbabilities(sliceRows(features, train, features.rows));
  const counts = labelCounts(testLabels, classes);
  const surprise = counts.map((count) => -Math.log2(count / testLabels.length));
  const rows = Float64Array.from(testLabels, (label, i) => {
    const nats = -found[i * classes + label]!;
    return surprise[label]! - nats * bitsPerNat;
  });
  const right = Uint8Array.from(testLabels, (label, i) =>
    mostProbable(found.subarray(i * classes, (i + 1) * classes)) === label ? 1 : 0,
  );
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    bits: mean(rows),
    entropyBits: mean(Float64Array.from(testLabels, (label) => surprise[label]!)),
    rows,
    right,
    accuracy: right.reduce((sum, one) => sum + one, 0) / right.length,
    estimator: classifier.name,
    converged: fitted.converged,
    ...(fitted.importances === undefined ? {} : { importances: fitted.importances }),
  };
}

/** Index of the largest value, the first of equals. */
function mostProbable(logProbabilities: Float64Array): number {
  return logProbabilities.reduce((best, value, k) => (value > logProbabilities[best]! ? k : best), 0);
}
