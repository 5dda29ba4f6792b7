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
 * Bound of Nguyen, Wainwright and Jordan (also called f-MINE or the KL f-GAN bound):
 *
 *   mean_i f(x_i, y_i) - 1/e mean_{i != j} exp f(x_i, y_j)
 *
 * A lower bound on I(X; Y) in expectation for any critic that was not fitted on these pairs, tight for
 * f = 1 + ln p(y|x)/p(y). Its spread grows as the exponential of the information: far above a few nats a single figure
 * says little.
 *
 * Source: Nguyen et al. 2010, https://arxiv.org/abs/0809.0853; Poole et al. 2019, https://arxiv.org/abs/1905.06922,
 * section 2.2
 *
 * @param scores [pairs, pairs], f(x_i, y_j) in row i and column j
 */
export function nwj(scores: Matrix, options: BoundOptions = {}): InformationBound {
  requireScores("bound mutual information", scores);
  const n = scores.rows;
  const rows = diagonal(scores).map((own, i) => {
    const others = logSumExp(rowOf(scores, i, Number.NEGATIVE_INFINITY)) - Math.log(n - 1);
    return own - Math.exp(others - 1);
  });
  return boundOf(n, (drawn) => meanOf(rows, drawn), {
    ...options,
    estimator: `NWJ (${n} pairs)`,
    promise: "lower bound on I(X; Y) in expectation",
    ceilingNats: Number.POSITIVE_INFINITY,
  });
}

/**
 * The same of scores f = ln p(y|x)/p(y), exact or nearly so: one is added to each, which makes the bound tight.
 *
 * @param scores [pairs, pairs], nats
 */
export function nwjOfLogRatios(scores: Matrix, options: BoundOptions = {}): InformationBound {
  return nwj({ ...scores, values: scores.values.map((score) => score + 1) }, options);
}
