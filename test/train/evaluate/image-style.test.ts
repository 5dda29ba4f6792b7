import { expect, test } from "vitest";
import { correlation, inkOf, slantOf, totalVariance, withoutClassMeans } from "../../../train/evaluate/image-style.ts";

/** A line through an 8x8 image that moves `shift` to the right with every row; after 8 pixels of something else. */
function line(shift: number) {
  const data = new Float32Array(8 + 64);
  data.fill(9, 0, 8);
  for (let y = 0; y < 8; y++) data[8 + y * 8 + Math.round(3.5 + shift * (y - 3.5))] = 0.5;
  return { data, offset: 8, width: 8, height: 8 };
}

test("ink is the sum of an image's own pixels", () => {
  expect(inkOf(line(0))).toBeCloseTo(4, 6);
});

test("the slant of a line is its shift per row, either way, and 0 for an empty image", () => {
  expect(slantOf(line(0))).toBeCloseTo(0, 6);
  expect(slantOf(line(1))).toBeCloseTo(1, 6);
  expect(slantOf(line(-1))).toBeCloseTo(-1, 6);
  expect(slantOf({ data: new Uint8Array(64), offset: 0, width: 8, height: 8 })).toBe(0);
});

test("correlation is 1 and -1 along a line, and 0 where nothing varies", () => {
  expect(correlation([1, 2, 3], [10, 20, 30])).toBeCloseTo(1, 12);
  expect(correlation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
  expect(correlation([1, 2, 4], [5, 5, 5])).toBe(0);
});

test("without its class mean every class has mean 0", () => {
  expect([...withoutClassMeans([1, 3, 10, 20], [0, 0, 7, 7])]).toEqual([-1, 1, -5, 5]);
});

test("the total variance is the sum over pixels of the sample variance", () => {
  expect(totalVariance([0, 5, 2, 5, 4, 5], 3)).toBeCloseTo(4, 12); // pixels 0 2 4 and 5 5 5
});
