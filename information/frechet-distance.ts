import type { Matrix } from "./matrix.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/**
 * Frechet distance of the Gaussians with the means and covariances of two sets of feature vectors.
 *
 *   d = |m1 - m2|^2 + trace( C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2 )
 *
 * Source: Dowson & Landau 1982; with features of a classifier, Heusel et al. 2017, https://arxiv.org/abs/1706.08500.
 * A finite sample makes it too large, the more the fewer rows there are.
 *
 * @param first [rows, dims], @param second [other rows, dims]; at least two rows each
 * @returns in the square of the features' unit, at least 0 up to rounding
 */
export function frechetDistance(first: Matrix, second: Matrix): number {
  if (first.columns !== second.columns || first.rows < 2 || second.rows < 2) {
    throw new RangeError(
      `Cannot measure a Frechet distance: both sets must have two rows or more of equally many columns, got ${first.rows} x ${first.columns} and ${second.rows} x ${second.columns}`,
    );
  }
  const n = first.columns;
  const [a, b] = [gaussianOf(first), gaussianOf(second)];
  const root = squareRoot({ rows: n, columns: n, values: a.covariance });
  const inner = multiply(multiply(root, b.covariance, n), root, n);
  const { values } = symmetricEigen({ rows: n, columns: n, values: inner });
  let distance = 0;
  for (let i = 0; i < n; i++) {
    distance += (a.mean[i]! - b.mean[i]!) ** 2 + a.covariance[i * (n + 1)]! + b.covariance[i * (n + 1)]!;
    distance -= 2 * Math.sqrt(Math.max(0, values[i]!));
  }
  return distance;
}

function gaussianOf({ rows, columns, values }: Matrix): { mean: Float64Array; covariance: Float64Array } {
  const mean = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) mean[at % columns]! += values[at]! / rows;
  const covariance = new Float64Array(columns * columns);
  const centred = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) centred[i] = values[row * columns + i]! - mean[i]!;
    for (let i = 0; i < columns; i++) {
      const share = centred[i]! / (rows - 1);
      for (let j = 0; j < columns; j++) covariance[i * columns + j]! += share * centred[j]!;
    }
  }
  return { mean, covariance };
}

/** The symmetric root of a positive semidefinite matrix; what rounding made negative counts as 0. */
function squareRoot(matrix: Matrix): Float64Array {
  const n = matrix.rows;
  const { values, vectors } = symmetricEigen(matrix);
  const scaled = vectors.map((value, at) => value * Math.sqrt(Math.max(0, values[at % n]!)));
  const transposed = vectors.map((_, at) => vectors[(at % n) * n + Math.floor(at / n)]!);
  return multiply(scaled, transposed, n);
}

function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const share = a[i * n + k]!;
      for (let j = 0; j < n; j++) product[i * n + j]! += share * b[k * n + j]!;
    }
  }
  return product;
}
