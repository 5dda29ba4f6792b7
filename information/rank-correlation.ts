import type { BootstrapOptions } from "./bootstrap.ts";

export interface RankTest {
  /** Spearman's rank correlation in -1 .. 1; 0 where one side is constant, since it then orders nothing. */
  readonly correlation: number;
  /** Two-sided: share of random pairings whose correlation is at least as far from 0. */
  readonly pValue: number;
}

export const rankTestDefaults = { resamples: 9999 } as const;

/**
 * Spearman's rank correlation with mid-ranks for ties, and its permutation test: whether `y` rises or falls with `x`
 * at all, without a guess of the curve between them. It treats the pairs as independent.
 *
 * Source: Spearman 1904; Phipson & Smyth 2010, "Permutation P-values Should Never Be Zero" (the observed pairing counts as one)
 *
 * @throws RangeError unless both have the same length of at least 2
 */
export function rankCorrelation(
  x: readonly number[],
  y: readonly number[],
  { draw, resamples = rankTestDefaults.resamples }: Pick<BootstrapOptions, "draw" | "resamples">,
): RankTest {
  if (x.length !== y.length || x.length < 2)
    throw new RangeError(
      `Cannot correlate ranks: there must be as many x as y, at least 2, got ${x.length} and ${y.length}`,
    );
  const [a, b] = [centredRanks(x), centredRanks(y)];
  const scale = Math.sqrt(inner(a, a) * inner(b, b));
  if (scale === 0) return { correlation: 0, pValue: 1 };
  const observed = inner(a, b);
  // Ranks are halves: a tenth is above rounding and below any true difference of the sums.
  const enough = Math.abs(observed) - 0.1;
  let asFar = 1;
  const shuffled = [...b];
  for (let i = 0; i < resamples; i++) {
    shuffle(shuffled, draw);
    if (Math.abs(inner(a, shuffled)) >= enough) asFar++;
  }
  return { correlation: observed / scale, pValue: asFar / (resamples + 1) };
}

/** Mid-ranks less their mean. */
function centredRanks(values: readonly number[]): number[] {
  const middle = (values.length - 1) / 2;
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal - 1) / 2 - middle;
  });
}

function inner(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Fisher and Yates. */
function shuffle(values: number[], draw: (n: number) => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
