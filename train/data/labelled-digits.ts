import type { LabelledDigitsOptions } from "../../schemas/data.ts";
import type { Random } from "../random.ts";
import { withBorder } from "./add-one-digits.ts";
import { type Digits, digitsByClass, entropyOfCounts, mnistClasses, readMnist } from "./mnist.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";

const ACTION = `open data source "labelled-digits"`;
const SIDE = 32;

/**
 * MNIST digits with their classes, for a classifier: `view_1` uint8 [size, 32, 32, 1] and `label` int32 [size].
 *
 * @throws UsageError if the folder or a file is missing; FailureError if a file is damaged
 */
export function openLabelledDigits({ split, shift }: LabelledDigitsOptions, dataDir: string | undefined): PairSource {
  const { provenance, ...digits } = readMnist({ split, dataDir, action: ACTION });
  return labelledDigits(digits, { split, shift: split === "test" ? 0 : shift, provenance });
}

export function labelledDigits(
  { images, labels }: Digits,
  { split, shift, provenance }: { split: string; shift: number; provenance: Readonly<Record<string, string>> },
): PairSource {
  const counts = digitsByClass(labels, ACTION).map(({ length }) => length);

  function draw(size: number, random: Random): Minibatch {
    const view = new Uint8Array(size * SIDE * SIDE);
    const label = new Int32Array(size);
    for (let row = 0; row < size; row++) {
      const digit = random.integer(labels.length);
      label[row] = labels[digit]!;
      withBorder(images, digit, view.subarray(row * SIDE * SIDE), moved(shift, random));
    }
    return {
      tensors: {
        view_1: { dtype: "uint8", shape: [size, SIDE, SIDE, 1], data: view },
        label: { dtype: "int32", shape: [size], data: label },
      },
      labels: [{ label }, { label }],
    };
  }

  return {
    description: {
      name: "labelled-digits",
      summary: `${labels.length} MNIST ${split} digits with their classes, ${SIDE}x${SIDE}`,
      views: [{ name: "view_1", height: SIDE, width: SIDE, channels: 1 }],
      factors: [{ name: "label", size: mnistClasses, role: "common" }],
      mutualInformationBits: entropyOfCounts(counts),
      provenance,
    },
    draw,
  };
}

function moved(shift: number, random: Random): readonly [x: number, y: number] {
  if (shift === 0) return [0, 0];
  return [random.integer(2 * shift + 1) - shift, random.integer(2 * shift + 1) - shift];
}
