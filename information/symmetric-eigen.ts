import type { Matrix } from "./matrix.ts";

export interface SymmetricEigen {
  /** [n], ascending. */
  readonly values: Float64Array;
  /** [n, n] row-major: column j is the unit eigenvector of value j. */
  readonly vectors: Float64Array;
}

const sweeps = 60;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by cyclic Jacobi rotations: slow for large matrices, accurate for
 * all, small eigenvalues included. Only the mean of the two triangles is used.
 *
 * Source: Golub & Van Loan 2013, "Matrix Computations", section 8.5
 *
 * @param matrix [n, n]
 * @throws RangeError if it is not square or an entry is not finite
 */
export function symmetricEigen({ rows: n, columns, values: entries }: Matrix): SymmetricEigen {
  if (n !== columns) {
    throw new RangeError(`Cannot find eigenvalues: the matrix must be square, got ${n} x ${columns}`);
  }
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) a[i * n + j] = (entries[i * n + j]! + entries[j * n + i]!) / 2;
  }
  if (!a.every(Number.isFinite)) throw new RangeError("Cannot find eigenvalues: every entry must be finite");
  const vectors = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  for (let sweep = 0; sweep < sweeps && offDiagonal(a, n) > 0; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, [p, q]);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i * n + i]! - a[j * n + j]!);
  return {
    values: Float64Array.from(order, (i) => a[i * n + i]!),
    vectors: Float64Array.from({ length: n * n }, (_, at) => vectors[Math.floor(at / n) * n + order[at % n]!]!),
  };
}

/** Squares off the diagonal, taken as 0 once they are lost beside it. */
function offDiagonal(a: Float64Array, n: number): number {
  let [off, on] = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i === j) on += a[i * n + j]! ** 2;
      else off += a[i * n + j]! ** 2;
    }
  }
  return off <= 1e-30 * on ? 0 : off;
}

/** Turns the plane of axes p and q so that a[p, q] becomes 0. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, [p, q]: readonly [number, number]): void {
  const apq = a[p * n + q]!;
  if (apq === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (m: Float64Array, at1: number, at2: number): void => {
    const [x, y] = [m[at1]!, m[at2]!];
    m[at1] = c * x - s * y;
    m[at2] = s * x + c * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q);
}
