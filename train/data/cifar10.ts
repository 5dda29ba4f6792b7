import { basename } from "node:path";
import { sha256OfFile } from "../../files/sha256.ts";
import type { Cifar10Options } from "../../schemas/data.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Random } from "../random.ts";
import { type Cifar10, cifar10Classes, cifar10ImageBytes, cifar10Side, readCifar10 } from "./cifar10-file.ts";
import { findDataFile } from "./data-file.ts";
import { createFrequencyBands } from "./frequency-bands.ts";
import type { HeldOut, Minibatch, PairSource } from "./pair-source.ts";

const action = `open data source "cifar10"`;

/** Around an image before it is cut out again: the average colour, as in the RINE authors' code. */
const border = [125, 123, 113] as const;
const borderPixels = 4;

/**
 * CIFAR-10 as sources of a target: `x1`, `x2` uint8 [size, 32, 32, 3] of one image, `y` int32 [size] its class.
 *
 * With `view: images` both sources are the image (what a model cuts away is its own matter), in training each shifted by
 * up to four pixels on its own. With `view: frequencies` x1 has its low and x2 its high frequencies, as they are.
 * Held out is the test file, whole and unshifted.
 *
 * @param dataDir folder with data_batch_1.bin ..., test_batch.bin
 * @throws UsageError if the folder or a file is missing; FailureError if a file is damaged
 */
export function openCifar10(options: Cifar10Options, dataDir: string | undefined): PairSource {
  const files = options.batches.map((batch) => findDataFile(`data_batch_${batch}.bin`, dataDir, action));
  const provenance = Object.fromEntries(files.map((file) => [basename(file), sha256OfFile(file, action)]));
  const testFile = (): Cifar10 => readCifar10([findDataFile("test_batch.bin", dataDir, action)]);
  return pairCifar10(readCifar10(files), options, { provenance, test: testFile });
}

/** The source of `openCifar10` from images in memory. */
export function pairCifar10(
  { images, labels }: Cifar10,
  options: Cifar10Options,
  { provenance, test }: { provenance: Readonly<Record<string, string>>; test: () => Cifar10 },
): PairSource {
  const bands = createFrequencyBands(cifar10Side, { channels: 3, radius: options.radius, cast: options.cast });
  const isSplit = options.view === "frequencies";

  /** Both sources of `image` into row `row` of the batch. */
  function write(image: Uint8Array, views: Views, row: number, random?: Random): void {
    const [first, second] = views.map((view) => view.subarray(row * cifar10ImageBytes, (row + 1) * cifar10ImageBytes));
    if (isSplit) bands.split(image, first!, second!);
    for (const view of isSplit ? [] : [first!, second!]) {
      if (random === undefined) view.set(image);
      else shift(image, view, { down: offset(random), right: offset(random) });
    }
  }

  function draw(size: number, random: Random): Minibatch {
    const { views, y, batch } = emptyBatch(size);
    for (let row = 0; row < size; row++) {
      const index = random.integer(labels.length);
      y[row] = labels[index]!;
      write(imageOf(images, index), views, row, options.augment ? random : undefined);
    }
    return batch;
  }

  function heldOut(): HeldOut {
    const whole = test();
    return {
      count: whole.labels.length,
      take(start, size) {
        const { views, y, batch } = emptyBatch(size);
        for (let row = 0; row < size; row++) {
          y[row] = whole.labels[start + row]!;
          write(imageOf(whole.images, start + row), views, row);
        }
        return batch;
      },
    };
  }

  const view = { height: cifar10Side, width: cifar10Side, channels: 3 };
  const what = isSplit
    ? `its frequencies up to ${options.radius} a side and the rest, cast to uint8 by ${options.cast}`
    : `twice${options.augment ? ", in training each shifted by up to 4 pixels on its own" : ""}`;
  return {
    description: {
      name: "cifar10",
      summary: `one of ${labels.length.toLocaleString("en-US")} CIFAR-10 training images, ${what}, and its class; tested on the test file`,
      views: [
        { name: "x1", ...view },
        { name: "x2", ...view },
      ],
      factors: [{ name: "label", size: cifar10Classes.length, role: "common" }],
      provenance,
    },
    draw,
    heldOut,
  };
}

type Views = readonly [Uint8Array, Uint8Array];

function emptyBatch(size: number): { views: Views; y: Int32Array; batch: Minibatch } {
  const shape = [size, cifar10Side, cifar10Side, 3];
  const views = [new Uint8Array(size * cifar10ImageBytes), new Uint8Array(size * cifar10ImageBytes)] as const;
  const y = new Int32Array(size);
  const tensors: Record<string, HostTensor> = {
    x1: { dtype: "uint8", shape, data: views[0] },
    x2: { dtype: "uint8", shape, data: views[1] },
    y: { dtype: "int32", shape: [size], data: y },
  };
  return { views, y, batch: { tensors, labels: [{ label: y }, { label: y }] } };
}

function imageOf(images: Uint8Array, index: number): Uint8Array {
  return images.subarray(index * cifar10ImageBytes, (index + 1) * cifar10ImageBytes);
}

/** -4 .. 4: where the cut-out begins relative to the image. */
function offset(random: Random): number {
  return random.integer(2 * borderPixels + 1) - borderPixels;
}

/** The image moved, the border's colour where nothing was. */
function shift(image: Uint8Array, into: Uint8Array, { down, right }: { down: number; right: number }): void {
  for (let row = 0; row < cifar10Side; row++) {
    for (let column = 0; column < cifar10Side; column++) {
      const at = 3 * (row * cifar10Side + column);
      const [y, x] = [row + down, column + right];
      const isInside = y >= 0 && y < cifar10Side && x >= 0 && x < cifar10Side;
      for (let channel = 0; channel < 3; channel++) {
        into[at + channel] = isInside ? image[3 * (y * cifar10Side + x) + channel]! : border[channel]!;
      }
    }
  }
}
