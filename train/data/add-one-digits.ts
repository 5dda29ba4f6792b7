import type { AddOneDigitsOptions } from "../../schemas/data.ts";
import { FailureError } from "../../schemas/errors.ts";
import { type Random, stream } from "../random.ts";
import { type Digits, digitsByClass, entropyOfCounts, mnistClasses, mnistSide, readMnist } from "./mnist.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";

const ACTION = `open data source "add-one-digits"`;
const SIDE = 32;
const BORDER = (SIDE - mnistSide) / 2;

/** Raise when a pairing or an image changes: results name it. */
const PAIRING = "cominfo-add-one-1: one-to-one within classes, 28x28 with a border of 2";

/**
 * MNIST add-one pairs of the W-VAE paper: the digit of view 2 is that of view 1 plus one, 9 followed by 0.
 *
 * @throws UsageError if the folder or a file is missing; FailureError if a file is damaged
 */
export function openAddOneDigits(options: AddOneDigitsOptions, dataDir: string | undefined): PairSource {
  const { provenance, ...digits } = readMnist({ split: options.split, dataDir, action: ACTION });
  return pairAddOneDigits(digits, { ...options, provenance: { ...provenance, pairing: PAIRING } });
}

/**
 * The first n digits of class l and the first n of class l + 1, n the smaller count but at most `perClass`, paired
 * one-to-one at random (the same pairs in every run): an image occurs once at most in each view. A draw is one of these
 * pairs. Views: uint8 [size, 32, 32, 1]. Label `label` is the digit of view 1, in both views.
 *
 * Given the class the views are independent, and either tells the class. So Gács-Körner, mutual and Wyner information
 * are all the entropy of the class: log2 10 = 3.322 bits where the classes are balanced.
 *
 * Source: Ryu et al., W-VAE paper, section 3 (5,000 pairs a class); the pairing is that of the authors' later repository
 * wyner-model
 */
export function pairAddOneDigits(
  { images, labels }: Digits,
  { split, perClass, provenance }: { split: string; perClass: number; provenance: Readonly<Record<string, string>> },
): PairSource {
  const pairs = digitsByClass(labels, ACTION).map((first, digit, all) => {
    const second = all[next(digit)]!;
    const count = Math.min(first.length, second.length, perClass);
    const order = stream(0, "add-one pairing", digit).permutation(count);
    return Array.from(order, (k, i) => ({ digit, first: first[i]!, second: second[k]! }));
  });
  const list = pairs.flat();
  if (list.length === 0) {
    throw new FailureError(`Cannot ${ACTION}: two classes that follow each other must occur, got none`, {
      code: "bad_data",
    });
  }

  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * SIDE * SIDE), new Uint8Array(size * SIDE * SIDE)] as const;
    const label = new Int32Array(size);
    for (let row = 0; row < size; row++) {
      const { digit, first, second } = list[random.integer(list.length)]!;
      label[row] = digit;
      withBorder(images, first, views[0].subarray(row * SIDE * SIDE));
      withBorder(images, second, views[1].subarray(row * SIDE * SIDE));
    }
    const shape = [size, SIDE, SIDE, 1];
    return {
      tensors: {
        view_1: { dtype: "uint8", shape, data: views[0] },
        view_2: { dtype: "uint8", shape, data: views[1] },
      },
      labels: [{ label }, { label }],
    };
  }

  const view = { height: SIDE, width: SIDE, channels: 1 };
  return {
    description: {
      name: "add-one-digits",
      summary: `MNIST ${split} digits, the digit of view 2 being that of view 1 plus one, 9 followed by 0; ${list.length} one-to-one pairs, ${SIDE}x${SIDE}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors: [{ name: "label", size: mnistClasses, role: "common" }],
      commonInformationBits: entropyOfCounts(pairs.map(({ length }) => length)),
      mutualInformationBits: entropyOfCounts(pairs.map(({ length }) => length)),
      provenance,
    },
    draw,
  };
}

/** The digit that view 2 shows with this one in view 1. */
export const next = (digit: number): number => (digit + 1) % mnistClasses;

/** Copies digit `index` into a black 32x32 image, `move` pixels off its middle (2 at most in each direction). */
export function withBorder(
  images: Uint8Array,
  index: number,
  target: Uint8Array,
  [x, y]: readonly [x: number, y: number] = [0, 0],
): void {
  const from = index * mnistSide * mnistSide;
  for (let row = 0; row < mnistSide; row++) {
    const pixels = images.subarray(from + row * mnistSide, from + (row + 1) * mnistSide);
    target.set(pixels, (row + BORDER + y) * SIDE + BORDER + x);
  }
}
