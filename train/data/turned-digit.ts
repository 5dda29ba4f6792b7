import type { Random } from "../random.ts";
import { mnistSide } from "./mnist.ts";
import { createRotator } from "./rotate.ts";

/** How the digits of rotated MNIST are turned: 28x28 in, `turnedSide` squared out. */

export const turnedSide = 32;
export const rotationBins = 10;
const maxDegrees = 45;

/** Raise when an image changes: results name it. */
export const rotationMark = "cominfo-rotate-1: bilinear at 28x28, then bilinear to 32x32";

/** Writes a turned digit over `target[offset ..]`. @returns its bin: floor((degrees + 45) / 9) */
export type Turner = (image: Uint8Array, target: Uint8Array, offset: number, random: Random) => number;

/** The angle is uniform from -45 to 45 degrees, counter-clockwise positive. */
export function createTurner(): Turner {
  const rotate = createRotator(mnistSide, turnedSide);
  return (image, target, offset, random) => {
    const share = random.uniform(); // of the whole range, so its bin is exact
    rotate(image, (2 * share - 1) * maxDegrees, target, offset);
    return Math.floor(share * rotationBins);
  };
}
