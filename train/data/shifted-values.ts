import type { Follow } from "./pairing.ts";

/** What the two values of one factor share, in bits. */
export interface PairInformation {
  readonly mutualBits: number;
  readonly gacsKornerBits: number;
}

/** Largest step of `dshapescorr`, the published code's correlated set. */
const LARGEST_STEP = 5;

/**
 * The correlation of `dshapescorr` (GK-VAE, published code): the value of view 2 is (value of view 1 + step) modulo
 * `size`, the step uniform in 1 .. 5. With all ten hues the two views never have the same one.
 */
export const shiftedValue =
  (size: number): Follow =>
  (first, random) =>
    (first + 1 + random.integer(LARGEST_STEP)) % size;

/** Exact information of that pair when the value of view 1 is uniform. */
export function shiftedInformation(size: number): PairInformation {
  const joint = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const [first, row] of joint.entries()) {
    for (let step = 1; step <= LARGEST_STEP; step++) row[(first + step) % size]! += 1 / (size * LARGEST_STEP);
  }
  return pairInformation(joint);
}

/**
 * Exact information of a pair with joint probabilities `joint[first][second]`.
 *
 * Gács-Körner: entropy of the connected component that the pair is in, components of the graph whose edges are the
 * pairs that can occur (Gács & Körner 1973). Both figures add over independent factors; for Gács-Körner because
 * the product of connected supports is connected.
 */
export function pairInformation(joint: readonly (readonly number[])[]): PairInformation {
  const seconds = joint[0]?.length ?? 0;
  const rows = joint.map((row) => row.reduce((sum, mass) => sum + mass, 0));
  const columns = Array.from({ length: seconds }, (_, j) => joint.reduce((sum, row) => sum + row[j]!, 0));
  let mutualBits = 0;
  const component = columns.map((_, j) => j); // of each second value; joined through the first ones
  for (const [i, row] of joint.entries()) {
    const reached = columns.map((_, j) => j).filter((j) => row[j]! > 0);
    for (const j of reached) mutualBits += row[j]! * Math.log2(row[j]! / (rows[i]! * columns[j]!));
    const joined = new Set(reached.map((j) => component[j]!));
    const name = component[reached[0] ?? 0]!;
    for (const [j, old] of component.entries()) if (joined.has(old)) component[j] = name;
  }
  const masses = new Map<number, number>();
  for (const [j, name] of component.entries()) masses.set(name, (masses.get(name) ?? 0) + columns[j]!);
  const gacsKornerBits = [...masses.values()].reduce(
    (bits, mass) => (mass > 0 ? bits - mass * Math.log2(mass) : bits),
    0,
  );
  return { mutualBits, gacsKornerBits };
}
