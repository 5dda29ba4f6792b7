import { labelCounts } from "./label-entropy.ts";
import { fitLinearProbe, probeCrossEntropy, requireLabelled } from "./linear-probe.ts";
import { type Matrix, sliceRows } from "./matrix.ts";
import { bitsPerNat } from "./units.ts";

export interface UsableInformation {
  /** H(Y) - cross-entropy, bits. Negative where the probe is worse than the labels' own frequencies. */
  readonly bits: number;
  /** Entropy of the test labels' empirical distribution, bits: the most that can be had. */
  readonly entropyBits: number;
  /** Contribution of every test row, bits; their mean is `bits`. */
  readonly rows: Float64Array;
  /** Whether the probe's fit reached its tolerance. */
  readonly converged: boolean;
}

/**
 * Information about a label that a linear probe finds in a representation, on rows that the probe has not seen.
 *
 *   I = H(Y) - mean over test rows of -log2 q(y | x),   H(Y) from the empirical distribution of the test labels
 *
 * A lower bound on the mutual information of representation and label, up to the sampling error of the test part.
 * The first `train` rows fit the probe, the rest are the test part.
 *
 * Source: Xu et al. 2020, https://arxiv.org/abs/2002.10689; Kleinman et al., GK-VAE, section 4.2 (there with gradient
 * boosting instead of a linear probe and with log2 of the number of classes as H(Y))
 *
 * @param features [rows, columns]
 * @param labels [rows], integers 0 .. classes - 1
 */
export function usableInformation(
  features: Matrix,
  labels: Int32Array,
  { classes, train }: { classes: number; train: number },
): UsableInformation {
  requireLabelled("measure usable information", features, labels, classes);
  if (!(train > 0 && train < features.rows)) {
    throw new RangeError(`Cannot measure usable information: "train" must be 1 .. ${features.rows - 1}, got ${train}`);
  }
  const probe = fitLinearProbe(sliceRows(features, 0, train), labels.subarray(0, train), classes);
  const testLabels = labels.subarray(train);
  const costs = probeCrossEntropy(probe, sliceRows(features, train, features.rows), testLabels);
  const counts = labelCounts(testLabels, classes);
  const surprise = counts.map((count) => -Math.log2(count / testLabels.length));
  const rows = costs.map((nats, i) => surprise[testLabels[i]!]! - nats * bitsPerNat);
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    bits: mean(rows),
    entropyBits: mean(Float64Array.from(testLabels, (label) => surprise[label]!)),
    rows,
    converged: probe.converged,
  };
}
