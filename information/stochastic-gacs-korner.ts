import { gacsKorner } from "./gacs-korner.ts";
import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { minimise } from "./lbfgs.ts";
import { mostWeight } from "./most-weight.ts";
import { type PairTable, pairTable } from "./pair-table.ts";
import { bitsPerNat } from "./units.ts";

export interface StochasticGacsKornerOptions {
  /** What a bit of disagreement costs, bits, up to 1e12 (`mostWeight`); the Lagrange multiplier of the constraint. */
  readonly weight: number;
  /** Uniform in [0, 1): the caller's seeded generator. */
  readonly uniform: () => number;
  /** Random starts, besides the Gacs-Korner components and the identity. */
  readonly starts?: number;
  /** Alphabet of Z; left out: the larger alphabet of the two. */
  readonly symbols?: number;
}

export interface StochasticGacsKorner {
  /** objective = information - weight * disagreement, at the best point found. */
  readonly objectiveBits: number;
  /** (I(X; Z_1) + I(Y; Z_2)) / 2 */
  readonly informationBits: number;
  /** E KL( q_1(z | x) || q_2(z | y) ) */
  readonly disagreementBits: number;
  /** [x.symbols, z] row-major, symbols of probability 0 left out. */
  readonly q1: Float64Array;
  /** [y.symbols, z] */
  readonly q2: Float64Array;
}

/**
 * Stochastic relaxation of the Gacs-Korner common information, at a finite weight of its constraint.
 *
 *   max over q_1(z | x), q_2(z | y) of   ( I(X; Z_1) + I(Y; Z_2) ) / 2  -  weight E_p(x,y) KL( q_1(. | x) || q_2(. | y) )
 *
 * The paper's problem is max I(X_i; Z) with q_1(z | x) = q_2(z | y) for all possible (x, y). That constraint makes q
 * constant on every connected component of the support, so Z depends on X through its component alone and the maximum is
 * H(component): **with an exact constraint the stochastic form has the value of `gacsKorner`**, and stochastic maps gain
 * nothing. What relaxes it is the finite weight, as the GK-VAE trains: then nearly separate components count too. The
 * objective falls with the weight, from (H(X) + H(Y)) / 2 at 0 down to the Gacs-Korner common information.
 *
 * Not concave: L-BFGS from several starts, the exact components among them, so the objective is a lower bound on the
 * maximum and, where Z has a symbol for each component, never below the Gacs-Korner common information.
 *
 * Source: GK-VAE paper, equations 4, 5 and 8
 *
 * @throws RangeError for a weight that is not from 0 to `mostWeight`, or no symbol for Z
 */
export function stochasticGacsKorner(
  joint: JointDistribution,
  { x, y }: { readonly x: Selection; readonly y: Selection },
  { weight, uniform, starts = 6, symbols: wanted }: StochasticGacsKornerOptions,
): StochasticGacsKorner {
  const action = "compute the stochastic common information";
  if (!(weight >= 0 && weight <= mostWeight)) {
    throw new RangeError(`Cannot ${action}: "weight" must be from 0 to ${mostWeight}, got ${weight}`);
  }
  const pair = pairTable(joint, x, y);
  const [m, n] = [pair.px.length, pair.py.length];
  const symbols = wanted ?? Math.max(m, n);
  if (!(Number.isInteger(symbols) && symbols > 0)) {
    throw new RangeError(`Cannot ${action}: "symbols" must be a whole number above 0, got ${symbols}`);
  }
  const components = gacsKorner(joint, [x, y]).componentOf.flatMap((of) => [...of.filter((at) => at >= 0)]);

  // Zero disagreement, exactly, which no finite logits reach.
  const hard = channelsOf((row, z) => (z === components[row]! % symbols ? 1 : 0));
  let best = evaluate(hard, pair, { weight, symbols });
  const begin = [
    channelsOf((row, z) => (z === components[row]! % symbols ? 3 : 0)),
    channelsOf((row, z) => (z === (row < m ? row : row - m) % symbols ? 3 : 0)),
    ...Array.from({ length: starts }, () => channelsOf(() => 6 * uniform() - 3)),
  ];
  for (const start of begin) {
    const { point } = minimise((logits, gradient) => descend(logits, gradient, { pair, weight, symbols }), start, {
      tolerance: 1e-8,
      iterations: 300,
    });
    const found = evaluate(softmax(point, symbols), pair, { weight, symbols });
    if (found.objectiveBits > best.objectiveBits) best = found;
  }
  return best;

  /** One row for each symbol of X, then one for each of Y. */
  function channelsOf(value: (row: number, z: number) => number): Float64Array {
    return Float64Array.from({ length: (m + n) * symbols }, (_, at) => value(Math.floor(at / symbols), at % symbols));
  }
}

