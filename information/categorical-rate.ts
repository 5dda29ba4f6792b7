import { requireDistributions, rowDivergence } from "./categorical-rows.ts";
import type { Matrix } from "./matrix.ts";

/**
 * Rate of every row: KL divergence of a categorical posterior from its prior, exact.
 *
 *   R_i = sum_k q_ik ln( q_ik / p_k )
 *
 * Averaged over rows it is at least the mutual information of code and data, with equality when the prior is the
 * average posterior.
 *
 * @param q [rows, classes], each row a distribution
 * @param prior [classes]; left out: uniform, and the rate is ln classes minus the entropy of the row
 * @returns [rows], nats, at least 0 up to rounding
 * @throws RangeError for a row or a prior that is no distribution, or a prior of 0 where a row has mass
 */
export function categoricalRate(q: Matrix, prior?: ArrayLike<number>): Float64Array {
  const action = "measure a rate";
  requireDistributions(action, "q", q);
  const { rows, columns } = q;
  const p = prior === undefined ? new Float64Array(columns).fill(1 / columns) : Float64Array.from(prior);
  requireDistributions(action, "prior", { rows: 1, columns, values: p });
  return Float64Array.from({ length: rows }, (_, i) => rowDivergence(action, "prior", q, { i, other: p, start: 0 }));
}

/**
 * Rate of every row against the average of all rows' posteriors. Exact for these rows: the mean is the mutual
 * information between the row's index and the code (a generalised Jensen-Shannon divergence).
 *
 * As an estimate for the source that the rows were drawn from it is low, since the rows are part of their own average:
 * a lower bound in expectation, and never above ln rows.
 *
 * @param q [rows, classes], each row a distribution
 * @returns [rows], nats, at least 0 up to rounding, mean at most min( ln rows, ln classes )
 */
export function categoricalAggregateRate(q: Matrix): Float64Array {
  requireDistributions("measure a rate", "q", q);
  return categoricalRate(q, averageRow(q));
}

function averageRow({ rows, columns, values }: Matrix): Float64Array {
  const average = new Float64Array(columns);
  for (let at = 0; at < rows * columns; at++) average[at % columns]! += values[at]! / rows;
  return average;
}
