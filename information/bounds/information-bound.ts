import { type BootstrapOptions, bootstrapInterval } from "../bootstrap.ts";
import { type Matrix, requireMatrix } from "../matrix.ts";

/** A figure about mutual information that says which, and what it promises. */
export interface InformationBound {
  readonly nats: number;
  /** For instance "InfoNCE (512 pairs)". */
  readonly estimator: string;
  /** What the figure is a bound of, in one sentence. */
  readonly promise: string;
  /** The most that it can be, whatever the data: ln of the number of pairs for InfoNCE; Infinity where there is none. */
  readonly ceilingNats: number;
  /** Percentile bootstrap over pairs, where a generator was given. */
  readonly interval?: [number, number];
}

export interface BoundOptions {
  /**
   * Resamples pairs while the others that each is held against stay the same: what it says of the spread is on the
   * small side, since pairs share them.
   */
  readonly bootstrap?: BootstrapOptions;
}

/** Figure and interval of a statistic of pairs. */
export function boundOf(
  pairs: number,
  statistic: (drawn: Int32Array) => number,
  { bootstrap, ...names }: BoundOptions & Omit<InformationBound, "nats" | "interval">,
): InformationBound {
  const nats = statistic(Int32Array.from({ length: pairs }, (_, i) => i));
  if (bootstrap === undefined) return { nats, ...names };
  return { nats, ...names, interval: bootstrapInterval(pairs, statistic, bootstrap) };
}

/** Mean of `values` over drawn rows. */
export function meanOf(values: Float64Array, drawn: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < drawn.length; i++) sum += values[drawn[i]!]!;
  return sum / drawn.length;
}

/**
 * Checks critic scores: entry (i, j) is f(x_i, y_j), so the diagonal holds the joint pairs and the rest are draws from
 * the product of the marginals.
 *
 * @throws RangeError unless `scores` is square, at least 2 x 2 and finite
 */
export function requireScores(action: string, scores: Matrix): void {
  requireMatrix(action, "scores", scores);
  if (scores.rows !== scores.columns || scores.rows < 2) {
    const got = `${scores.rows} x ${scores.columns}`;
    throw new RangeError(`Cannot ${action}: "scores" must be square and at least 2 x 2, got ${got}`);
  }
}

/** Scores of the joint pairs. */
export function diagonal({ rows, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => values[i * rows + i]!);
}

/** Row i of square scores as float64, with `own` in the place of its joint pair where given. */
export function rowOf({ rows, values }: Matrix, i: number, own?: number): Float64Array {
  const row = Float64Array.from(values.subarray(i * rows, (i + 1) * rows));
  if (own !== undefined) row[i] = own;
  return row;
}
