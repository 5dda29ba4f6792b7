import { type Matrix, requireMatrix } from "./matrix.ts";

/** sum_k q_ik ln( q_ik / other_k ), the other distribution starting at `start`. */
export function rowDivergence(
  action: string,
  name: string,
  q: Matrix,
  { i, other, start }: { i: number; other: Float32Array | Float64Array; start: number },
): number {
  let sum = 0;
  for (let k = 0; k < q.columns; k++) {
    const share = q.values[i * q.columns + k]!;
    if (share === 0) continue;
    const against = other[start + k]!;
    if (against === 0) {
      throw new RangeError(
        `Cannot ${action}: "${name}" must be positive where the row has mass, got 0 for row ${i}, class ${k}`,
      );
    }
    sum += share * Math.log(share / against);
  }
  return sum;
}

/** What float32 softmax outputs miss 1 by, with room. */
const slack = 1e-4;

/** @throws RangeError unless every row is a distribution, up to float32 rounding */
export function requireDistributions(action: string, name: string, matrix: Matrix): void {
  requireMatrix(action, name, matrix);
  const { rows, columns, values } = matrix;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let k = 0; k < columns; k++) {
      const share = values[i * columns + k]!;
      if (share < 0) throw new RangeError(`Cannot ${action}: "${name}" must not be negative, got ${share} in row ${i}`);
      sum += share;
    }
    if (Math.abs(sum - 1) > slack) {
      throw new RangeError(`Cannot ${action}: each row of "${name}" must add up to 1, got ${sum} in row ${i}`);
    }
  }
}
