import { expect, test } from "vitest";
import { FailureError } from "../../../schemas/errors.ts";
import { binaryImages, type ImageStore, plainImages } from "../../../train/data/image-store.ts";

const shape = { count: 23, height: 3, width: 5, channels: 1 } as const;
const images = Uint8Array.from({ length: 23 * 15 }, (_, i) => (i * 7 + (i >> 4)) % 251);

/** Adds the images in runs of these lengths. */
function filled(builder: ReturnType<typeof plainImages>, from: Uint8Array, runs: readonly number[]): ImageStore {
  let at = 0;
  for (const run of runs) {
    builder.add(from.subarray(at * 15, (at + run) * 15));
    at += run;
  }
  return builder.done();
}

function all(store: ImageStore): Uint8Array {
  const target = new Uint8Array(store.count * 15);
  for (let row = store.count - 1; row >= 0; row--) store.copy(row, target, row * 15);
  return target;
}

test.each([1, 15, 61, 150, 10_000])("plain images come out as they went in, in blocks of at most %d bytes", (block) => {
  for (const runs of [[23], [1, 2, 20], [10, 10, 3], [4, 4, 4, 4, 4, 3], [0, 23, 0]]) {
    expect(all(filled(plainImages(shape, "test", block), images, runs))).toEqual(images);
  }
});

test("binary images come out as 0 and 255, whatever the runs", () => {
  const bits = images.map((value) => value & 1);
  for (const runs of [[23], [1, 2, 20], [10, 10, 3]]) {
    expect(all(filled(binaryImages(shape, "test"), bits, runs))).toEqual(bits.map((value) => value * 255));
  }
});

test("too few images are an error", () => {
  expect(() => filled(plainImages(shape, "test"), images, [22])).toThrow(FailureError);
  expect(() => filled(binaryImages(shape, "test"), new Uint8Array(23 * 15), [10])).toThrow(
    "there must be 23 images, got 10",
  );
});
