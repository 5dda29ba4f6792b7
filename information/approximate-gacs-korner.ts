import type { JointDistribution, Selection, Variable } from "./joint-distribution.ts";
import { mostWeight } from "./most-weight.ts";
import { pairTable } from "./pair-table.ts";

/** How much of the function the other variable may leave open. */
export type Slack =
  /** Largest H(f(X) | Y), bits. */
  | { readonly slackBits: number }
  /** What a bit of H(f(X) | Y) costs, bits of H(f(X)), up to 1e12 (`mostWeight`). */
  | { readonly weight: number };

export interface ApproximateGacsKorner {
  /** H(f(X)): the approximate common information. */
  readonly bits: number;
  /** H(f(X) | Y): what Y does not tell of it. */
  readonly leakBits: number;
  /** X, symbols of probability 0 left out. */
  readonly x: Variable;
  /** [x.symbols] the value of f. */
  readonly classOf: Int32Array;
}

/** Largest alphabet of X: 115,975 functions. One symbol more is six times as many. */
export const approximateGacsKornerSymbols = 10;

/**
 * Approximate Gacs-Korner common information: the most that a function of X can hold while Y nearly tells its value.
 *
 *   slackBits:  max_f H(f(X))                         such that   H(f(X) | Y) <= slackBits
 *   weight:     max_f H(f(X)) - weight H(f(X) | Y)
 *
 * Over deterministic functions f, every one of which is tried, so the result is exact. For the second form stochastic maps
 * would gain nothing (the objective is convex in them); for the first they may. Not symmetric in X and Y. With slack 0, and
 * for large weights, it is the Gacs-Korner common information; with slack H(X | Y), and weight 0, it is H(X).
 * Among functions of equal worth the one with the fewest values, then the first, is taken.
 *
 * Source: Salamatian et al. 2020, "Approximate Gacs-Korner common information", there with < for <=; GK-VAE paper,
 * equations 19 and 20
 *
 * Cost: the number of partitions of X's symbols times the cells.
 *
 * @throws RangeError for more than `approximateGacsKornerSymbols` symbols of X, a slack that is negative or NaN, or a
 *   weight that is not from 0 to `mostWeight`
 */
export function approximateGacsKorner(
  joint: JointDistribution,
  { x, y }: { readonly x: Selection; readonly y: Selection },
  slack: Slack,
): ApproximateGacsKorner {
  const action = "compute the approximate common information";
  const [name, amount] = "weight" in slack ? ["weight", slack.weight] : ["slackBits", slack.slackBits];
  if (!(amount >= 0)) throw new RangeError(`Cannot ${action}: "${name}" must be at least 0, got ${amount}`);
  if (name === "weight" && amount > mostWeight) {
    throw new RangeError(
      `Cannot ${action}: "weight" must be at most ${mostWeight} (slackBits 0 allows no leak), got ${amount}`,
    );
  }
  const pair = pairTable(joint, x, y);
  const { table, px, py } = pair;
  const symbols = px.length;
  if (symbols > approximateGacsKornerSymbols) {
    throw new RangeError(
      `Cannot ${action}: "${pair.x.name}" must have at most ${approximateGacsKornerSymbols} symbols, got ${symbols}`,
    );
  }

  const columns = py.length;
  const sums = new Float64Array(symbols * columns);
  const totals = new Float64Array(symbols);
  const entropyY = entropyOf(py, columns);
  let best: { worth: number; classes: number; bits: number; leakBits: number; classOf: Int32Array } | undefined;
  const classOf = new Int32Array(symbols);

  function consider(classes: number): void {
    const bits = entropyOf(totals, classes);
    const leakBits = Math.max(0, entropyOf(sums, classes * columns) - entropyY);
    if ("slackBits" in slack && leakBits > slack.slackBits + 1e-12) return;
    const worth = "weight" in slack ? bits - slack.weight * leakBits : bits;
    const better = best === undefined || worth > best.worth + 1e-12;
    const simpler = best !== undefined && worth > best.worth - 1e-12 && classes < best.classes;
    if (better || simpler) best = { worth, classes, bits, leakBits, classOf: classOf.slice() };
  }

  /** Puts each further symbol into every class so far and into a new one: every partition once. */
  function place(symbol: number, classes: number): void {
    if (symbol === symbols) {
      consider(classes);
      return;
    }
    for (let chosen = 0; chosen <= classes; chosen++) {
      classOf[symbol] = chosen;
      const [kept, keptTotal] = [sums.slice(chosen * columns, (chosen + 1) * columns), totals[chosen]!];
      totals[chosen]! += px[symbol]!;
      for (let j = 0; j < columns; j++) sums[chosen * columns + j]! += table[symbol * columns + j]!;
      place(symbol + 1, Math.max(classes, chosen + 1));
      // Put back what was there: subtracting would leave rounding behind.
      sums.set(kept, chosen * columns);
      totals[chosen] = keptTotal;
    }
  }

  place(0, 0);
  const { bits, leakBits, classOf: found } = best!;
  return { bits, leakBits, x: pair.x, classOf: found };
}

/** Entropy of the first `length` entries, bits. */
function entropyOf(p: Float64Array, length: number): number {
  let bits = 0;
  for (let i = 0; i < length; i++) if (p[i]! > 0) bits -= p[i]! * Math.log2(p[i]!);
  return Math.max(0, bits);
}
