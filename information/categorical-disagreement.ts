import { requireDistributions, rowDivergence } from "./categorical-rows.ts";
import type { Matrix } from "./matrix.ts";

/**
 * KL( first_i || second_i ) of every row: how far two encoders disagree.
 *
 * Source: Kleinman et al., "Gacs-Korner Common Information Variational Autoencoder", equation 8, for categoricals
 *
 * @param first [rows, classes], each row a distribution
 * @param second as `first`, positive wherever `first` is
 * @returns [rows], nats, at least 0 up to rounding
 */
export function categoricalDisagreement(first: Matrix, second: Matrix): Float64Array {
  const action = "measure a disagreement";
  requireSameRows(action, first, second);
  const { rows, columns } = first;
  return Float64Array.from({ length: rows }, (_, i) =>
    rowDivergence(action, "second", first, { i, other: second.values, start: i * columns }),
  );
}

/**
 * L1 distance of the two distributions in every row, between 0 and 2.
 *
 * Source: Kleinman et al., "Redundant Information Neural Estimation", D(f_1, f_2), the expected L1 norm. The authors' code
 * divides it by the number of classes, which this does not.
 *
 * @param first [rows, classes], each row a distribution
 * @returns [rows], no unit
 */
export function categoricalDistance(first: Matrix, second: Matrix): Float64Array {
  requireSameRows("measure a distance", first, second);
  const { rows, columns } = first;
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let at = i * columns; at < (i + 1) * columns; at++) sum += Math.abs(first.values[at]! - second.values[at]!);
    return sum;
  });
}

function requireSameRows(action: string, first: Matrix, second: Matrix): void {
  requireDistributions(action, "first", first);
  requireDistributions(action, "second", second);
  if (second.rows !== first.rows || second.columns !== first.columns) {
    const got = `${second.rows} x ${second.columns}`;
    throw new RangeError(`Cannot ${action}: "second" must be ${first.rows} x ${first.columns}, got ${got}`);
  }
}
