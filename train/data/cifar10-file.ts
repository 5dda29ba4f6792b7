import { readFileSync } from "node:fs";
import { FailureError } from "../../schemas/errors.ts";

export const cifar10Classes = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

export const cifar10Side = 32;
const planeBytes = cifar10Side ** 2;
export const cifar10ImageBytes = 3 * planeBytes;
const recordBytes = 1 + cifar10ImageBytes;

/** Images of one or more files in memory. */
export interface Cifar10 {
  /** [count, 32, 32, 3], row-major. */
  readonly images: Uint8Array;
  /** [count], 0 .. 9. */
  readonly labels: Uint8Array;
}

/**
 * Reads files of the binary version of CIFAR-10: records of 3,073 bytes, the label, then 1,024 red, green and blue
 * intensities each, row by row.
 *
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html
 *
 * @throws FailureError for a file that does not consist of whole records, or a label above 9
 */
export function readCifar10(files: readonly string[]): Cifar10 {
  const read = files.map((file) => {
    const bytes = readFileSync(file);
    if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
      throw bad(file, `it must consist of records of ${recordBytes} bytes, got ${bytes.length} bytes`);
    }
    return { file, bytes, count: bytes.length / recordBytes };
  });
  const total = read.reduce((sum, { count }) => sum + count, 0);
  const images = new Uint8Array(total * cifar10ImageBytes);
  const labels = new Uint8Array(total);
  let at = 0;
  for (const { file, bytes, count } of read) {
    for (let record = 0; record < count; record++, at++) {
      const start = record * recordBytes;
      const label = bytes[start]!;
      if (label >= cifar10Classes.length) throw bad(file, `the label of image ${record} must be 0 to 9, got ${label}`);
      labels[at] = label;
      interleave(bytes.subarray(start + 1, start + recordBytes), images, at * cifar10ImageBytes);
    }
  }
  return { images, labels };
}

/** Planes of red, green and blue to pixels of three. */
function interleave(planes: Uint8Array, into: Uint8Array, start: number): void {
  for (let pixel = 0; pixel < planeBytes; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      into[start + 3 * pixel + channel] = planes[channel * planeBytes + pixel]!;
    }
  }
}

function bad(file: string, what: string): FailureError {
  return new FailureError(`Cannot read "${file}" as CIFAR-10: ${what}`, { code: "bad_data" });
}
