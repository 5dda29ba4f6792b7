import type { Matrix } from "./matrix.ts";

/** A way of predicting labels from features. Its name travels with every number that it gives. */
export interface Classifier {
  /** With the settings that matter, for instance "gradient-boosted trees (100 stages, depth 3, ...)". */
  readonly name: string;
  /**
   * @param features [rows, columns]
   * @param labels [rows], integers 0 .. classes - 1
   */
  fit(features: Matrix, labels: Int32Array, classes: number): FittedClassifier;
}

export interface FittedClassifier {
  /** [rows, classes] row-major, nats: finite, the exponentials of a row add up to 1. */
  logProbabilities(features: Matrix): Float64Array;
  /** How much of the prediction rests on each column: at least 0, adding up to 1, or all 0 where nothing was learned. */
  readonly importances?: Float64Array;
  /** Whether the fit reached its end, rather than a limit on iterations. */
  readonly converged: boolean;
}

/** @throws RangeError unless at least two classes occur and there is a row for each class that may */
export function requireClasses(action: string, labels: Int32Array, classes: number): void {
  if (labels.length < classes) {
    throw new RangeError(
      `Cannot ${action}: the training part must have at least as many rows as there are classes (${classes}), got ${labels.length}`,
    );
  }
  if (labels.every((label) => label === labels[0])) {
    throw new RangeError(`Cannot ${action}: "labels" must hold at least two classes, got only class ${labels[0]}`);
  }
}
