import { logAddExp, logSumExp } from "../log-sum-exp.ts";
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

export interface InterpolatedOptions extends BoundOptions {
  /** 1 is InfoNCE with one pair fewer, 0 is NWJ with the critic f - ln baseline + 1. */
  readonly alpha: number;
  /** [pairs], ln q(x_i): what exp f is held against besides its own sample mean; zeros where left out. */
  readonly logBaseline?: Float64Array;
}

/**
 * The interpolated bound I_alpha: InfoNCE's sample mean mixed with a fixed baseline in the denominator,
 *
 *   1 + mean_{i != j} ln( exp f_ii / a_ij ) - mean_{i != j} exp f_ij / a_ii
 *   a_ij = alpha mean_{k != j} exp f_ik + (1 - alpha) q(x_i)
 *
 * where column j is left out of the mean so that both terms see n - 1 partners, in the first the true one among them.
 * A lower bound on I(X; Y) in expectation for any critic and baseline that were not fitted on these pairs: between
 * InfoNCE's low ceiling and NWJ's wide spread. It is at most 1 + ln( (n - 1) / alpha ), its expectation too, since the last
 * term vanishes where no stray pair scores high; ln( n - 1 ) at alpha 1. Roles of x and y are those of infoNce().
 *
 * Source: Poole et al. 2019, https://arxiv.org/abs/1905.06922, section 2.4
 *
 * @param scores [pairs, pairs], f(x_i, y_j) in row i and column j
 * @throws RangeError for fewer than 3 pairs, an alpha outside of 0 .. 1, or a baseline of another length
 */
export function interpolatedBound(scores: Matrix, options: InterpolatedOptions): InformationBound {
  const action = "bound mutual information";
  requireScores(action, scores);
  const { alpha, logBaseline = new Float64Array(scores.rows), ...rest } = options;
  const n = scores.rows;
  if (n < 3) throw new RangeError(`Cannot ${action}: "scores" must hold at least 3 pairs, got ${n}`);
  if (!(alpha >= 0 && alpha <= 1)) throw new RangeError(`Cannot ${action}: "alpha" must be 0 .. 1, got ${alpha}`);
  if (logBaseline.length !== n || !logBaseline.every(Number.isFinite)) {
    throw new RangeError(`Cannot ${action}: "logBaseline" must hold ${n} finite values, got ${logBaseline.length}`);
  }
  const rows = diagonal(scores).map((own, i) => {
    const row = rowOf(scores, i);
    const mixed = mixedBaselines(row, { alpha, logBaseline: logBaseline[i]! });
    const marginal = Math.exp(logSumExp(rowOf(scores, i, Number.NEGATIVE_INFINITY)) - Math.log(n - 1) - mixed[i]!);
    const sum = mixed.reduce((total, value) => total + value, 0) - mixed[i]!;
    return 1 + own - sum / (n - 1) - marginal;
  });
  return boundOf(n, (drawn) => meanOf(rows, drawn), {
    ...rest,
    estimator: `interpolated bound (alpha ${alpha}, ${n} pairs)`,
    promise: "lower bound on I(X; Y) in expectation",
    ceilingNats: Math.log((n - 1) / alpha) + (alpha === 1 ? 0 : 1),
  });
}

/** ln( alpha mean_{k != j} exp row_k + (1 - alpha) q ) for every j. */
function mixedBaselines(
  row: Float64Array,
  { alpha, logBaseline }: { alpha: number; logBaseline: number },
): Float64Array {
  const all = logSumExp(row);
  const [share, rest] = [Math.log(alpha), Math.log1p(-alpha) + logBaseline];
  return row.map((score, j) => {
    const part = Math.exp(score - all);
    // What is left of a sum beside its largest term drowns in rounding: added up anew, at most once or twice a row.
    const others =
      part < 0.5
        ? all + Math.log1p(-part)
        : logSumExp(row.map((value, k) => (k === j ? Number.NEGATIVE_INFINITY : value)));
    return logAddExp(share + others - Math.log(row.length - 1), rest);
  });
}
