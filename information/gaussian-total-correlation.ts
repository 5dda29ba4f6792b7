import { eachDensityRow, weighted } from "./aggregate-density.ts";
import type { GaussianRows } from "./gaussian-rate.ts";
import type { Matrix } from "./matrix.ts";

export type TotalCorrelationEstimator = "minibatch-weighted" | "minibatch-stratified";

export interface TotalCorrelationOptions {
  readonly estimator: TotalCorrelationEstimator;
  /** Rows of the data set that the batch is drawn from. Infinity: fresh draws from a source (stratified only). */
  readonly dataset: number;
}

export interface TotalCorrelationEstimate {
  /** Mean of `rows`, nats. Negative is possible and no fault: it is an estimate. */
  readonly nats: number;
  readonly rows: Float64Array;
  /** The estimator with its batch and data set size, both of which move the number. */
  readonly estimator: string;
}

/**
 * Estimate of the total correlation of a code with Gaussian posteriors, KL( q(z) || prod_j q(z_j) ), from one batch:
 *
 *   TC_i = ln q^(z_i) - sum_j ln q^(z_ij),    q^(z) = sum_m w_im q(z | x_m)
 *
 * `minibatch-weighted`: w = 1 / (N n) for all m. Far off by construction: q^ is about q / N, so that the estimate lies
 * about (dims - 1) ln N too high, by exactly that where all posteriors are equal. disentanglement_lib leaves N and n
 * out, which moves it by -(dims - 1) ln (N n), usually below 0.
 *
 * `minibatch-stratified`: w_ii = 1 / N, and (N - 1) / (N (n - 1)) for the others: an unbiased estimate of q(z), the
 * average over the N rows, though not of its logarithm. With N far above n the logarithm comes out low, more so for the
 * joint than for single dimensions, so the estimate is low and can be negative. With n = N it is exact up to the sampling
 * of the codes; but where posteriors are narrower than the distance between rows, a data set's own average is lumpy and
 * has a high total correlation that its source does not have: with 7 independent dimensions of deviation 0.09 and n = N =
1,000 the estimate is 14 bits. gaussianTotalCorrelationBounds() tells how much n rows tell. These are the paper's weights averaged over the arbitrary
 * choice of the row that it puts last; the published code writes the weight 1 / N into a column, not the diagonal.
 *
 * Source: Chen et al. 2018, https://arxiv.org/abs/1802.04942, section 4.1 and appendix C
 *
 * @param codes [rows, dims], row i drawn from row i of `q`; O(rows^2 dims)
 * @throws RangeError for fewer than 2 rows, or a data set smaller than the batch
 */
export function gaussianTotalCorrelation(
  q: GaussianRows,
  codes: Matrix,
  { estimator, dataset }: TotalCorrelationOptions,
): TotalCorrelationEstimate {
  const action = "estimate a total correlation";
  const { rows: n } = q.mean;
  if (!(dataset >= n)) {
    throw new RangeError(`Cannot ${action}: "dataset" must be at least the batch of ${n} rows, got ${dataset}`);
  }
  if (estimator === "minibatch-weighted" && !Number.isFinite(dataset)) {
    throw new RangeError(`Cannot ${action}: "dataset" must be finite for the weighted estimator, got ${dataset}`);
  }
  const weights = estimator === "minibatch-weighted" ? weightedBy(n, dataset) : stratifiedBy(n, dataset);
  const rows = new Float64Array(n);
  eachDensityRow(action, { q, codes }, ({ row, joint, single }) => {
    const apart = single.reduce((sum, densities) => sum + weighted(densities, row, weights), 0);
    rows[row] = weighted(joint, row, weights) - apart;
  });
  return {
    nats: rows.reduce((sum, value) => sum + value, 0) / n,
    rows,
    estimator: `${estimator} estimate (batch ${n}, data set ${dataset})`,
  };
}

function weightedBy(n: number, dataset: number): { own: number; others: number } {
  const each = -Math.log(n) - Math.log(dataset);
  return { own: each, others: each };
}

function stratifiedBy(n: number, dataset: number): { own: number; others: number } {
  return { own: -Math.log(dataset), others: Math.log1p(-1 / dataset) - Math.log(n - 1) };
}
