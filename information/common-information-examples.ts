import { type JointDistribution, jointFromTable } from "./joint-distribution.ts";

/** Pairs of variables whose common information is known in closed form: oracles for tests, figures and documentation. */

/** A pair and its exact values, bits. */
export interface KnownPair {
  /** Variables "x" and "y". */
  readonly joint: JointDistribution;
  readonly gacsKornerBits: number;
  readonly mutualInformationBits: number;
  readonly wynerBits: number;
}

/** Binary entropy h(p) = - p log2 p - (1 - p) log2 (1 - p), bits. */
export function binaryEntropyBits(p: number): number {
  return p === 0 || p === 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
}

/**
 * Doubly symmetric binary source: two fair bits that differ with probability `a`.
 *
 *   Wyner = 1 + h(a) - 2 h( (1 - sqrt(1 - 2a)) / 2 ),   mutual information = 1 - h(a),   Gacs-Korner = 0 for 0 < a
 *
 * Source: Wyner 1975, "The common information of two dependent random variables"
 *
 * @param a 0 .. 1/2
 */
export function doublySymmetricBinary(a: number): KnownPair {
  requireWithin("a", a, 0.5);
  const table = [(1 - a) / 2, a / 2, a / 2, (1 - a) / 2];
  return {
    joint: pair(["0", "1"], ["0", "1"], table),
    gacsKornerBits: a === 0 ? 1 : 0,
    mutualInformationBits: 1 - binaryEntropyBits(a),
    wynerBits: 1 + binaryEntropyBits(a) - 2 * binaryEntropyBits((1 - Math.sqrt(1 - 2 * a)) / 2),
  };
}

/**
 * Symmetric binary erasure source: a fair bit, and the same bit or, with probability `p`, an erasure.
 *
 *   Wyner = 1 for p <= 1/2, h(p) above,   mutual information = 1 - p,   Gacs-Korner = 0 for 0 < p
 *
 * Source: Cuff 2013, "Distributed channel synthesis", the erasure channel
 *
 * @param p 0 .. 1
 */
export function symmetricErasure(p: number): KnownPair {
  requireWithin("p", p, 1);
  const kept = (1 - p) / 2;
  return {
    joint: pair(["0", "1"], ["0", "erased", "1"], [kept, p / 2, 0, 0, p / 2, kept]),
    gacsKornerBits: p === 0 ? 1 : 0,
    mutualInformationBits: 1 - p,
    wynerBits: p <= 0.5 ? 1 : binaryEntropyBits(p),
  };
}

/**
 * Golden-mean pair: two bits that are not both 1, the three other outcomes equally likely. Wyner = 2/3.
 *
 * Exact, since a Z that makes them independent leaves at most one of them free: with weight w the first, which is then 1
 * with probability 1 / (3 w), else the second. H(X|Z) + H(Y|Z) = w h(1 / (3 w)) + (1 - w) h(1 / (3 - 3 w)) is largest at
 * w = 1/2, where it is log2 3 - 2/3.
 */
export function goldenMean(): KnownPair {
  return {
    joint: pair(["0", "1"], ["0", "1"], [1 / 3, 1 / 3, 1 / 3, 0]),
    gacsKornerBits: 0,
    mutualInformationBits: 2 * binaryEntropyBits(1 / 3) - Math.log2(3),
    wynerBits: 2 / 3,
  };
}

function pair(x: readonly string[], y: readonly string[], probabilities: readonly number[]): JointDistribution {
  const variables = [
    { name: "x", symbols: x },
    { name: "y", symbols: y },
  ];
  return jointFromTable(variables, probabilities);
}

function requireWithin(name: string, value: number, most: number): void {
  if (value >= 0 && value <= most) return;
  throw new RangeError(`Cannot make a source: "${name}" must be 0 .. ${most}, got ${value}`);
}
