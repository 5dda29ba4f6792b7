import type { Classifier } from "./classifier.ts";
import { labelCounts } from "./label-entropy.ts";
import { minimise } from "./lbfgs.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

/** Settings that a figure has to name; the same for every probe of this project. */
export const probeSettings = {
  /**
   * Added to the mean loss as l2 / 2 times the sum of squared weights, biases left free. Small on purpose: classes that
   * lie in a row along one feature need large weights (8 of them, well apart: 2.70 of 3 bits with 1e-4, 2.94 with 1e-5).
   */
  l2: 1e-5,
  /** Largest gradient component of the mean loss (nats) at which the fit ends. */
  tolerance: 1e-5,
  iterations: 500,
} as const;

export interface LinearProbe {
  readonly classes: number;
  /** Standardisation: features minus `shift`, divided by `spread`. */
  readonly shift: Float64Array;
  readonly spread: Float64Array;
  /** [classes, columns + 1] row-major, the bias last. */
  readonly weights: Float64Array;
  readonly converged: boolean;
}

/**
 * Multinomial logistic regression from features to labels, fitted to the minimum of its convex loss.
 *
 *   loss = mean_i -ln softmax( W s(x_i) + b )[y_i] + l2 / 2 |W|^2,    s: to mean 0 and variance 1 of these rows
 *
 * A feature that does not vary is left at 0.
 *
 * @param features [rows, columns]
 * @param labels [rows], integers 0 .. classes - 1
 * @throws RangeError if rows and labels differ in number, or a value is not finite or out of range
 */
export function fitLinearProbe(features: Matrix, labels: Int32Array, classes: number): LinearProbe {
  requireLabelled("fit a probe", features, labels, classes);
  const { rows, columns } = features;
  const { shift, spread } = momentsOf(features);
  const inputs = standardise(features, shift, spread);
  const width = columns + 1;
  const logits = new Float64Array(classes);

  function evaluate(weights: Float64Array, gradient: Float64Array): number {
    gradient.fill(0);
    let loss = 0;
    for (let i = 0; i < rows; i++) {
      const row = i * width;
      const label = labels[i]!;
      const logPartition = scoreRow(inputs, row, width, weights, logits);
      loss += logPartition - logits[label]!;
      for (let k = 0; k < classes; k++) {
        const error = Math.exp(logits[k]! - logPartition) - (k === label ? 1 : 0);
        const base = k * width;
        for (let j = 0; j < width; j++) gradient[base + j]! += error * inputs[row + j]!;
      }
    }
    let penalty = 0;
    for (let at = 0; at < weights.length; at++) {
      gradient[at]! /= rows;
      if (at % width === columns) continue;
      penalty += weights[at]! ** 2;
      gradient[at]! += probeSettings.l2 * weights[at]!;
    }
    return loss / rows + (probeSettings.l2 / 2) * penalty;
  }

  const { point, converged } = minimise(evaluate, new Float64Array(classes * width), probeSettings);
  return { classes, shift, spread, weights: point, converged };
}

/** -ln q(y_i | x_i) of every row, [rows], nats. */
export function probeCrossEntropy(probe: LinearProbe, features: Matrix, labels: Int32Array): Float64Array {
  requireLabelled("apply a probe", features, labels, probe.classes);
  const logs = probeLogProbabilities(probe, features);
  return Float64Array.from(labels, (label, i) => -logs[i * probe.classes + label]!);
}

/** ln q(k | x_i), [rows, classes] row-major, nats. */
export function probeLogProbabilities(probe: LinearProbe, features: Matrix): Float64Array {
  requireMatrix("apply a probe", "features", features);
  const wanted = probe.shift.length;
  if (features.columns !== wanted) {
    throw new RangeError(`Cannot apply a probe: "features" must have ${wanted} columns, got ${features.columns}`);
  }
  const inputs = standardise(features, probe.shift, probe.spread);
  const width = wanted + 1;
  const logits = new Float64Array(probe.classes);
  const values = new Float64Array(features.rows * probe.classes);
  for (let i = 0; i < features.rows; i++) {
    const logPartition = scoreRow(inputs, i * width, width, probe.weights, logits);
    for (let k = 0; k < probe.classes; k++) values[i * probe.classes + k] = logits[k]! - logPartition;
  }
  return values;
}

/** The linear probe as a classifier. It has no importances: weights of correlated columns are not shares. */
export const linearProbe: Classifier = {
  name: `linear probe (multinomial logistic regression, L2 ${probeSettings.l2})`,
  fit(features, labels, classes) {
    const probe = fitLinearProbe(features, labels, classes);
    return { converged: probe.converged, logProbabilities: (rows) => probeLogProbabilities(probe, rows) };
  },
};

/** Writes the logits of one row and returns the logarithm of the sum of their exponentials. */
function scoreRow(
  inputs: Float64Array,
  row: number,
  width: number,
  weights: Float64Array,
  logits: Float64Array,
): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < logits.length; k++) {
    const base = k * width;
    let sum = 0;
    for (let j = 0; j < width; j++) sum += weights[base + j]! * inputs[row + j]!;
    logits[k] = sum;
    if (sum > top) top = sum;
  }
  let total = 0;
  for (let k = 0; k < logits.length; k++) total += Math.exp(logits[k]! - top);
  return top + Math.log(total);
}

function momentsOf({ rows, columns, values }: Matrix): { shift: Float64Array; spread: Float64Array } {
  const shift = new Float64Array(columns);
  const spread = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) shift[at % columns]! += values[at]! / rows;
  for (let at = 0; at < values.length; at++) {
    spread[at % columns]! += (values[at]! - shift[at % columns]!) ** 2 / rows;
  }
  for (let j = 0; j < columns; j++) {
    const deviation = Math.sqrt(spread[j]!);
    spread[j] = deviation > 1e-8 * Math.max(1, Math.abs(shift[j]!)) ? deviation : Number.POSITIVE_INFINITY;
  }
  return { shift, spread };
}

/** [rows, columns + 1], the last column 1 for the bias. */
function standardise({ rows, columns, values }: Matrix, shift: Float64Array, spread: Float64Array): Float64Array {
  const width = columns + 1;
  const out = new Float64Array(rows * width).fill(1);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[i * width + j] = (values[i * columns + j]! - shift[j]!) / spread[j]!;
  }
  return out;
}

/** @throws RangeError unless there is one row of finite features for each label of 0 .. classes - 1 */
export function requireLabelled(action: string, features: Matrix, labels: Int32Array, classes: number): void {
  requireMatrix(action, "features", features);
  if (features.rows !== labels.length) {
    const hint = features.columns === labels.length ? "; is it transposed?" : "";
    throw new RangeError(
      `Cannot ${action}: "features" must have one row for each of ${labels.length} labels, got ${features.rows} rows of ${features.columns}${hint}`,
    );
  }
  labelCounts(labels, classes);
}
