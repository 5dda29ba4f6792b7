import { entropyNats, type ProductDistribution } from "./product-search.ts";

export interface WeightedProduct extends ProductDistribution {
  readonly weight: number;
}

/**
 * Makes a mixture that is nearly a table into one that is the table: the largest share of the mixture that fits under
 * every cell stays, and what is then missing is added row by row, each row with its own distribution of columns.
 *
 * @param table [rows, columns] row-major, sums to 1
 * @returns undefined where the mixture leaves possible cells too far behind to keep any share of it
 */
export function exactMixture(
  table: Float64Array,
  columns: number,
  parts: readonly WeightedProduct[],
): WeightedProduct[] | undefined {
  const mixture = mixtureOf(table.length, columns, parts);
  // A cell is at most the mixture's share of it, so that nothing is missing by less than 0.
  let share = 1;
  for (const [c, q] of mixture.entries()) if (q > 0) share = Math.min(share, table[c]! / q);
  if (!(share > 0)) return undefined;
  const exact = parts.map(({ weight, x, y }) => ({ weight: weight * share, x, y }));
  const missing = table.map((p, c) => Math.max(0, p - share * mixture[c]!));
  for (let i = 0; i < table.length / columns; i++) {
    const row = missing.subarray(i * columns, (i + 1) * columns);
    const weight = row.reduce((sum, value) => sum + value, 0);
    if (weight === 0) continue;
    const x = new Float64Array(table.length / columns);
    x[i] = 1;
    exact.push({ weight, x, y: Float64Array.from(row, (value) => value / weight) });
  }
  return exact.filter(({ weight }) => weight > 0);
}

/** sum_z w_z a_z(x) b_z(y), [cells] row-major. */
export function mixtureOf(cells: number, columns: number, parts: readonly WeightedProduct[]): Float64Array {
  const mixture = new Float64Array(cells);
  for (const { weight, x, y } of parts) {
    for (const [i, a] of x.entries()) {
      if (a === 0) continue;
      for (const [j, b] of y.entries()) mixture[i * columns + j]! += weight * a * b;
    }
  }
  return mixture;
}

/** sum_z w_z (H(a_z) + H(b_z)), nats: H(X, Y given Z). */
export function mixtureEntropy(parts: readonly WeightedProduct[]): number {
  return parts.reduce((sum, { weight, x, y }) => sum + weight * (entropyNats(x) + entropyNats(y)), 0);
}
