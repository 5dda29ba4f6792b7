import { type GacsKorner, gacsKorner } from "./gacs-korner.ts";
import type { JointDistribution, Selection, Variable } from "./joint-distribution.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { type PairTable, pairTable } from "./pair-table.ts";
import { entropyNats } from "./product-search.ts";
import { bitsPerNat } from "./units.ts";
import { isProduct, wynerOfConnected } from "./wyner-connected.ts";

export interface WynerOptions {
  /** Uniform in [0, 1): the caller's seeded generator, for the starts of the inner search. */
  readonly uniform: () => number;
  /** Random starts of the inner search in each round. */
  readonly starts?: number;
  /** Starts of fitted mixtures, where the linear programme does not reach: from rows, from columns, then random ones. */
  readonly fits?: number;
  /** Rounds of the linear programme at most; left out: `wynerRounds` of the possible cells. */
  readonly rounds?: number;
  /** Ends when nothing the inner search finds promises more than this. */
  readonly toleranceBits?: number;
}

export const wynerDefaults = { starts: 10, fits: 3, toleranceBits: 1e-7 } as const;

/** A value of the common variable: its probability, and what X and Y are given it. */
export interface WynerSymbol {
  readonly probability: number;
  /** [x.symbols] */
  readonly x: Float64Array;
  /** [y.symbols] */
  readonly y: Float64Array;
}

export interface Wyner {
  /** I(X, Y; Z) of the common variable found: never below Wyner's common information. */
  readonly bits: number;
  /** Proved: the mutual information, which is never below the Gacs-Korner common information. */
  readonly lowerBits: number;
  /** Proved: the smaller of the two entropies. */
  readonly upperBits: number;
  /** bits - lowerBits: how far the value can be off, proved. 0 says that it is exact. */
  readonly gapBits: number;
  /** Lower bound by duality; it holds if the inner search, which is not convex, found its maximum in some round. */
  readonly dualBits: number;
  /** I(X; Y | Z) of what was found: 0 up to rounding, whatever the rounds. */
  readonly residualBits: number;
  /** Largest absolute difference of a cell of the mixture and of the distribution. */
  readonly mixtureError: number;
  /** Whether each component came within the tolerance (1e-5 bits where only fits reach) of its lower bounds. */
  readonly converged: boolean;
  readonly x: Variable;
  readonly y: Variable;
  /**
   * The common variable found. At most as many symbols as there are possible cells, hence at most |X| |Y|; where the best
   * variable has fewer, groups of nearly equal symbols stand for one.
   */
  readonly common: readonly WynerSymbol[];
}

/** Possible cells of one connected component at most: beyond, the bounds stay too far apart to be worth their time. */
export const wynerCells = 256;

/**
 * Wyner's common information of two variables.
 *
 *   C = min_Z I(X, Y; Z)   such that   X - Z - Y
 *
 * Such a Z determines the Gacs-Korner component W, hence C = H(W) + sum_w p(w) C(X; Y | W = w), and each component is
 * solved alone: exactly 0 where X and Y are independent in it, else by a search over mixtures of product distributions
 * (see `wynerOfConnected`). The constraint holds exactly at every moment, so `bits` is attained by the Z that is returned;
 * what is not convex is the search for a better product, and only it can miss something.
 *
 * Source: Wyner 1975, "The common information of two dependent random variables"; W-VAE paper, equation 1
 *
 * Cost: 0.2 s for 4 x 4, 2 s for 6 x 6 full cells. Beyond 40 cells a component is solved by fits, to 1e-5 bits where its
 * table is regular (12 x 12 symmetric: 0.1 s), and to some 1e-3 (8 x 8) or 1e-1 (12 x 12) in 5 s where it is random. Full
 * tables beyond 40 cells whose probabilities range over six decades may keep the widest gap, 1 bit of two: fits lose their
 * way there, and the linear programme its basis (of two 8 x 8 tables one ended so, the other within 0.02 bits in 11 s).
 *
 * @throws RangeError for an unknown or repeated name, or a component that is no product and has more than
 *   `wynerCells` possible cells
 */
