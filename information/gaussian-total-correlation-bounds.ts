import { eachDensityRow } from "./aggregate-density.ts";
import type { GaussianRows } from "./gaussian-rate.ts";
import { logAddExp, logSumExp } from "./log-sum-exp.ts";
import type { Matrix } from "./matrix.ts";

export interface TotalCorrelationBounds {
  /** [rows], nats: the mean is a lower bound in expectation. */
  readonly lower: Float64Array;
  /** [rows], nats: the mean is an upper bound in expectation. */
  readonly upper: Float64Array;
}

/** Of independent dimensions in the density that stands in for the joint one from below. */
const independentShare = 0.01;

/**
 * Bounds on the total correlation of a code with Gaussian posteriors, KL( q(z) || prod_j q(z_j) ), for rows drawn
 * independently from the source. With q^ as the average posterior of all rows, and q^- as that of all but the row itself:
 *
 *   lower_i = ln [ 0.01 prod_j q^-(z_ij) + 0.99 q^-(z_i) ] - sum_j ln q^(z_ij)
 *   upper_i = ln q^(z_i) - sum_j ln q^-(z_ij)
 *
 * ln q^- is below ln q on average, as is the logarithm of any density that does not know the code, and ln q^ is above it.
 * The mixture gives way by 0.015 bits where the rows show the joint density, and keeps `lower` from falling far below
 * log2 0.01 = -6.6 bits where they do not.
 *
 * How far the bounds are apart says how much n rows tell. A code of more than ln n nats is its own nearest neighbour, and
 * `upper` is then about the sum of the dimensions' own information less ln n, however independent they are. Total
 * correlation is at least 0, so that a negative `lower` says nothing.
 *
 * Source: the bounds of gaussianAggregateRate() on I(x; z_j) and I(x; z); with factorised posteriors total correlation is
 * sum_j I(x; z_j) - I(x; z)
 *
 * @param codes [rows, dims], row i drawn from row i of `q`; O(rows^2 dims)
 */
export function gaussianTotalCorrelationBounds(q: GaussianRows, codes: Matrix): TotalCorrelationBounds {
  const { rows } = q.mean;
  const lower = new Float64Array(rows);
  const upper = new Float64Array(rows);
  eachDensityRow("bound a total correlation", { q, codes }, ({ row, joint, single }) => {
    const whole = averages(joint, row);
    const parts = single.map((densities) => averages(densities, row));
    const [all, others] = [sum(parts.map((part) => part.all)), sum(parts.map((part) => part.others))];
    const mixed = logAddExp(Math.log(independentShare) + others, Math.log1p(-independentShare) + whole.others);
    lower[row] = mixed - all;
    upper[row] = whole.all - others;
  });
  return { lower, upper };
}

/** Logarithms of the mean density over all rows, and over all but `row`. */
function averages(densities: Float64Array, row: number): { all: number; others: number } {
  const rows = densities.length;
  const own = densities[row]!;
  const rest = logSumExp(densities.with(row, Number.NEGATIVE_INFINITY));
  return { all: logAddExp(rest, own) - Math.log(rows), others: rest - Math.log(rows - 1) };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
