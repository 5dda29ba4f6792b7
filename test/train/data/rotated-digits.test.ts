import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { pairRotatedDigits } from "../../../train/data/rotated-digits.ts";
import { stream } from "../../../train/random.ts";
import { testData } from "../../files/test-data.ts";

const root = mkdtempSync(join(tmpdir(), "cominfo-digits-"));
afterAll(() => rmSync(root, { recursive: true }));

/** 40 made digits: digit i is of class i mod 4 and has its own grey level in every pixel. */
const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 4);
const images = Uint8Array.from({ length: 40 * 784 }, (_, i) => 10 + 5 * Math.floor(i / 784));
const source = pairRotatedDigits({ images, labels }, { split: "train", provenance: { made: "here" } });
/** The middle of a turned constant image keeps its grey level. */
const digitAt = (data: ArrayLike<number | bigint>, row: number): number =>
  (Number(data[row * 1024 + 16 * 32 + 16]) - 10) / 5;

function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = mkdtempSync(join(root, "set-"));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

const idx3 = (count: number, side: number, pixels: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side]), pixels]);
const idx1 = (values: Uint8Array): Buffer => Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, values.length]), values]);
const open = (dataDir: string, split = "train") => openSource({ source: "rotated-digits", split }, { dataDir });

test("both views show digits of the class that the labels say, each any digit of it", () => {
  const n = 4000;
  const { tensors, labels: drawn } = source.draw(n, stream(1, "digits"));
  const partners = new Set<string>();
  for (let row = 0; row < n; row++) {
    const [first, second] = [digitAt(tensors.view_1!.data, row), digitAt(tensors.view_2!.data, row)];
    expect([first % 4, second % 4]).toEqual([drawn[0].label![row], drawn[1].label![row]]);
    partners.add(`${first} ${second}`);
  }
  expect(partners.size).toBe(4 * 10 * 10); // every ordered pair within a class, a digit with itself too
});

test("views are uint8 [size, 32, 32, 1]", () => {
  const { tensors } = source.draw(3, stream(1, "digits"));
  expect(Object.keys(tensors)).toEqual(["view_1", "view_2"]);
  for (const view of Object.values(tensors)) {
    expect([view.dtype, view.shape, view.data.length]).toEqual(["uint8", [3, 32, 32, 1], 3 * 1024]);
  }
});

test("rotations are uniform over ten bins and independent between the views", () => {
  const n = 30_000;
  const drawn = source.draw(n, stream(2, "digits")).labels;
  const cells = new Array<number>(100).fill(0);
  for (let row = 0; row < n; row++) cells[drawn[0].rotation![row]! * 10 + drawn[1].rotation![row]!]! += 1;
  expect(cells.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0)).toBeLessThan(148.2); // 0.1 %, 99
});

test("the rotation label is the bin of the angle by which the image was turned", () => {
  const bar = new Uint8Array(784);
  for (let row = 4; row < 24; row++) bar.fill(255, row * 28 + 13, row * 28 + 15);
  const bars = pairRotatedDigits({ images: bar, labels: Uint8Array.of(1) }, { split: "train", provenance: {} });
  const { tensors, labels: drawn } = bars.draw(200, stream(3, "digits"));
  for (const [view, tensor] of [tensors.view_1!, tensors.view_2!].entries()) {
    for (let row = 0; row < 200; row++) {
      const degrees = tilt(tensor.data.subarray(row * 1024, (row + 1) * 1024) as Uint8Array);
      const bin = drawn[view]!.rotation![row]!;
      expect(degrees).toBeGreaterThan(9 * bin - 45 - 1);
      expect(degrees).toBeLessThan(9 * (bin + 1) - 45 + 1);
    }
  }
});

/** Angle of an upright bar from its second moments, counter-clockwise positive. */
function tilt(pixels: Uint8Array): number {
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, value] of pixels.entries()) {
    const [x, y] = [(i % 32) - 15.5, 15.5 - Math.floor(i / 32)];
    xy += value * x * y;
    xx += value * x * x;
    yy += value * y * y;
  }
  return (-0.5 * Math.atan2(2 * xy, yy - xx) * 180) / Math.PI;
}

