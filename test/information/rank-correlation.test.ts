import { expect, test } from "vitest";
import { stream } from "../../information/random.ts";
import { rankCorrelation } from "../../information/rank-correlation.ts";

const draw = () => stream(0, "rank test").integer;

test("what always falls has rank correlation -1, however bent the curve", () => {
  const x = [1, 2, 3, 4, 5, 6, 7];
  const y = x.map((value) => Math.exp(-value));
  const { correlation, pValue } = rankCorrelation(x, y, { draw: draw() });
  expect(correlation).toBeCloseTo(-1, 12);
  // 2 of the 5,040 orders are as far from 0
  expect(pValue).toBeLessThan(0.003);
  expect(pValue).toBeGreaterThan(0);
});

test("ties share the mean of their ranks: scipy.stats.spearmanr gives 0.7632", () => {
  const { correlation } = rankCorrelation([1, 2, 2, 3, 4], [1, 1, 3, 2, 5], { draw: draw() });
  expect(correlation).toBeCloseTo(0.7632, 4);
});

test("three points cannot be told from chance, and unrelated values neither", () => {
  expect(rankCorrelation([1, 2, 3], [1, 2, 3], { draw: draw() }).pValue).toBeCloseTo(1 / 3, 1);
  const random = stream(3, "unrelated");
  const values = () => Array.from({ length: 40 }, () => random.uniform());
  expect(rankCorrelation(values(), values(), { draw: draw() }).pValue).toBeGreaterThan(0.05);
});

test("a constant side orders nothing: a stated zero", () => {
  expect(rankCorrelation([1, 2, 3], [5, 5, 5], { draw: draw() })).toEqual({ correlation: 0, pValue: 1 });
});

test("sides of different length, and fewer than two pairs, are refused", () => {
  expect(() => rankCorrelation([1, 2], [1], { draw: draw() })).toThrow(/as many x as y, at least 2, got 2 and 1/);
  expect(() => rankCorrelation([1], [1], { draw: draw() })).toThrow(RangeError);
});
