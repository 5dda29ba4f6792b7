import { expect, test } from "vitest";
import { median } from "../../information/median.ts";

test("the median is the middle value, or the mean of the two in the middle, whatever the order", () => {
  expect(median([3])).toBe(3);
  expect(median([5, 1, 100])).toBe(5);
  expect(median([10, 4, 2, 1])).toBe(3);
  expect(() => median([])).toThrow(RangeError);
});