test("a batch repeats from its address, and a smaller one is its beginning", () => {
  const large = source.draw(20, stream(4, "digits", 9));
  const small = source.draw(5, stream(4, "digits", 9));
  expect(source.draw(20, stream(4, "digits", 9))).toEqual(large);
  expect(small.tensors.view_2!.data).toEqual(large.tensors.view_2!.data.subarray(0, 5 * 1024));
  expect(small.labels[1].rotation).toEqual(large.labels[1].rotation!.slice(0, 5));
});

test("the common information is the entropy of the class: 2 bits for four classes alike, less for a biased set", () => {
  expect(source.description.commonInformationBits).toBeCloseTo(2, 12);
  const biased = pairRotatedDigits(
    { images: new Uint8Array(4 * 784), labels: Uint8Array.of(7, 7, 7, 2) },
    { split: "train", provenance: {} },
  );
  expect(biased.description.commonInformationBits).toBeCloseTo(0.811278, 6); // H(1/4)
});

test("the files may be gzip or plain, and the split chooses them", () => {
  const [train, test10k] = [idx3(40, 28, images), idx3(2, 28, images.subarray(0, 2 * 784))];
  const folder = folderWith({
    "train-images-idx3-ubyte.gz": gzipSync(train),
    "train-labels-idx1-ubyte": idx1(labels),
    "t10k-images.idx3-ubyte": test10k,
    "t10k-labels-idx1-ubyte.gz": gzipSync(idx1(Uint8Array.of(3, 3))),
  });
  expect(open(folder).draw(9, stream(1, "digits"))).toEqual(source.draw(9, stream(1, "digits")));
  expect(Object.keys(open(folder).description.provenance)).toEqual([
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte",
    "rotation",
  ]);
  expect(new Set(open(folder, "test").draw(9, stream(1, "digits")).labels[0].label)).toEqual(new Set([3]));
});

test("missing files are named, with where they were looked for and how to get them", () => {
  const folder = folderWith({ "train-images-idx3-ubyte.gz": gzipSync(idx3(40, 28, images)) });
  expect(() => open(folder)).toThrow(UsageError);
  expect(() => open(folder)).toThrow(
    `it needs train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz, got no train-labels-idx1-ubyte.gz in "${folder}": \`cominfo data mnist --out DIR\` gets them`,
  );
  expect(() => open(folder, "test")).toThrow("t10k-images-idx3-ubyte.gz");
  expect(() => open(join(folder, "none"))).toThrow(`got no folder "${join(folder, "none")}"`);
  expect(() => openSource({ source: "rotated-digits" })).toThrow("got no data folder");
});

test.each([
  ["images of another size", idx3(2, 20, new Uint8Array(800)), Uint8Array.of(1, 2), "must hold uint8 [count, 28, 28]"],
  ["more labels than images", idx3(2, 28, images.subarray(0, 1568)), Uint8Array.of(1, 2, 3), "must hold uint8 [2]"],
  ["a label above 9", idx3(2, 28, images.subarray(0, 1568)), Uint8Array.of(1, 10), "label 1 must be 0 to 9, got 10"],
  ["no digits", idx3(0, 28, new Uint8Array(0)), new Uint8Array(0), "at least one digit, got 0"],
])("%s are refused", (_, imageFile, labelValues, message) => {
  const folder = folderWith({ "train-images-idx3-ubyte": imageFile, "train-labels-idx1-ubyte": idx1(labelValues) });
  expect(() => open(folder)).toThrow(FailureError);
  expect(() => open(folder)).toThrow(message);
});

const mnist = testData("mnist");
test.skipIf(mnist.missing)(`real MNIST opens with the published file sums and class entropy ${mnist.title}`, () => {
  const { description } = open(mnist.folder);
  // class counts 5923 6742 5958 6131 5842 5421 5918 6265 5851 5949 of 60,000
  expect(description.commonInformationBits).toBeCloseTo(3.319871, 6);
  expect(description.provenance["train-labels-idx1-ubyte.gz"]).toBe(
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
  );
});
