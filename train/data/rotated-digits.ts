import type { RotatedDigitsOptions } from "../../schemas/data.ts";
import type { Random } from "../random.ts";
import { type Digits, digitsByClass, entropyOfCounts, mnistClasses, mnistSide, readMnist } from "./mnist.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";
import { createTurner, rotationBins, rotationMark, turnedSide as SIDE } from "./turned-digit.ts";

const ACTION = `open data source "rotated-digits"`;

/**
 * Rotated MNIST of the GK-VAE paper: two views show digits of one class, each turned by its own angle.
 *
 * @param dataDir folder with the MNIST files of the split, gzip or plain
 * @throws UsageError if the folder or a file is missing; FailureError if a file is damaged
 */
export function openRotatedDigits({ split }: RotatedDigitsOptions, dataDir: string | undefined): PairSource {
  const { provenance, ...digits } = readMnist({ split, dataDir, action: ACTION });
  return pairRotatedDigits(digits, { split, provenance: { ...provenance, rotation: rotationMark } });
}

/**
 * View 1 is any digit, view 2 any digit of the same class (maybe the same one), each turned by an angle of its own,
 * uniform from -45 to 45 degrees, counter-clockwise positive. Views: uint8 [size, 32, 32, 1].
 * Labels: `label`, and `rotation` = floor((degrees + 45) / 9), ten bins.
 * Source: GK-VAE and its published code (`tmnist`): training images, rotation at 28x28, then resized to 32x32.
 *
 * Common information: the entropy of the class, whose frequencies are those of the digits (the set is not exactly
 * balanced), provided that no image occurs in two classes.
 */
export function pairRotatedDigits(
  { images, labels }: Digits,
  { split, provenance }: { split: string; provenance: Readonly<Record<string, string>> },
): PairSource {
  const members = digitsByClass(labels, ACTION);
  const turn = createTurner();
  const pixels = mnistSide * mnistSide;

  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * SIDE * SIDE), new Uint8Array(size * SIDE * SIDE)] as const;
    const label = new Int32Array(size);
    const rotations = [new Int32Array(size), new Int32Array(size)] as const;
    for (let row = 0; row < size; row++) {
      const first = random.integer(labels.length);
      label[row] = labels[first]!;
      const peers = members[labels[first]!]!;
      for (const [view, digit] of [first, peers[random.integer(peers.length)]!].entries()) {
        const image = images.subarray(digit * pixels, (digit + 1) * pixels);
        rotations[view]![row] = turn(image, views[view]!, row * SIDE * SIDE, random);
      }
    }
    const shape = [size, SIDE, SIDE, 1];
    return {
      tensors: {
        view_1: { dtype: "uint8", shape, data: views[0] },
        view_2: { dtype: "uint8", shape, data: views[1] },
      },
      labels: [
        { label, rotation: rotations[0] },
        { label, rotation: rotations[1] },
      ],
    };
  }

  const view = { height: SIDE, width: SIDE, channels: 1 };
  return {
    description: {
      name: "rotated-digits",
      summary: `two MNIST ${split} digits of one class, each turned by its own angle within 45 degrees, ${SIDE}x${SIDE}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors: [
        { name: "label", size: mnistClasses, role: "common" },
        { name: "rotation", size: rotationBins, role: "unique" },
      ],
      commonInformationBits: entropyOfCounts(members.map((digits) => digits.length)),
      provenance,
    },
    draw,
  };
}
