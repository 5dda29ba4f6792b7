import { eachDensityRow, weighted } from "./aggregate-density.ts";
import type { GaussianRows } from "./gaussian-rate.ts";
import type { Matrix } from "./matrix.ts";

export interface AggregateRate {
  /** [rows], nats: the row's own posterior counted into the average. */
  readonly lower: Float64Array;
  /** [rows], nats: left out of it. */
  readonly upper: Float64Array;
}

/**
 * Minibatch estimate of the rate against the aggregate posterior, that is, of the mutual information of code and data
 * under the encoder:
 *
 *   lower_i = ln q(z_i|x_i) - ln 1/n     sum_m      q(z_i|x_m)
 *   upper_i = ln q(z_i|x_i) - ln 1/(n-1) sum_{m!=i} q(z_i|x_m)
 *
 * For rows drawn independently from the source, the mean of `lower` is a lower bound in expectation, at most ln n, and
 * the mean of `upper` an upper bound in expectation, without a ceiling. Where the rows are the whole data set, `lower`
 * is the rate itself, up to the sampling of the codes. Single rows can be negative.
 *
 * Source: Poole et al. 2019, https://arxiv.org/abs/1905.06922, section 2.5
 *
 * @param codes [rows, dims], row i drawn from row i of `q`; O(rows^2 dims)
 */
export function gaussianAggregateRate(q: GaussianRows, codes: Matrix): AggregateRate {
  const { rows } = q.mean;
  const lower = new Float64Array(rows);
  const upper = new Float64Array(rows);
  eachDensityRow("estimate an aggregate rate", { q, codes }, ({ row, joint }) => {
    const own = joint[row]!;
    const all = weighted(joint, row, { own: 0, others: 0 }) - Math.log(rows);
    const rest = weighted(joint, row, { own: Number.NEGATIVE_INFINITY, others: 0 }) - Math.log(rows - 1);
    lower[row] = own - all;
    upper[row] = own - rest;
  });
  return { lower, upper };
}
