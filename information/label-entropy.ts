/**
 * Entropy of the empirical distribution of labels (plug-in estimate).
 *
 *   H = - sum_k n_k/n log2 n_k/n
 *
 * @param labels integers 0 .. classes - 1, at least one
 * @returns bits, between 0 and log2 classes; low by about (classes - 1) / (2 n ln 2) for a uniform source
 * @throws RangeError for no label or one out of range
 */
export function labelEntropy(labels: Int32Array, classes: number): number {
  return labelCounts(labels, classes).reduce((bits, count) => {
    const share = count / labels.length;
    return share === 0 ? bits : bits - share * Math.log2(share);
  }, 0);
}

/** How often each label occurs, [classes]. @throws RangeError for no label or one out of range */
export function labelCounts(labels: Int32Array, classes: number): Float64Array {
  if (labels.length === 0) throw new RangeError("Cannot count labels: there must be at least one, got none");
  const counts = new Float64Array(classes);
  for (const [row, label] of labels.entries()) {
    if (label < 0 || label >= classes) {
      throw new RangeError(`Cannot count labels: row ${row} must be 0 .. ${classes - 1}, got ${label}`);
    }
    counts[label]! += 1;
  }
  return counts;
}
