import { type PairInformation, pairInformation } from "./pair-information.ts";
import type { Follow } from "./pairing.ts";

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