export function wynerCommonInformation(
  joint: JointDistribution,
  { x, y }: { readonly x: Selection; readonly y: Selection },
  options: WynerOptions,
): Wyner {
  const settings = { ...wynerDefaults, ...options };
  const pair = pairTable(joint, x, y);
  const components = gacsKorner(joint, [x, y]);
  const lowerBits = Math.max(mutualInformationBits(joint, x, y), components.bits);
  let [bits, dualBits, converged] = [components.bits, components.bits, true];
  const common: WynerSymbol[] = [];
  for (const part of componentsOf(pair, components)) {
    const { rows, columns, table, probability } = part;
    if (table.filter((p) => p > 0).length > wynerCells && !isProduct(table, columns.length)) {
      throw new RangeError(
        `Cannot compute Wyner's common information: a connected component must have at most ${wynerCells} possible cells, got ${rows.length} x ${columns.length} symbols`,
      );
    }
    const found = wynerOfConnected(table, columns.length, settings);
    bits += probability * found.bits;
    dualBits += probability * found.dualBits;
    converged &&= found.converged;
    for (const symbol of found.parts) {
      common.push({
        probability: probability * symbol.weight,
        x: spread(symbol.x, rows, pair.px.length),
        y: spread(symbol.y, columns, pair.py.length),
      });
    }
  }
  return {
    bits,
    lowerBits,
    upperBits: Math.min(entropyNats(pair.px), entropyNats(pair.py)) * bitsPerNat,
    gapBits: Math.max(0, bits - lowerBits),
    dualBits: Math.max(dualBits, lowerBits),
    ...check(pair, common),
    converged,
    x: pair.x,
    y: pair.y,
    common,
  };
}

interface ComponentTable {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** [rows, columns] row-major, sums to 1 */
  readonly table: Float64Array;
  readonly probability: number;
}

function componentsOf({ table, px, py }: PairTable, { componentOf, probabilities }: GacsKorner): ComponentTable[] {
  const [ofRow, ofColumn] = componentOf.map((of) => of.filter((component) => component >= 0));
  const rows = Array.from(probabilities, (): number[] => []);
  const columns = Array.from(probabilities, (): number[] => []);
  for (const i of px.keys()) rows[ofRow![i]!]!.push(i);
  for (const j of py.keys()) columns[ofColumn![j]!]!.push(j);
  return Array.from(probabilities, (probability, at) => {
    const cells = rows[at]!.flatMap((i) => columns[at]!.map((j) => table[i * py.length + j]! / probability));
    return { rows: rows[at]!, columns: columns[at]!, table: Float64Array.from(cells), probability };
  });
}

function spread(values: Float64Array, places: readonly number[], length: number): Float64Array {
  const whole = new Float64Array(length);
  for (const [k, place] of places.entries()) whole[place] = values[k]!;
  return whole;
}

/** What the mixture really is: how independent X and Y are given Z, and how near it is to the distribution. */
function check(
  { table, py }: PairTable,
  common: readonly WynerSymbol[],
): { residualBits: number; mixtureError: number } {
  const mixture = new Float64Array(table.length);
  let residual = 0;
  for (const { probability, x, y } of common) {
    let joint = 0;
    for (const [i, a] of x.entries()) {
      if (a === 0) continue;
      for (const [j, b] of y.entries()) {
        if (b === 0) continue;
        mixture[i * py.length + j]! += probability * a * b;
        joint -= a * b * Math.log(a * b);
      }
    }
    residual += probability * (entropyNats(x) + entropyNats(y) - joint);
  }
  const mixtureError = mixture.reduce((most, p, cell) => Math.max(most, Math.abs(p - table[cell]!)), 0);
  return { residualBits: Math.max(0, residual * bitsPerNat), mixtureError };
}
