import { expect, test } from "vitest";
import { FailureError } from "../../../schemas/errors.ts";
import { pairAddOneDigits } from "../../../train/data/add-one-digits.ts";
import { labelledDigits, openLabelledDigits, turnedDigits } from "../../../train/data/labelled-digits.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";
import { testData } from "../../files/test-data.ts";

/** 60 made digits: digit i is of class i mod 10, of which 0 to 4 have another one each, and is of grey level i + 1. */
const labels = Uint8Array.from({ length: 65 }, (_, i) => (i < 60 ? i % 10 : i - 60));
const images = Uint8Array.from({ length: 65 * 784 }, (_, i) => 1 + Math.floor(i / 784));
const made = (perClass: number) =>
  pairAddOneDigits({ images, labels }, { split: "train", perClass, provenance: { made: "here" } });
const digitAt = (data: ArrayLike<number | bigint>, row: number): number => Number(data[row * 1024 + 16 * 32 + 16]) - 1;

/** Both digits of every pair that occurs in a long draw. */
function pairsOf(source: ReturnType<typeof made>): Set<string> {
  const { tensors } = source.draw(1500, stream(1, "pairs"));
  const one = (row: number): string => `${digitAt(tensors.view_1!.data, row)} ${digitAt(tensors.view_2!.data, row)}`;
  return new Set(Array.from({ length: 1500 }, (_, row) => one(row)));
}

test("view 2 is one more than view 1, and after 9 comes 0; both views bear the label of view 1", () => {
  const { tensors, labels: drawn } = made(6).draw(500, stream(2, "pairs"));
  for (let row = 0; row < 500; row++) {
    const [first, second] = [digitAt(tensors.view_1!.data, row), digitAt(tensors.view_2!.data, row)];
    expect(labels[first]).toBe(drawn[0].label![row]);
    expect(labels[second]).toBe((drawn[1].label![row]! + 1) % 10);
  }
  expect(new Set(drawn[0].label).size).toBe(10);
});

test("pairs are one-to-one, as many for a class as the smaller class has and `perClass` allows", () => {
  for (const [perClass, perDigit] of [
    [100, [7, 7, 7, 7, 6, 6, 6, 6, 6, 6]],
    [4, [4, 4, 4, 4, 4, 4, 4, 4, 4, 4]],
  ] as const) {
    const pairs = [...pairsOf(made(perClass))].map((pair) => pair.split(" ").map(Number));
    expect(new Set(pairs.map(([first]) => first)).size).toBe(pairs.length);
    expect(new Set(pairs.map(([, second]) => second)).size).toBe(pairs.length);
    perDigit.forEach((count, digit) => {
      expect(pairs.filter(([first]) => labels[first!] === digit)).toHaveLength(count);
    });
  }
});

test("the common information is the entropy of the class: log2 10 where classes are alike", () => {
  expect(made(5).description.commonInformationBits).toBeCloseTo(Math.log2(10), 12);
  const [seven, six] = [7 / 64, 6 / 64];
  const wanted = -4 * seven * Math.log2(seven) - 6 * six * Math.log2(six);
  expect(made(100).description.commonInformationBits).toBeCloseTo(wanted, 12);
});

test("a digit lies unchanged inside a black border of two pixels", () => {
  const row = made(6).draw(1, stream(3, "pairs")).tensors.view_1!.data as Uint8Array;
  const level = row[16 * 32 + 16]!;
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      expect(row[y * 32 + x]).toBe(Math.min(x, y) < 2 || Math.max(x, y) > 29 ? 0 : level);
    }
  }
});

test("a batch repeats from its address, and pairs are the same in every run", () => {
  expect(made(6).draw(20, stream(4, "p"))).toEqual(made(6).draw(20, stream(4, "p")));
  expect(pairsOf(made(6))).toEqual(pairsOf(made(6)));
});

test("digits without two classes that follow each other are refused", () => {
  const alone = { images: images.subarray(0, 784), labels: Uint8Array.of(3) };
  expect(() => pairAddOneDigits(alone, { split: "train", perClass: 5, provenance: {} })).toThrow(FailureError);
});

test("labelled digits come with their class", () => {
  const { tensors } = labelledDigits({ images, labels }, { split: "test", shift: 0, provenance: {} }).draw(
    200,
    stream(5, "p"),
  );
  expect([tensors.label!.dtype, tensors.label!.shape]).toEqual(["int32", [200]]);
  for (let row = 0; row < 200; row++) {
    expect(Number(tensors.label!.data[row])).toBe(labels[digitAt(tensors.view_1!.data, row)]);
  }
});

test("turned digits come with the bin of their angle, ten alike, and look as in rotated-digits", () => {
  const digits = { images, labels };
  const turned = turnedDigits(digits, { split: "test", provenance: {} });
  const { tensors, labels: drawn } = turned.draw(2000, stream(5, "turned"));
  const counts = new Array<number>(10).fill(0);
  for (const bin of tensors.label!.data) counts[Number(bin)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(150);
  expect(drawn[0].label).toEqual(tensors.label!.data);
  // A made digit is one grey square: its corners are black but near the middle of the range.
  const corner = (row: number): number => Number(tensors.view_1!.data[row * 1024]);
  for (let row = 0; row < 2000; row++) {
    const bin = Number(tensors.label!.data[row]);
    if (bin <= 2 || bin >= 7) expect(corner(row), `bin ${bin}`).toBe(0);
  }
  expect(turned.description.factors).toEqual([{ name: "label", size: 10, role: "common" }]);
});

test("a turned digit that is to be moved is refused", () => {
  const options = { source: "labelled-digits", split: "train", shift: 2, label: "rotation" } as const;
  expect(() => openLabelledDigits(options, undefined)).toThrow(
    "shift must be 0 where the label is the rotation, got 2",
  );
});

test("a moved digit lies whole within two pixels of the middle, in every place alike", () => {
  const moved = labelledDigits({ images, labels }, { split: "train", shift: 2, provenance: {} });
  const { data } = moved.draw(500, stream(6, "moved")).tensors.view_1!;
  const places = new Map<string, number>();
  for (let row = 0; row < 500; row++) {
    const image = data.subarray(row * 1024, (row + 1) * 1024);
    const first = image.findIndex((value) => Number(value) > 0);
    expect(image.filter((value) => Number(value) > 0)).toHaveLength(784);
    const place = `${first % 32} ${Math.floor(first / 32)}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  expect(places.size).toBe(25);
  expect(Math.max(...places.values())).toBeLessThan(45); // 20 expected
});

const mnist = testData("mnist");
test.skipIf(mnist.missing)(
  `real MNIST gives 50,000 balanced pairs, log2 10 bits of common information ${mnist.title}`,
  () => {
    const open = (split: string) =>
      openSource({ source: "add-one-digits", split }, { dataDir: mnist.folder }).description;
    expect(open("train").commonInformationBits).toBeCloseTo(3.321928, 6);
    expect(open("train").summary).toContain("50000 one-to-one pairs");
    // test digits 980 1135 1032 1010 982 892 958 1028 974 1009: the smaller of neighbours adds up to 9,674
    expect(open("test").summary).toContain("9674 one-to-one pairs");
  },
);