/** Minus the objective, nats, at softmax(logits); its gradient is written into `gradient`. */
function descend(
  logits: Float64Array,
  gradient: Float64Array,
  { pair, weight, symbols }: { pair: PairTable; weight: number; symbols: number },
): number {
  const q = softmax(logits, symbols);
  const { slopes, value } = slopesOf(q, pair, { weight, symbols });
  for (let from = 0; from < q.length; from += symbols) {
    let mean = 0;
    for (let at = from; at < from + symbols; at++) mean += q[at]! * slopes[at]!;
    for (let at = from; at < from + symbols; at++) gradient[at] = -q[at]! * (slopes[at]! - mean);
  }
  return -value;
}

/** Value of the objective, nats, and its derivatives by the entries of both channels. */
function slopesOf(
  q: Float64Array,
  pair: PairTable,
  { weight, symbols }: { weight: number; symbols: number },
): { slopes: Float64Array; value: number; information: number; disagreement: number } {
  const { px, py, table } = pair;
  const [m, n] = [px.length, py.length];
  const slopes = new Float64Array(q.length);
  let information = 0;
  for (const [prior, offset] of [
    [px, 0],
    [py, m],
  ] as const) {
    const mixture = new Float64Array(symbols);
    for (const [i, p] of prior.entries()) {
      for (let z = 0; z < symbols; z++) mixture[z]! += p * q[(offset + i) * symbols + z]!;
    }
    for (const [i, p] of prior.entries()) {
      for (let z = 0; z < symbols; z++) {
        const at = (offset + i) * symbols + z;
        if (q[at] === 0) continue;
        const ratio = Math.log(q[at]! / mixture[z]!);
        information += 0.5 * p * q[at]! * ratio;
        slopes[at]! += 0.5 * p * ratio;
      }
    }
  }
  let disagreement = 0;
  for (const [cell, p] of table.entries()) {
    if (p === 0) continue;
    const first = Math.floor(cell / n) * symbols;
    const second = (m + (cell % n)) * symbols;
    for (let z = 0; z < symbols; z++) {
      const [one, other] = [q[first + z]!, q[second + z]!];
      if (one === 0) {
        disagreement += p * other;
        continue;
      }
      const ratio = Math.log(one / other);
      // The channels' difference sums to 0 over z. With it every term is at least 0, so that what rounding makes less
      // can be told: a large weight would turn it into information.
      disagreement += p * Math.max(0, one * ratio + other - one);
      slopes[first + z]! -= weight * p * (ratio + 1);
      slopes[second + z]! += (weight * p * one) / other;
    }
  }
  return { slopes, value: information - weight * disagreement, information, disagreement };
}

function evaluate(
  q: Float64Array,
  pair: PairTable,
  options: { weight: number; symbols: number },
): StochasticGacsKorner {
  const { value, information, disagreement } = slopesOf(q, pair, options);
  const split = pair.px.length * options.symbols;
  return {
    objectiveBits: value * bitsPerNat,
    informationBits: information * bitsPerNat,
    disagreementBits: disagreement * bitsPerNat,
    q1: q.slice(0, split),
    q2: q.slice(split),
  };
}

function softmax(logits: Float64Array, symbols: number): Float64Array {
  const q = new Float64Array(logits.length);
  for (let from = 0; from < logits.length; from += symbols) {
    const row = logits.subarray(from, from + symbols);
    const top = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    let total = 0;
    for (let z = 0; z < symbols; z++) total += Math.exp(row[z]! - top);
    // Never 0, so that the disagreement stays finite.
    for (let z = 0; z < symbols; z++) q[from + z] = Math.max(Math.exp(row[z]! - top) / total, 1e-300);
  }
  return q;
}
