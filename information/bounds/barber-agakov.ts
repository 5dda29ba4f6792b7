import { type BoundOptions, boundOf, type InformationBound, meanOf } from "./information-bound.ts";

/**
 * Barber and Agakov's bound: mean of ln q(y_i | x_i) - ln p(y_i).
 *
 * A lower bound on I(X; Y) in expectation for any normalised q, tight where q is the true conditional, as long as p is
 * the true marginal (or its entropy is known) and q was not fitted on these pairs. Usable information is this bound with
 * a classifier as q.
 *
 * Source: Barber & Agakov 2003, "The IM algorithm"; Poole et al. 2019, https://arxiv.org/abs/1905.06922, section 2.1
 *
 * @param logConditional [pairs], ln q(y_i | x_i)
 * @param logMarginal [pairs], ln p(y_i)
 * @throws RangeError unless both have one finite value for each of at least 2 pairs
 */
export function barberAgakov(
  logConditional: Float64Array,
  logMarginal: Float64Array,
  options: BoundOptions = {},
): InformationBound {
  const action = "bound mutual information";
  const pairs = logConditional.length;
  if (pairs < 2) throw new RangeError(`Cannot ${action}: "logConditional" must hold at least 2 pairs, got ${pairs}`);
  if (logMarginal.length !== pairs) {
    throw new RangeError(`Cannot ${action}: "logMarginal" must hold ${pairs} values, got ${logMarginal.length}`);
  }
  const rows = logConditional.map((value, i) => value - logMarginal[i]!);
  const at = rows.findIndex((value) => !Number.isFinite(value));
  if (at >= 0)
    throw new RangeError(`Cannot ${action}: every pair must give a finite value, got ${rows[at]} in row ${at}`);
  return boundOf(pairs, (drawn) => meanOf(rows, drawn), {
    ...options,
    estimator: `Barber-Agakov (${pairs} pairs)`,
    promise: "lower bound on I(X; Y) in expectation, given the true marginal",
    ceilingNats: Number.POSITIVE_INFINITY,
  });
}
