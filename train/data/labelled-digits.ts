import type { LabelledDigitsOptions } from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { Random } from "../random.ts";
import { withBorder } from "./add-one-digits.ts";
import { type Digits, digitsByClass, entropyOfCounts, mnistClasses, mnistSide, readMnist } from "./mnist.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";
import { createTurner, rotationBins, rotationMark, turnedSide as SIDE } from "./turned-digit.ts";

const ACTION = `open data source "labelled-digits"`;

/**
 * MNIST digits with their classes, or turned and with the bin of their angle, for a classifier: `view_1` uint8
 * [size, 32, 32, 1] and `label` int32 [size].
 *
 * @throws UsageError if the folder or a file is missing, or turned digits are to be moved; FailureError if a file is
 *   damaged
 */
export function openLabelledDigits(options: LabelledDigitsOptions, dataDir: string | undefined): PairSource {
  const { split, shift, label } = options;
  if (label === "rotation" && shift > 0) {
    throw new UsageError(`Cannot ${ACTION}: shift must be 0 where the label is the rotation, got ${shift}`);
  }
  const { provenance, ...digits } = readMnist({ split, dataDir, action: ACTION });
  if (label === "rotation") return turnedDigits(digits, { split, provenance });
  return labelledDigits(digits, { split, shift: split === "test" ? 0 : shift, provenance });
}

interface Origin {
  readonly split: string;
  readonly provenance: Readonly<Record<string, string>>;
}

export function labelledDigits(
  { images, labels }: Digits,
  { split, shift, provenance }: Origin & { readonly shift: number },
): PairSource {
  const counts = digitsByClass(labels, ACTION).map(({ length }) => length);

  return {
    description: {
      name: "labelled-digits",
      summary: `${labels.length} MNIST ${split} digits with their classes, ${SIDE}x${SIDE}`,
      views: [view],
      factors: [{ name: "label", size: mnistClasses, role: "common" }],
      mutualInformationBits: entropyOfCounts(counts),
      provenance,
    },
    draw: drawing((target, offset, random) => {
      const digit = random.integer(labels.length);
      withBorder(images, digit, target.subarray(offset), moved(shift, random));
      return labels[digit]!;
    }),
  };
}

/** Images as in `rotated-digits`; what a picture tells of its angle is less than the entropy of the bins. */
export function turnedDigits({ images, labels }: Digits, { split, provenance }: Origin): PairSource {
  const turn = createTurner();
  const pixels = mnistSide * mnistSide;
  return {
    description: {
      name: "labelled-digits",
      summary: `${labels.length} MNIST ${split} digits, turned by an angle within 45 degrees, with its bin, ${SIDE}x${SIDE}`,
      views: [view],
      factors: [{ name: "label", size: rotationBins, role: "common" }],
      provenance: { ...provenance, rotation: rotationMark },
    },
    draw: drawing((target, offset, random) => {
      const digit = random.integer(labels.length);
      return turn(images.subarray(digit * pixels, (digit + 1) * pixels), target, offset, random);
    }),
  };
}

const view = { name: "view_1", height: SIDE, width: SIDE, channels: 1 } as const;

/** @param one writes an image over `target[offset ..]` and returns its label */
function drawing(one: (target: Uint8Array, offset: number, random: Random) => number): PairSource["draw"] {
  return (size, random): Minibatch => {
    const data = new Uint8Array(size * SIDE * SIDE);
    const label = new Int32Array(size);
    for (let row = 0; row < size; row++) label[row] = one(data, row * SIDE * SIDE, random);
    return {
      tensors: {
        view_1: { dtype: "uint8", shape: [size, SIDE, SIDE, 1], data },
        label: { dtype: "int32", shape: [size], data: label },
      },
      labels: [{ label }, { label }],
    };
  };
}

function moved(shift: number, random: Random): readonly [x: number, y: number] {
  if (shift === 0) return [0, 0];
  return [random.integer(2 * shift + 1) - shift, random.integer(2 * shift + 1) - shift];
}
