import { type GaussianRows, requireGaussians } from "./gaussian-rate.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

/**
 * Scores of codes that one encoder drew against what another encoder says of every partner:
 *
 *   f(z_i, y_j) = ln q(z_i | y_j) - ln N(z_i; 0, 1)
 *
 * a critic for the bounds on I(Z; Y) in `bounds/`, and so, as Z is made from X alone, on I(X; Y). Any critic makes a
 * valid bound; this one is good where the encoder of Y knows what that of X will say.
 *
 * Source: Poole et al. 2019, https://arxiv.org/abs/1905.06922, section 2
 *
 * @param codes [pairs, dims], one draw for each x_i
 * @param q [pairs, dims], posteriors given y_j
 * @returns [pairs, pairs], nats: f(z_i, y_j) in row i and column j
 * @throws RangeError unless both are finite and of one shape
 */
export function gaussianCodeScores(codes: Matrix, q: GaussianRows): Matrix {
  const action = "score codes";
  requireMatrix(action, "codes", codes);
  const { rows, columns } = requireGaussians(action, "q", q);
  if (codes.rows !== rows || codes.columns !== columns) {
    throw new RangeError(
      `Cannot ${action}: "codes" must be ${rows} x ${columns}, got ${codes.rows} x ${codes.columns}`,
    );
  }
  const precisions = Float64Array.from(q.logvar.values, (value) => Math.exp(-value));
  const values = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) {
        const [z, at] = [codes.values[i * columns + k]!, j * columns + k];
        // The terms ln 2 pi of both densities cancel.
        sum += 0.5 * (z * z - q.logvar.values[at]! - (z - q.mean.values[at]!) ** 2 * precisions[at]!);
      }
      values[i * rows + j] = sum;
    }
  }
  return { rows, columns: rows, values };
}
