import { type Matrix, requireMatrix } from "../matrix.ts";

/**
 * Scores of the best critic for standard normal pairs whose columns are independent, each correlated by `correlation`:
 *
 *   f(x, y) = ln p(y|x) / p(y) = sum_k [ -1/2 ln(1 - r^2) - ( r^2 x_k^2 + r^2 y_k^2 - 2 r x_k y_k ) / (2 (1 - r^2)) ]
 *
 * Its mean over joint pairs is their mutual information, -1/2 ln(1 - r^2) a column. For tests of estimators.
 *
 * @param x [pairs, columns]
 * @param y [pairs, columns]
 * @param correlation strictly between -1 and 1
 * @returns [pairs, pairs], nats: f(x_i, y_j) in row i and column j
 */
export function gaussianCritic(x: Matrix, y: Matrix, correlation: number): Matrix {
  const action = "score pairs";
  requireMatrix(action, "x", x);
  requireMatrix(action, "y", y);
  if (y.rows !== x.rows || y.columns !== x.columns) {
    throw new RangeError(`Cannot ${action}: "y" must be ${x.rows} x ${x.columns}, got ${y.rows} x ${y.columns}`);
  }
  if (!(Math.abs(correlation) < 1)) {
    throw new RangeError(`Cannot ${action}: "correlation" must be between -1 and 1, got ${correlation}`);
  }
  const left = 1 - correlation ** 2;
  const { rows, columns } = x;
  const values = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let sum = -0.5 * columns * Math.log(left);
      for (let k = 0; k < columns; k++) {
        const [a, b] = [x.values[i * columns + k]!, y.values[j * columns + k]!];
        sum -= (correlation * correlation * (a * a + b * b) - 2 * correlation * a * b) / (2 * left);
      }
      values[i * rows + j] = sum;
    }
  }
  return { rows, columns: rows, values };
}
