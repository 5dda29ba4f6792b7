import type { Biclique } from "./bicliques.ts";
import { type Column, ConcaveEnvelope, type Part } from "./concave-envelope.ts";
import type { WeightedProduct } from "./exact-mixture.ts";
import { areaOf, entropyNats, type ProductDistribution, randomOn, searchProduct } from "./product-search.ts";
import { bitsPerNat } from "./units.ts";
import type { WynerBounds } from "./wyner-fits.ts";

interface Product extends Column, ProductDistribution {}

/** Best finds of a round that join the programme: more cost more than they bring. */
const mostNew = 30;

/** Rounds by default: rounds grow dearer with the cells, so beyond 6 x 6 there are fewer. */
export function wynerRounds(cells: number): number {
  return Math.min(300, Math.ceil(300 * (36 / cells) ** 2));
}

/**
 * Bounds of Wyner's common information of a connected table by a linear programme with one column for each product,
 * solved by column generation: the optimum over the products known so far has prices, and a product gains
 * H(a) + H(b) - sum_xy a(x) prices(x, y) b(y) on them, which is searched for from every part of the mixture and from random
 * starts on every rectangle of possible cells. The largest gain bounds what is still to be had: `dualBits`. Starts from
 * Z = (X, Y). A basis has a product for each cell, so a table whose best mixture has few makes it degenerate: its prices
 * then say little, which from 7 x 7 on it did not overcome.
 *
 * Source: Gilmore & Gomory 1961 (column generation)
 *
 * @param table [rows, columns] row-major, sums to 1
 * @param known products that may be of use, such as those of a fitted mixture
 */
export function wynerProgramme(
  table: Float64Array,
  columns: number,
  options: {
    bicliques: readonly Biclique[];
    known: readonly ProductDistribution[];
    uniform: () => number;
    starts: number;
    rounds?: number | undefined;
    /** Proved by other means. */
    lowerBits: number;
    toleranceBits: number;
  },
): WynerBounds {
  const { bicliques, uniform, starts, lowerBits, toleranceBits } = options;
  const rows = table.length / columns;
  const cells = [...table.keys()].filter((cell) => table[cell]! > 0);
  const rounds = options.rounds ?? wynerRounds(cells.length);
  const target = Float64Array.from(cells, (cell) => table[cell]!);
  const entropy = entropyNats(table);
  const certain = cells.map((cell) =>
    productOf({ x: unit(rows, Math.floor(cell / columns)), y: unit(columns, cell % columns) }),
  );
  const envelope = new ConcaveEnvelope<Product>(target, certain);
  envelope.add(options.known.map(productOf));

  let dualBits = lowerBits;
  let bits = Number.POSITIVE_INFINITY;
  let parts: Part<Product>[] = [];
  let converged = false;
  for (let round = 0; round < rounds && !converged; round++) {
    envelope.optimise();
    if (!envelope.sound) break; // the mixture of the round before stands
    parts = envelope.parts();
    const attained = parts.reduce((sum, { weight, column }) => sum + weight * column.value, 0);
    bits = (entropy - attained) * bitsPerNat;

    const prices = new Float64Array(table.length);
    for (const [k, price] of envelope.prices().entries()) prices[cells[k]!] = price;
    const finds = [
      ...parts.map(({ column }) => searchProduct(column, { prices, area: areaOf(column, bicliques) })),
      ...Array.from({ length: Math.max(starts, bicliques.length) }, (_, k) => {
        const area = bicliques[k % bicliques.length]!;
        return searchProduct(randomProduct(area), { prices, area });
      }),
    ].sort((a, b) => b.gain - a.gain);
    // No mixture is worth more than this one plus the largest gain of a single product.
    const most = Math.max(envelope.largestGain(), finds[0]!.gain);
    dualBits = Math.max(dualBits, bits - most * bitsPerNat);
    envelope.prune(20 * cells.length);
    converged = bits - dualBits <= toleranceBits;
    envelope.add(
      finds
        .slice(0, mostNew)
        .filter(({ gain }) => gain > 1e-12)
        .map(productOf),
    );
  }
  const common = parts.map(({ weight, column }): WeightedProduct => ({ weight, x: column.x, y: column.y }));
  return { bits, dualBits, parts: common };

  function productOf({ x, y }: ProductDistribution): Product {
    const point = Float64Array.from(cells, (cell) => x[Math.floor(cell / columns)]! * y[cell % columns]!);
    return { point, value: entropyNats(x) + entropyNats(y), x, y };
  }

  function randomProduct(area: Biclique): ProductDistribution {
    return { x: randomOn(area.rows, rows, uniform), y: randomOn(area.columns, columns, uniform) };
  }
}

function unit(length: number, at: number): Float64Array {
  const vector = new Float64Array(length);
  vector[at] = 1;
  return vector;
}
