import { type Biclique, maximalBicliques } from "./bicliques.ts";
import { type Column, ConcaveEnvelope, type Part } from "./concave-envelope.ts";
import { areaOf, entropyNats, type ProductDistribution, randomOn, searchProduct } from "./product-search.ts";
import { bitsPerNat } from "./units.ts";

interface Product extends Column, ProductDistribution {}

/** Past this many rectangles the inner search looks at a part of them only. */
const mostBicliques = 200;
/** Best finds of a round that join the programme: more cost more than they bring. */
const mostNew = 30;

/** Rounds by default: rounds grow dearer with the cells, so beyond 6 x 6 there are fewer. */
export function wynerRounds(cells: number): number {
  return Math.min(300, Math.ceil(300 * (36 / cells) ** 2));
}

/**
 * Wyner's common information of one connected table.
 *
 * Z makes X and Y independent, so the table is a mixture of products, sum_z w_z a_z(x) b_z(y), and
 * C = H(X, Y) - max sum_z w_z (H(a_z) + H(b_z)): the upper concave envelope, over products, of H(a) + H(b). It is a linear
 * programme with one column for each product, solved by column generation: the optimum over the products known so far has
 * prices, and a product gains H(a) + H(b) - sum_xy a(x) prices(x, y) b(y) on them, which is searched for from every part
 * of the mixture and from random starts on every rectangle of possible cells. The largest gain bounds what is still to be
 * had: `dualBits`. Starts from Z = (X, Y) and falls back to Z = X or Z = Y, so `bits` is never above H(X) or H(Y).
 *
 * Left: the alternating minimisation of I(X, Y; Z) + m I(X; Y | Z), which is exact only in the limit of large m and slow
 * there.
 *
 * Source: Witsenhausen 1976, "Values and bounds for the common information of two discrete random variables" (convex
 * form); Gilmore & Gomory 1961 (column generation)
 *
 * @param table [rows, columns] row-major, sums to 1, no empty row or column
 */
export function wynerOfConnected(
  table: Float64Array,
  columns: number,
  options: { uniform: () => number; starts: number; rounds?: number; toleranceBits: number },
): {
  bits: number;
  dualBits: number;
  converged: boolean;
  common: { probability: number; x: Float64Array; y: Float64Array }[];
} {
  const { uniform, starts, toleranceBits } = options;
  const rows = table.length / columns;
  const cells = [...table.keys()].filter((cell) => table[cell]! > 0);
  const rounds = options.rounds ?? wynerRounds(cells.length);
  const target = Float64Array.from(cells, (cell) => table[cell]!);
  const entropy = entropyNats(table);

  function productOf({ x, y }: ProductDistribution): Product {
    const point = Float64Array.from(cells, (cell) => x[Math.floor(cell / columns)]! * y[cell % columns]!);
    return { point, value: entropyNats(x) + entropyNats(y), x, y };
  }

  const { x: px, y: py } = marginals(table, columns);
  const whole = productOf({ x: px, y: py });
  const apart = target.reduce((most, p, k) => Math.max(most, Math.abs(p - whole.point[k]!)), 0);
  if (cells.length === table.length && apart <= 1e-14) {
    return { bits: 0, dualBits: 0, converged: true, common: [{ probability: 1, x: px, y: py }] };
  }

  const certain = cells.map((cell) =>
    productOf({ x: unit(rows, Math.floor(cell / columns)), y: unit(columns, cell % columns) }),
  );
  const envelope = new ConcaveEnvelope<Product>(target, certain);
  const bicliques = maximalBicliques(
    Array.from(table, (p) => p > 0),
    columns,
    mostBicliques,
  );
  const lowerBits = (entropyNats(px) + entropyNats(py) - entropy) * bitsPerNat;

  let dualBits = 0;
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
    converged = bits - Math.max(dualBits, lowerBits) <= toleranceBits;
    envelope.add(
      finds
        .slice(0, mostNew)
        .filter(({ gain }) => gain > 1e-12)
        .map(productOf),
    );
  }
  const found = parts.map(({ weight, column }) => ({ probability: weight, x: column.x, y: column.y }));
  const plain = plainVariable(table, { x: px, y: py });
  // As first columns these made the programme degenerate: from 7 x 7 on it did not leave them.
  if (plain.bits <= bits) {
    const settled = converged || plain.bits - Math.max(dualBits, lowerBits) <= toleranceBits;
    return { ...plain, dualBits, converged: settled };
  }
  return { bits, dualBits, converged, common: found };

  function randomProduct(area: Biclique): ProductDistribution {
    return { x: randomOn(area.rows, rows, uniform), y: randomOn(area.columns, columns, uniform) };
  }
}

function marginals(table: Float64Array, columns: number): ProductDistribution {
  const x = new Float64Array(table.length / columns);
  const y = new Float64Array(columns);
  for (const [cell, p] of table.entries()) {
    x[Math.floor(cell / columns)]! += p;
    y[cell % columns]! += p;
  }
  return { x, y };
}

/** Z = X or Z = Y, whichever has less entropy: always a common variable. */
function plainVariable(
  table: Float64Array,
  { x, y }: ProductDistribution,
): { bits: number; common: { probability: number; x: Float64Array; y: Float64Array }[] } {
  const columns = y.length;
  const [bitsX, bitsY] = [entropyNats(x) * bitsPerNat, entropyNats(y) * bitsPerNat];
  if (bitsX <= bitsY) {
    const common = Array.from(x, (probability, i) => ({
      probability,
      x: unit(x.length, i),
      y: table.slice(i * columns, (i + 1) * columns).map((cell) => cell / probability),
    }));
    return { bits: bitsX, common };
  }
  const common = Array.from(y, (probability, j) => ({
    probability,
    x: x.map((_, i) => table[i * columns + j]! / probability),
    y: unit(columns, j),
  }));
  return { bits: bitsY, common };
}

function unit(length: number, at: number): Float64Array {
  const vector = new Float64Array(length);
  vector[at] = 1;
  return vector;
}
