import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readIdx } from "../../files/idx.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";

export const mnistSide = 28;
export const mnistClasses = 10;

/** Digits in memory. */
export interface Digits {
  /** [count, 28, 28], row-major. */
  readonly images: Uint8Array;
  /** [count], 0 .. 9. */
  readonly labels: Uint8Array;
}

export interface MnistFiles extends Digits {
  /** sha256 by file name. */
  readonly provenance: Readonly<Record<string, string>>;
}

export interface MnistPlace {
  readonly split: "train" | "test";
  /** Folder with the files of the split, gzip or plain. */
  readonly dataDir: string | undefined;
  /** Begins error messages, for instance `open data source "rotated-digits"`. */
  readonly action: string;
}

/**
 * Images and labels of one split of MNIST.
 *
 * @throws UsageError if the folder or a file is missing
 * @throws FailureError if a file is damaged, or labels do not match the images
 */
export function readMnist({ split, dataDir, action }: MnistPlace): MnistFiles {
  const prefix = split === "train" ? "train" : "t10k";
  const names = [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`] as const;
  const find = (name: string): string => findFile(name, { names, dataDir, action });
  const [imageFile, labelFile] = [find(names[0]), find(names[1])];
  const images = readIdx(imageFile);
  const labels = readIdx(labelFile);
  const [count, height, width] = images.shape;
  if (images.dtype !== "uint8" || images.shape.length !== 3 || height !== mnistSide || width !== mnistSide) {
    throw bad(
      action,
      `"${imageFile}" must hold uint8 [count, 28, 28], got ${images.dtype} [${images.shape.join(", ")}]`,
    );
  }
  if (labels.dtype !== "uint8" || labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw bad(action, `"${labelFile}" must hold uint8 [${count}], got ${labels.dtype} [${labels.shape.join(", ")}]`);
  }
  return {
    images: images.data as Uint8Array,
    labels: labels.data as Uint8Array,
    provenance: Object.fromEntries([imageFile, labelFile].map((file) => [basename(file), sha256(file)])),
  };
}

/** Indices of the digits of each class. @throws FailureError for a label above 9, or no digits at all */
export function digitsByClass(labels: Uint8Array, action: string): Int32Array[] {
  const groups: number[][] = Array.from({ length: mnistClasses }, () => []);
  for (const [index, label] of labels.entries()) {
    const group = groups[label];
    if (group === undefined) throw bad(action, `label ${index} must be 0 to ${mnistClasses - 1}, got ${label}`);
    group.push(index);
  }
  if (labels.length === 0) throw bad(action, "the files must hold at least one digit, got 0");
  return groups.map((group) => Int32Array.from(group));
}

/** Entropy in bits of the distribution with these counts. */
export function entropyOfCounts(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((bits, count) => (count === 0 ? bits : bits - (count / total) * Math.log2(count / total)), 0);
}

function findFile(
  name: string,
  { names, dataDir, action }: { names: readonly string[]; dataDir: string | undefined; action: string },
): string {
  const needs = `it needs ${names.map((file) => `${file}.gz`).join(" and ")}`;
  const remedy = "`cominfo data mnist --out DIR` gets them, then use `--data DIR`";
  if (dataDir === undefined) {
    throw new UsageError(`Cannot ${action}: ${needs}, got no data folder: ${remedy}`, { code: "no_data" });
  }
  const spellings = [`${name}.gz`, name, name.replace("-idx", ".idx")];
  const found = spellings.map((spelling) => join(dataDir, spelling)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  const where = existsSync(dataDir) ? `no ${name}.gz in "${dataDir}"` : `no folder "${dataDir}"`;
  throw new UsageError(`Cannot ${action}: ${needs}, got ${where}: ${remedy}`, { code: "no_data" });
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}: fetch the files again with \`cominfo data mnist --out DIR\``, {
    code: "bad_data",
  });
}
