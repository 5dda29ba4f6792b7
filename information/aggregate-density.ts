import { type GaussianRows, requireGaussians } from "./gaussian-rate.ts";
import { logSumExp } from "./log-sum-exp.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

const lnTwoPi = Math.log(2 * Math.PI);

/** What is left of every row after its code has been held against every row's posterior. */
export interface DensityRow {
  readonly row: number;
  /** [rows]: ln q(z_row | x_m) for every m, summed over dimensions. */
  readonly joint: Float64Array;
  /** [dims] of [rows]: the same for each dimension alone. */
  readonly single: readonly Float64Array[];
}

/**
 * ln q(z_i | x_m) of every code under every row's posterior, one row at a time: rows x rows x dims numbers are never
 * held at once.
 *
 * @param codes [rows, dims], row i drawn from row i of `q`
 * @param visit is called for each row in order; the arrays are reused
 */
export function eachDensityRow(
  action: string,
  { q, codes }: { q: GaussianRows; codes: Matrix },
  visit: (row: DensityRow) => void,
): void {
  const { rows, columns } = requireCodes(action, q, codes);
  const precision = Float64Array.from(q.logvar.values, (logvar) => Math.exp(-logvar));
  const joint = new Float64Array(rows);
  const single = Array.from({ length: columns }, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    joint.fill(0);
    for (const [j, densities] of single.entries()) {
      const code = codes.values[row * columns + j]!;
      for (let m = 0; m < rows; m++) {
        const at = m * columns + j;
        const apart = code - q.mean.values[at]!;
        densities[m] = -0.5 * (lnTwoPi + q.logvar.values[at]! + apart * apart * precision[at]!);
        joint[m]! += densities[m]!;
      }
    }
    visit({ row, joint, single });
  }
}

/** ln sum_m w_m exp(densities_m) with `own` as ln w of `row` and `others` as ln w of all other rows. */
export function weighted(densities: Float64Array, row: number, weights: { own: number; others: number }): number {
  const shifted = densities.map((density, m) => density + (m === row ? weights.own : weights.others));
  return logSumExp(shifted);
}

/** @throws RangeError unless there is one finite code for every posterior, and at least two of them */
function requireCodes(action: string, q: GaussianRows, codes: Matrix): Matrix {
  const mean = requireGaussians(action, "q", q);
  requireMatrix(action, "codes", codes);
  if (codes.rows !== mean.rows || codes.columns !== mean.columns) {
    const got = `${codes.rows} x ${codes.columns}`;
    throw new RangeError(`Cannot ${action}: "codes" must be ${mean.rows} x ${mean.columns}, got ${got}`);
  }
  if (mean.rows < 2) throw new RangeError(`Cannot ${action}: "q" must have at least 2 rows, got ${mean.rows}`);
  return mean;
}
