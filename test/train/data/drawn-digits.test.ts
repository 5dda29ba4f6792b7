import { expect, test } from "vitest";
import { drawDigit } from "../../../train/data/drawn-digits.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";

const source = openSource({ source: "drawn-digits" });
const plain = { slant: 0, thickness: 1.5, height: 22, width: 14 };

function draw(digit: number, style = plain, name = "one"): Uint8Array {
  const target = new Uint8Array(1024);
  drawDigit(digit, style, stream(1, name), target);
  return target;
}

const ink = (image: Uint8Array): number => image.reduce((sum, value) => sum + value, 0);

test("log2 10 bits are common, and the styles are each view's own", () => {
  const { commonInformationBits, factors } = source.description;
  expect(commonInformationBits).toBeCloseTo(Math.log2(10), 12);
  expect(factors.map(({ name, role }) => `${name} ${role}`)).toEqual([
    "label common",
    "slant unique",
    "thickness unique",
    "height unique",
    "width unique",
  ]);
});

test("the ten digits differ by more than two drawings of one of them", () => {
  const off = (a: Uint8Array, b: Uint8Array): number => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0);
  for (let digit = 0; digit < 10; digit++) {
    const again = off(draw(digit), draw(digit, plain, "two"));
    for (let other = 0; other < digit; other++) expect(off(draw(digit), draw(other))).toBeGreaterThan(0.3 * again);
    expect(ink(draw(digit))).toBeGreaterThan(20 * 255);
  }
});

test("a thicker pen leaves more ink, a slanted digit leans", () => {
  expect(ink(draw(8, { ...plain, thickness: 2.2 }))).toBeGreaterThan(1.3 * ink(draw(8)));
  const lean = (slant: number): number => {
    const image = draw(1, { ...plain, slant });
    return image.reduce((sum, value, i) => sum + value * ((i % 32) - 15.5) * (Math.floor(i / 32) - 15.5), 0);
  };
  expect(lean(0.4)).toBeLessThan(lean(0));
  expect(lean(0)).toBeLessThan(lean(-0.4));
});

test("nothing is cut off: the border stays black", () => {
  const { tensors } = source.draw(300, stream(2, "border"));
  for (const { data } of Object.values(tensors)) {
    for (let row = 0; row < 300; row++) {
      for (let x = 0; x < 32; x++)
        expect(Number(data[row * 1024 + x]) + Number(data[row * 1024 + 31 * 32 + x])).toBe(0);
    }
  }
});

test("style labels are uniform and those of the two views independent; a batch repeats from its address", () => {
  const n = 1500;
  const { labels } = source.draw(n, stream(3, "styles"));
  const cells = new Array<number>(25).fill(0);
  for (let row = 0; row < n; row++) cells[labels[0].width![row]! * 5 + labels[1].width![row]!]! += 1;
  expect(cells.reduce((sum, count) => sum + (count - n / 25) ** 2 / (n / 25), 0)).toBeLessThan(51.2); // 0.1 %, 24
  expect(source.draw(5, stream(3, "styles")).tensors.view_2!.data).toEqual(
    source.draw(9, stream(3, "styles")).tensors.view_2!.data.subarray(0, 5 * 1024),
  );
});
