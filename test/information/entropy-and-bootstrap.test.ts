import { expect, test } from "vitest";
import { bootstrapInterval, bootstrapMean, middleOf } from "../../information/bootstrap.ts";
import { labelCounts, labelEntropy } from "../../information/label-entropy.ts";
import { joinColumns } from "../../information/matrix.ts";
import { stream } from "../../train/random.ts";

test("labelEntropy() is log2 K for equal counts, 0 for one label, and 1.5 bits for 1/2, 1/4, 1/4", () => {
  expect(labelEntropy(Int32Array.of(0, 1, 2, 3, 3, 2, 1, 0), 4)).toBe(2);
  expect(labelEntropy(Int32Array.of(2, 2, 2), 4)).toBe(0);
  expect(labelEntropy(Int32Array.of(0, 0, 1, 2), 3)).toBe(1.5);
  expect(() => labelEntropy(new Int32Array(0), 3)).toThrow("there must be at least one");
  expect(() => labelCounts(Int32Array.of(0, -1), 3)).toThrow("row 1 must be 0 .. 2, got -1");
});

test("bootstrapMean() covers the true mean of normal data about as often as it says, and repeats with its seed", () => {
  const data = stream(1, "data");
  let covered = 0;
  const trials = 200;
  for (let trial = 0; trial < trials; trial++) {
    const values = Float64Array.from({ length: 100 }, () => 5 + data.normal());
    const { integer } = stream(1, "resamples", trial);
    const [low, high] = bootstrapMean(values, { draw: integer, resamples: 200, level: 0.9 });
    if (low <= 5 && 5 <= high) covered++;
  }
  expect(covered / trials).toBeGreaterThan(0.83);
  expect(covered / trials).toBeLessThan(0.96);
  const values = Float64Array.from({ length: 50 }, () => data.normal());
  const once = () => bootstrapMean(values, { draw: stream(1, "again").integer });
  expect(once()).toEqual(once());
});

test("bootstrapMean() of constant values is that value and its width is 2 x 1.96 standard errors for many", () => {
  expect(bootstrapMean(new Float64Array(10).fill(3), { draw: stream(1, "c").integer })).toEqual([3, 3]);
  const data = stream(2, "data");
  const values = Float64Array.from({ length: 2000 }, () => data.normal());
  const [low, high] = bootstrapMean(values, { draw: stream(2, "resamples").integer });
  expect((high - low) / ((2 * 1.96) / Math.sqrt(2000))).toBeCloseTo(1, 0);
  expect(() => bootstrapMean(new Float64Array(0), { draw: () => 0 })).toThrow("at least one value");
});

test("joinColumns() keeps rows together and refuses unequal ones", () => {
  const a = { rows: 2, columns: 1, values: Float64Array.of(1, 2) };
  const b = { rows: 2, columns: 2, values: Float64Array.of(10, 11, 20, 21) };
  expect(joinColumns([a, b])).toEqual({ rows: 2, columns: 3, values: Float64Array.of(1, 10, 11, 2, 20, 21) });
  expect(() => joinColumns([a, { ...b, rows: 1 }])).toThrow("every part must have 2 rows, got 1");
});

test("an interval of figures that are infinite is infinite, never NaN", () => {
  const none = Number.NEGATIVE_INFINITY;
  expect(middleOf([none, none, none, none])).toEqual([none, none]);
  expect(middleOf([...new Array<number>(50).fill(none), ...new Array<number>(50).fill(1)])).toEqual([none, 1]);
});

test("a bootstrap refuses levels in percent, no resamples and values that are not numbers", () => {
  const draw = stream(1, "refused").integer;
  const values = Float64Array.of(1, 2);
  for (const level of [95, 2, 1, 0, -0.5, Number.NaN]) {
    const wanted = `Cannot bootstrap: "level" must be between 0 and 1, such as 0.95, got ${level}`;
    expect(() => bootstrapMean(values, { draw, level })).toThrow(new RangeError(wanted));
  }
  for (const resamples of [0, -1, 1.5, Number.NaN]) {
    const wanted = `Cannot bootstrap: "resamples" must be a whole number of at least 1, got ${resamples}`;
    expect(() => bootstrapMean(values, { draw, resamples })).toThrow(new RangeError(wanted));
  }
  const [nan, infinite] = [Float64Array.of(1, Number.NaN), Float64Array.of(Number.POSITIVE_INFINITY)];
  expect(() => bootstrapMean(nan, { draw })).toThrow("Cannot bootstrap a mean: value 1 must be finite, got NaN");
  expect(() => bootstrapMean(infinite, { draw })).toThrow("value 0 must be finite, got Infinity");
  expect(() => bootstrapInterval(0, () => 0, { draw })).toThrow('"rows" must be a whole number of at least 1, got 0');
  expect(() => bootstrapInterval(2, () => Number.NaN, { draw })).toThrow("the statistic must be a number, got NaN");
});
