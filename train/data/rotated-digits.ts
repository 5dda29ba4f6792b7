import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readIdx } from "../../files/idx.ts";
import type { RotatedDigitsOptions } from "../../schemas/data.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { Random } from "../random.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";
import { createRotator } from "./rotate.ts";

const ACTION = `open data source "rotated-digits"`;
const SOURCE_SIDE = 28;
const SIDE = 32;
const MAX_DEGREES = 45;
const CLASSES = 10;
const ROTATION_BINS = 10;

/** Raise when an image changes: results name it. */
const ROTATION = "cominfo-rotate-1: bilinear at 28x28, then bilinear to 32x32";

/** Digits in memory: the form that `pairRotatedDigits` draws from. */
export interface Digits {
  /** [count, 28, 28], row-major. */
  readonly images: Uint8Array;
  /** [count], 0 .. 9. */
  readonly labels: Uint8Array;
}

/**
 * Rotated MNIST of the GK-VAE paper: two views show digits of one class, each turned by its own angle.
 *
 * @param dataDir folder with the MNIST files of the split, gzip or plain
 * @throws UsageError if the folder or a file is missing; FailureError if a file is damaged
 */
export function openRotatedDigits({ split }: RotatedDigitsOptions, dataDir: string | undefined): PairSource {
  const prefix = split === "train" ? "train" : "t10k";
  const names = [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`] as const;
  const [imageFile, labelFile] = [findFile(names[0], names, dataDir), findFile(names[1], names, dataDir)];
  const images = readIdx(imageFile);
  const labels = readIdx(labelFile);
  const [count, height, width] = images.shape;
  if (images.dtype !== "uint8" || images.shape.length !== 3 || height !== SOURCE_SIDE || width !== SOURCE_SIDE) {
    throw bad(`"${imageFile}" must hold uint8 [count, 28, 28], got ${images.dtype} [${images.shape.join(", ")}]`);
  }
  if (labels.dtype !== "uint8" || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw bad(`"${labelFile}" must hold uint8 [${count}], got ${labels.dtype} [${labels.shape.join(", ")}]`);
  }
  const provenance = Object.fromEntries([imageFile, labelFile].map((file) => [basename(file), sha256(file)]));
  return pairRotatedDigits(
    { images: images.data as Uint8Array, labels: labels.data as Uint8Array },
    { split, provenance: { ...provenance, rotation: ROTATION } },
  );
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
  const members = groupByClass(labels);
  const rotate = createRotator(SOURCE_SIDE, SIDE);
  const pixels = SOURCE_SIDE * SOURCE_SIDE;

  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * SIDE * SIDE), new Uint8Array(size * SIDE * SIDE)] as const;
    const label = new Int32Array(size);
    const rotations = [new Int32Array(size), new Int32Array(size)] as const;
    for (let row = 0; row < size; row++) {
      const first = random.integer(labels.length);
      label[row] = labels[first]!;
      const peers = members[labels[first]!]!;
      for (const [view, digit] of [first, peers[random.integer(peers.length)]!].entries()) {
        const share = random.uniform(); // of the whole range, so its bin is exact
        rotations[view]![row] = Math.floor(share * ROTATION_BINS);
        const image = images.subarray(digit * pixels, (digit + 1) * pixels);
        rotate(image, (2 * share - 1) * MAX_DEGREES, views[view]!, row * SIDE * SIDE);
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
        { name: "label", size: CLASSES, role: "common" },
        { name: "rotation", size: ROTATION_BINS, role: "unique" },
      ],
      commonInformationBits: entropyBits(members.map((digits) => digits.length)),
      provenance,
    },
    draw,
  };
}

/** Indices of the digits of each class. */
function groupByClass(labels: Uint8Array): Int32Array[] {
  const groups: number[][] = Array.from({ length: CLASSES }, () => []);
  for (const [index, label] of labels.entries()) {
    const group = groups[label];
    if (group === undefined) throw bad(`label ${index} must be 0 to ${CLASSES - 1}, got ${label}`);
    group.push(index);
  }
  if (labels.length === 0) throw bad("the files must hold at least one digit, got 0");
  return groups.map((group) => Int32Array.from(group));
}

/** Entropy in bits of the distribution with these counts. */
function entropyBits(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0);
}

function findFile(name: string, wanted: readonly string[], dataDir: string | undefined): string {
  const needs = `it needs ${wanted.map((file) => `${file}.gz`).join(" and ")}`;
  const remedy = "`cominfo data mnist --out DIR` gets them, then use `--data DIR`";
  if (dataDir === undefined) {
    throw new UsageError(`Cannot ${ACTION}: ${needs}, got no data folder: ${remedy}`, { code: "no_data" });
  }
  const spellings = [`${name}.gz`, name, name.replace("-idx", ".idx")];
  const found = spellings.map((spelling) => join(dataDir, spelling)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  const where = existsSync(dataDir) ? `no ${name}.gz in "${dataDir}"` : `no folder "${dataDir}"`;
  throw new UsageError(`Cannot ${ACTION}: ${needs}, got ${where}: ${remedy}`, { code: "no_data" });
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function bad(what: string): FailureError {
  return new FailureError(`Cannot ${ACTION}: ${what}: fetch the files again with \`cominfo data mnist --out DIR\``, {
    code: "bad_data",
  });
}
