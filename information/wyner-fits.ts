import type { Biclique } from "./bicliques.ts";
import { exactMixture, mixtureEntropy, type WeightedProduct } from "./exact-mixture.ts";
import { fitMixture } from "./mixture-fit.ts";
import { columnStart, randomStart, rowStart } from "./mixture-starts.ts";
import { areaOf, entropyNats, type ProductDistribution, randomOn, searchProduct } from "./product-search.ts";
import { bitsPerNat } from "./units.ts";

export interface WynerBounds {
  /** Of an exact mixture: an upper bound, however it was found. */
  readonly bits: number;
  readonly parts: readonly WeightedProduct[];
  /** Lower bound by duality, as good as its search. */
  readonly dualBits: number;
}

/** New products of a round: few, for each makes the next fit dearer. */
const mostNew = 3;
/** Weight that new products share. */
const newWeight = 0.01;
const firstPenalty = 100;
/** A fit that is off by half in some cell has lost its way. */
const lostError = 0.5;

/**
 * Upper and lower bounds of Wyner's common information by mixtures of few products, from several starts.
 *
 * Each start is fitted to the table; the multipliers of its cells price every other product, and the best ones join for
 * the next fit. Every fit is made exact before it counts. Reaches further than the linear programme of `wyner-connected`,
 * which needs a product for each cell, and not as deep: to some 1e-5 bits.
 *
 * @param table [rows, columns] row-major, sums to 1
 */
export function fitWyner(
  table: Float64Array,
  columns: number,
  {
    bicliques,
    uniform,
    fits,
    rounds,
    searches,
    toleranceBits,
  }: {
    bicliques: readonly Biclique[];
    uniform: () => number;
    /** Starts: rows, columns, then random ones; random ones only where some cells are impossible. */
    fits: number;
    /** Fits of each start at most. */
    rounds: number;
    /** Random starts of each search for products. */
    searches: number;
    toleranceBits: number;
  },
): WynerBounds {
  const entropy = entropyNats(table);
  const full = table.every((p) => p > 0);
  let best: WynerBounds = { bits: Number.POSITIVE_INFINITY, parts: [], dualBits: 0 };
  for (let start = 0; start < fits && !settled(); start++) {
    let parts = startOf(start);
    let prices: Float64Array | undefined;
    let penalty = firstPenalty;
    for (let round = 0; round < rounds && !settled(); round++) {
      const fit = fitMixture(table, columns, parts, { prices, penalty });
      if (!(fit.error < lostError)) break;
      prices = fit.prices;
      penalty = Math.max(firstPenalty, fit.penalty / 3);
      const finds = search(fit.parts, prices);
      const worth = table.reduce((sum, p, c) => sum + p * fit.prices[c]!, 0);
      // At any prices no mixture is worth more than the table's price and the largest gain of a single product.
      count(fit.parts, (entropy - worth - finds[0]!.gain) * bitsPerNat);
      parts = joined(fit.parts, different(finds));
    }
  }
  return best;

  function settled(): boolean {
    return best.bits - best.dualBits <= toleranceBits;
  }

  function startOf(start: number): WeightedProduct[] {
    // Impossible cells leave rows and columns little to move by.
    if (start === 0 && full) return rowStart(table, columns);
    if (start === 1 && full) return columnStart(table, columns);
    return randomStart(table, columns, { bicliques, uniform });
  }

  function search(parts: readonly WeightedProduct[], prices: Float64Array) {
    const rows = table.length / columns;
    return [
      ...parts.map((part) => searchProduct(part, { prices, area: areaOf(part, bicliques) })),
      ...Array.from({ length: Math.max(searches, bicliques.length) }, (_, k) => {
        const area = bicliques[k % bicliques.length]!;
        const random = { x: randomOn(area.rows, rows, uniform), y: randomOn(area.columns, columns, uniform) };
        return searchProduct(random, { prices, area });
      }),
    ].sort((a, b) => b.gain - a.gain);
  }

  function count(parts: readonly WeightedProduct[], dualBits: number): void {
    best = { ...best, dualBits: Math.max(best.dualBits, dualBits) };
    const exact = exactMixture(table, columns, parts);
    if (exact === undefined) return;
    const bits = (entropy - mixtureEntropy(exact)) * bitsPerNat;
    if (bits < best.bits) best = { ...best, bits, parts: exact };
  }
}

/** The first few that are not the same product again. */
function different(finds: readonly ProductDistribution[]): ProductDistribution[] {
  const kept: ProductDistribution[] = [];
  for (const find of finds) {
    if (kept.length === mostNew) break;
    if (!kept.some((other) => apart(other.x, find.x) + apart(other.y, find.y) < 1e-3)) kept.push(find);
  }
  return kept;
}

function apart(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, k) => Math.max(most, Math.abs(value - b[k]!)), 0);
}

function joined(parts: readonly WeightedProduct[], added: readonly ProductDistribution[]): WeightedProduct[] {
  const kept = parts.filter(({ weight }) => weight > 1e-8);
  return [
    ...kept.map(({ weight, x, y }) => ({ weight: weight * (1 - newWeight), x, y })),
    ...added.map(({ x, y }) => ({ weight: newWeight / added.length, x, y })),
  ];
}
