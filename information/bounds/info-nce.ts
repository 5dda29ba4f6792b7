import { logSumExp } from "../log-sum-exp.ts";
import type { Matrix } from "../matrix.ts";
import {
  type BoundOptions,
  boundOf,
  diagonal,
  type InformationBound,
  meanOf,
  requireScores,
  rowOf,
} from "./information-bound.ts";

/**
 * InfoNCE: how well the critic picks the partner of x_i among all y_j,
 *
 *   mean_i [ f(x_i, y_i) - ln 1/n sum_j exp f(x_i, y_j) ]
 *
 * A lower bound on I(X; Y) in expectation for any critic that was not fitted on these pairs, and never above ln n: with
 * more information than that it says ln n, with little spread. Tightest for f = ln p(x|y) + anything that depends on x
 * alone.
 *
 * Source: van den Oord et al. 2018, https://arxiv.org/abs/1807.03748; Poole et al. 2019,
 * https://arxiv.org/abs/1905.06922, section 2.3
 *
 * @param scores [pairs, pairs], f(x_i, y_j) in row i and column j
 */
export function infoNce(scores: Matrix, options: BoundOptions = {}): InformationBound {
  requireScores("bound mutual information", scores);
  const n = scores.rows;
  const rows = diagonal(scores).map((own, i) => own - (logSumExp(rowOf(scores, i)) - Math.log(n)));
  return boundOf(n, (drawn) => meanOf(rows, drawn), {
    ...options,
    estimator: `InfoNCE (${n} pairs)`,
    promise: `lower bound on min( I(X; Y), ln ${n} ) in expectation`,
    ceilingNats: Math.log(n),
  });
}
