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
 * Donsker and Varadhan's bound with sample means in the place of expectations:
 *
 *   mean_i f(x_i, y_i) - ln mean_{i != j} exp f(x_i, y_j)
 *
 * With the expectations themselves it is a lower bound on I(X; Y), tight for f = ln p(y|x)/p(y) + constant. The sample
 * figure is a bound of neither side: the logarithm of a mean is low on average, which puts the figure above the bound
 * for the same critic (MINE has this bias).
 *
 * Source: Donsker & Varadhan 1983; Belghazi et al. 2018, https://arxiv.org/abs/1801.04062; Poole et al. 2019,
 * https://arxiv.org/abs/1905.06922, section 2.2
 *
 * @param scores [pairs, pairs], f(x_i, y_j) in row i and column j
 */
export function donskerVaradhan(scores: Matrix, options: BoundOptions = {}): InformationBound {
  requireScores("bound mutual information", scores);
  const n = scores.rows;
  const joint = diagonal(scores);
  const others = Float64Array.from(joint, (_, i) => logSumExp(rowOf(scores, i, Number.NEGATIVE_INFINITY)));
  const drawnOthers = new Float64Array(n);
  return boundOf(
    n,
    (drawn) => {
      for (let i = 0; i < n; i++) drawnOthers[i] = others[drawn[i]!]!;
      return meanOf(joint, drawn) - (logSumExp(drawnOthers) - Math.log(n * (n - 1)));
    },
    {
      ...options,
      estimator: `Donsker-Varadhan (${n} pairs)`,
      promise: "estimate of a lower bound on I(X; Y), itself a bound of neither side",
      ceilingNats: Number.POSITIVE_INFINITY,
    },
  );
}
