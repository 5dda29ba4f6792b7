import { maximalBicliques } from "./bicliques.ts";
import type { WeightedProduct } from "./exact-mixture.ts";
import { entropyNats, type ProductDistribution } from "./product-search.ts";
import { bitsPerNat } from "./units.ts";
import { fitWyner, type WynerBounds } from "./wyner-fits.ts";
import { wynerProgramme } from "./wyner-programme.ts";

/** Past this many rectangles the inner search looks at a part of them only. */
const mostBicliques = 200;
/** Possible cells up to which the linear programme comes first: it is exact there within seconds. */
const programmeFirst = { full: 40, sparse: 64 };
/** Possible cells up to which it is tried where fits fail, as they do where probabilities range widely; and its rounds. */
const programmeLast = { cells: 64, rounds: 300 };
/** As near as fits come. */
export const fitToleranceBits = 1e-5;
/** Fits of one start: the bounds still close slowly after that, at a few seconds a start. */
const fitRounds = 8;
/** A gap of fits worth a try of the programme. */
const wideGapBits = 0.01;

export interface ConnectedOptions {
  readonly uniform: () => number;
  readonly starts: number;
  readonly fits: number;
  readonly rounds?: number | undefined;
  readonly toleranceBits: number;
}

export interface ConnectedWyner extends WynerBounds {
  readonly converged: boolean;
}

/** Whether X and Y are independent in a table, up to rounding. O(cells). */
export function isProduct(table: Float64Array, columns: number): boolean {
  const { x, y } = marginals(table, columns);
  return table.every((p, cell) => Math.abs(p - x[Math.floor(cell / columns)]! * y[cell % columns]!) <= 1e-14);
}

/**
 * Wyner's common information of one connected table.
 *
 * Z makes X and Y independent, so the table is a mixture of products, sum_z w_z a_z(x) b_z(y), and
 * C = H(X, Y) - max sum_z w_z (H(a_z) + H(b_z)): the upper concave envelope, over products, of H(a) + H(b). Two methods
 * look for it: the linear programme over products (`wynerProgramme`), exact for few cells, and mixtures of few products
 * from several starts (`fitWyner`) for many. Falls back to Z = X or Z = Y, so `bits` is never above H(X) or H(Y).
 *
 * Left: the alternating minimisation of I(X, Y; Z) + m I(X; Y | Z), which is exact only in the limit of large m and slow
 * there.
 *
 * Source: Witsenhausen 1976, "Values and bounds for the common information of two discrete random variables" (convex
 * form)
 *
 * @param table [rows, columns] row-major, sums to 1, no empty row or column
 */
export function wynerOfConnected(table: Float64Array, columns: number, options: ConnectedOptions): ConnectedWyner {
  const { x, y } = marginals(table, columns);
  if (isProduct(table, columns)) return { bits: 0, dualBits: 0, converged: true, parts: [{ weight: 1, x, y }] };

  const bicliques = maximalBicliques(
    Array.from(table, (p) => p > 0),
    columns,
    mostBicliques,
  );
  const cells = table.filter((p) => p > 0).length;
  const lowerBits = (entropyNats(x) + entropyNats(y) - entropyNats(table)) * bitsPerNat;
  const fitTolerance = Math.max(options.toleranceBits, fitToleranceBits);
  let best: WynerBounds = { ...plainVariable(table, { x, y }), dualBits: lowerBits };
  let toleranceBits = options.toleranceBits;
  const first = cells <= (cells < table.length ? programmeFirst.sparse : programmeFirst.full);
  if (first) programme([], options.rounds);
  if (!near()) {
    toleranceBits = fitTolerance;
    if (!near()) {
      const { fits, uniform, starts } = options;
      const searches = 3 * starts;
      const found = fitWyner(table, columns, { bicliques, uniform, fits, rounds: fitRounds, searches, toleranceBits });
      take(found);
      const wide = best.bits - best.dualBits > wideGapBits;
      if (wide && !first && cells <= programmeLast.cells)
        programme(found.parts, options.rounds ?? programmeLast.rounds);
    }
  }
  return { ...best, converged: near() };

  // Z = X as first columns would make the programme degenerate.
  function programme(known: readonly WeightedProduct[], rounds: number | undefined): void {
    take(wynerProgramme(table, columns, { ...options, rounds, bicliques, known, lowerBits }));
  }

  function take({ bits, parts, dualBits }: WynerBounds): void {
    const lower = Math.max(best.dualBits, dualBits);
    best = bits < best.bits ? { bits, parts, dualBits: lower } : { ...best, dualBits: lower };
  }

  function near(): boolean {
    return best.bits - best.dualBits <= toleranceBits;
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
function plainVariable(table: Float64Array, { x, y }: ProductDistribution): { bits: number; parts: WeightedProduct[] } {
  const columns = y.length;
  const [bitsX, bitsY] = [entropyNats(x) * bitsPerNat, entropyNats(y) * bitsPerNat];
  if (bitsX <= bitsY) {
    const parts = Array.from(x, (weight, i) => ({
      weight,
      x: unit(x.length, i),
      y: table.slice(i * columns, (i + 1) * columns).map((cell) => cell / weight),
    }));
    return { bits: bitsX, parts };
  }
  const parts = Array.from(y, (weight, j) => ({
    weight,
    x: x.map((_, i) => table[i * columns + j]! / weight),
    y: unit(columns, j),
  }));
  return { bits: bitsY, parts };
}

function unit(length: number, at: number): Float64Array {
  const vector = new Float64Array(length);
  vector[at] = 1;
  return vector;
}
