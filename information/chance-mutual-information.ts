import { bitsPerNat } from "./units.ts";

/** Above this mean of a cell's count its distribution is as good as a normal one: relative error below 1 / mean. */
const seriesFrom = 1e4;

/** A count this much less likely than the likeliest is left out. */
const negligible = 1e-20;

/**
 * Mean mutual information of rows whose two columns are paired at random: what columns that have nothing in common show,
 * since relative frequencies of few rows are never quite independent. Exact, over all pairings, up to a relative 1e-4.
 *
 *   sum_ij E[ (n_ij / n) ln( n n_ij / (a_i b_j) ) ],   n_ij hypergeometric ( n, a_i, b_j )
 *
 * Where every symbol is frequent it is about (|X| - 1) (|Y| - 1) / (2 n) nats, which is far too much where many are rare.
 *
 * Source: Vinh, Epps & Bailey 2010, "Information theoretic measures for clusterings comparison", equation 24a
 *
 * @param x how often each symbol of the first column occurs, whole numbers
 * @param y of the second, of the same sum
 * @returns bits, at least 0 up to rounding
 */
export function chanceMutualInformationBits(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const [first, second] = [multiplicities(x), multiplicities(y)];
  const rows = Array.from(x).reduce((sum, count) => sum + count, 0);
  let nats = 0;
  for (const [a, times] of first) {
    for (const [b, more] of second) nats += times * more * cell(rows, a, b);
  }
  return nats * bitsPerNat;
}

/** How many symbols have each count above 0: symbols of one count need one calculation. */
function multiplicities(counts: ArrayLike<number>): Map<number, number> {
  const times = new Map<number, number>();
  for (const count of Array.from(counts)) if (count > 0) times.set(count, (times.get(count) ?? 0) + 1);
  return times;
}

/** E[ (k / n) ln( n k / (a b) ) ], nats: k rows of n hold both a symbol of a rows and one of b. */
function cell(n: number, a: number, b: number): number {
  const mean = (a / n) * b;
  if (n === 1 || a === n || b === n) return 0;
  if (mean > seriesFrom) return (((n - a) / n) * ((n - b) / (n - 1))) / (2 * n);
  const [least, most] = [Math.max(0, a + b - n), Math.min(a, b)];
  const mode = Math.min(most, Math.max(least, Math.floor(((a + 1) / (n + 2)) * (b + 1))));
  const value = (k: number): number => (k === 0 ? 0 : (k / n) * Math.log(k / mean));
  let [weights, sum] = [1, value(mode)];
  for (let [k, weight] = [mode, 1]; k < most && weight > negligible; ) {
    weight *= ((a - k) / (k + 1)) * ((b - k) / (n - a - b + k + 1));
    weights += weight;
    sum += weight * value(++k);
  }
  for (let [k, weight] = [mode, 1]; k > least && weight > negligible; ) {
    weight *= (k / (a - k + 1)) * ((n - a - b + k) / (b - k + 1));
    weights += weight;
    sum += weight * value(--k);
  }
  return sum / weights;
}
