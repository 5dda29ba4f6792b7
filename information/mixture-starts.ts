import type { Biclique } from "./bicliques.ts";
import { exactMixture, mixtureOf, type WeightedProduct } from "./exact-mixture.ts";
import { randomOn } from "./product-search.ts";

/** Turns of `improved`: enough to be near the table. */
const turns = 100;

/** Z = X, each row then half moved towards the rows that can stand in its place: near the diagonal where there is one. */
export function rowStart(table: Float64Array, columns: number): WeightedProduct[] {
  const rows = table.length / columns;
  const cells = (i: number) => table.subarray(i * columns, (i + 1) * columns);
  const sums = Float64Array.from({ length: rows }, (_, i) => cells(i).reduce((sum, p) => sum + p, 0));
  const parts = Array.from({ length: rows }, (_, z) => {
    const own = cells(z);
    const others = sums.map((p, i) => (own.every((cell, j) => cell === 0 || cells(i)[j]! > 0) ? p : 0));
    const total = others.reduce((sum, p) => sum + p, 0);
    const x = others.map((p, i) => (0.5 * p) / total + (i === z ? 0.5 : 0));
    const y = own.map((cell, j) => {
      if (cell === 0) return 0;
      const column = sums.reduce((sum, _, i) => sum + cells(i)[j]!, 0);
      return (0.5 * cell) / sums[z]! + 0.5 * column;
    });
    const mass = y.reduce((sum, p) => sum + p, 0);
    return { weight: sums[z]!, x, y: y.map((p) => p / mass) };
  });
  return improved(table, columns, parts);
}

/** Z = Y, likewise. */
export function columnStart(table: Float64Array, columns: number): WeightedProduct[] {
  const rows = table.length / columns;
  const flipped = table.map((_, c) => table[(c % rows) * columns + Math.floor(c / rows)]!);
  return rowStart(flipped, rows).map(({ weight, x, y }) => ({ weight, x: y, y: x }));
}

/**
 * One product more than the longer side has symbols, each random on a random rectangle of possible cells. Where some cells
 * are impossible these may leave others out, so the rows stand in for them.
 */
export function randomStart(
  table: Float64Array,
  columns: number,
  { bicliques, uniform }: { bicliques: readonly Biclique[]; uniform: () => number },
): WeightedProduct[] {
  const rows = table.length / columns;
  const rest = table.every((p) => p > 0) ? [] : (exactMixture(table, columns, []) ?? []);
  const count = Math.max(rows, columns) + 1;
  const parts = Array.from({ length: count }, () => {
    const area = bicliques[Math.floor(uniform() * bicliques.length)]!;
    return { weight: 1 / count, x: randomOn(area.rows, rows, uniform), y: randomOn(area.columns, columns, uniform) };
  });
  return improved(table, columns, [...parts, ...rest]);
}

/** Expectation maximisation: each turn brings the mixture nearer to the table in relative entropy. */
function improved(table: Float64Array, columns: number, start: readonly WeightedProduct[]): WeightedProduct[] {
  let parts = [...start];
  for (let turn = 0; turn < turns; turn++) {
    const mixture = mixtureOf(table.length, columns, parts);
    const ratios = table.map((p, c) => (mixture[c]! > 0 ? p / mixture[c]! : 0));
    parts = parts.map((part) => responsible(part, ratios, columns)).filter(({ weight }) => weight > 1e-12);
  }
  return parts;
}

function responsible({ weight, x, y }: WeightedProduct, ratios: Float64Array, columns: number): WeightedProduct {
  const [nextX, nextY] = [new Float64Array(x.length), new Float64Array(columns)];
  let total = 0;
  for (const [i, a] of x.entries()) {
    for (const [j, b] of y.entries()) {
      const mass = weight * a * b * ratios[i * columns + j]!;
      nextX[i]! += mass;
      nextY[j]! += mass;
      total += mass;
    }
  }
  return { weight: total, x: nextX.map((mass) => mass / total), y: nextY.map((mass) => mass / total) };
}
