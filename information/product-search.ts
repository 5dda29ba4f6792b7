import type { Biclique } from "./bicliques.ts";

/** Independent X and Y: p(x, y) = x[.] y[.]. */
export interface ProductDistribution {
  /** [rows] */
  readonly x: Float64Array;
  /** [columns] */
  readonly y: Float64Array;
}

/**
 * Local maximum of what a product distribution gains at given prices, over one rectangle of cells:
 *
 *   H(a) + H(b) - sum_ij a_i prices_ij b_j
 *
 * Concave in a and in b, not in both: each is set to its best answer to the other (a_i proportional to
 * exp(- sum_j prices_ij b_j), then b likewise) until nothing moves. Never decreases. O(rectangle) a turn.
 *
 * @param prices [rows, columns] row-major, nats
 * @returns the product and its gain, nats
 */
export function searchProduct(
  start: ProductDistribution,
  { prices, area }: { readonly prices: Float64Array; readonly area: Biclique },
): ProductDistribution & { readonly gain: number } {
  const [x, y] = [start.x.slice(), start.y.slice()];
  const columns = y.length;
  let gain = Number.NEGATIVE_INFINITY;
  for (let turn = 0; turn < 300; turn++) {
    respond(x, area.rows, (i) => sumOver(area.columns, (j) => y[j]! * prices[i * columns + j]!));
    const logPartition = respond(y, area.columns, (j) => sumOver(area.rows, (i) => x[i]! * prices[i * columns + j]!));
    const next = logPartition + entropyNats(x);
    const moved = next - gain;
    gain = next;
    if (moved < 1e-13) break;
  }
  return { x, y, gain };
}

/** A rectangle that holds the product: one that has reached an edge may grow back inside it. */
export function areaOf({ x, y }: ProductDistribution, bicliques: readonly Biclique[]): Biclique {
  const rows = [...x.keys()].filter((i) => x[i]! > 0);
  const columns = [...y.keys()].filter((j) => y[j]! > 0);
  const around = bicliques.find(
    (area) => rows.every((i) => area.rows.includes(i)) && columns.every((j) => area.columns.includes(j)),
  );
  return around ?? { rows, columns };
}

/** Uniformly random distribution on `support`, [length]. */
export function randomOn(support: readonly number[], length: number, uniform: () => number): Float64Array {
  const vector = new Float64Array(length);
  let total = 0;
  for (const at of support) {
    vector[at] = -Math.log(1 - uniform());
    total += vector[at];
  }
  return vector.map((value) => value / total);
}

/** Entropy of a vector of probabilities, nats. */
export function entropyNats(p: Float64Array): number {
  return p.reduce((sum, value) => (value > 0 ? sum - value * Math.log(value) : sum), 0);
}

/** Writes the distribution proportional to exp(-cost) on `support` and returns the logarithm of its normaliser. */
function respond(target: Float64Array, support: readonly number[], cost: (at: number) => number): number {
  target.fill(0);
  const costs = support.map(cost);
  const least = costs.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  let total = 0;
  for (const [k, at] of support.entries()) {
    target[at] = Math.exp(least - costs[k]!);
    total += target[at];
  }
  for (const at of support) target[at]! /= total;
  return Math.log(total) - least;
}

function sumOver(indices: readonly number[], term: (index: number) => number): number {
  let sum = 0;
  for (const index of indices) sum += term(index);
  return sum;
}
