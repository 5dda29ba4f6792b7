import { expect, test } from "vitest";
import { stream } from "../../information/random.ts";

const take = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);

// Reference: xoroshiro128+ (24, 16, 37) of Blackman & Vigna 2018 with the state from sha256, written out in Python.
test("the first values of a stream never change: stored runs depend on them", () => {
  const random = () => stream(7, "noise", 0);
  const integers = random();
  expect(take(4, random().uint32)).toEqual([57230964, 1718937905, 2777244608, 1349154246]);
  expect(take(2, random().uniform)).toEqual([0.01332512051032042, 0.6466276520052884]);
  expect(take(2, random().normal)).toEqual([0.5180420431295993, -0.5847647010957859]);
  expect(take(6, () => integers.integer(10))).toEqual([4, 5, 8, 6, 1, 3]);
  expect([...random().permutation(8)]).toEqual([3, 0, 5, 7, 1, 2, 6, 4]);
});

test("the same address gives the same stream, whatever was drawn elsewhere in between", () => {
  const first = stream(1, "data", 5);
  const before = take(10, first.uint32);
  take(1000, stream(1, "data", 4).uint32);
  expect(take(10, stream(1, "data", 5).uint32)).toEqual(before);
});

test("seed, name and step all change the stream, and names do not run into each other", () => {
  const addresses = [
    stream(1, "noise", 0),
    stream(2, "noise", 0),
    stream(1, "data", 0),
    stream(1, "noise", 1),
    stream(1, "noise", "0"),
    stream(1, "noise", 0, 0),
    stream(1, "noise0"),
    stream(1),
  ];
  expect(new Set(addresses.map((random) => take(3, random.uint32).join()))).toHaveProperty("size", addresses.length);
});

test("streams of neighbouring steps are uncorrelated", () => {
  const n = 20_000;
  const pairs = take(n, () => 0).map((_, step) => [stream(3, "a", step).uniform(), stream(3, "a", step + 1).uniform()]);
  const covariance = pairs.reduce((sum, [a, b]) => sum + (a! - 0.5) * (b! - 0.5), 0) / n;
  expect(Math.abs(covariance * 12)).toBeLessThan(4 / Math.sqrt(n)); // correlation, 4 standard errors
});

// 0.1 % point of chi-square with 9 degrees of freedom is 27.9, with 6 it is 22.5
test.each([
  [10, 27.9],
  [7, 22.5],
])("integer(%d) is uniform", (n, limit) => {
  const random = stream(11, "chi-square", n);
  const counts = new Array<number>(n).fill(0);
  const draws = 100_000;
  for (let i = 0; i < draws; i++) counts[random.integer(n)]! += 1;
  const chiSquare = counts.reduce((sum, count) => sum + (count - draws / n) ** 2 / (draws / n), 0);
  expect(chiSquare).toBeLessThan(limit);
});

test("integer() has no modulo bias: for n = 3/4 of 2^32, a remainder alone would double the lower third", () => {
  const n = 3 * 2 ** 30;
  const random = stream(12, "bias");
  const lower = take(30_000, () => random.integer(n)).filter((value) => value < n / 3).length;
  expect(Math.abs(lower / 30_000 - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 30_000));
});

test.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])("integer(%d) is refused", (n) => {
  expect(() => stream(1).integer(n)).toThrow("n must be a whole number from 1 to 2^32");
});

test("integer(2^32) and integer(1) are the ends of what is accepted", () => {
  expect(stream(1).integer(2 ** 32)).toBe(stream(1).uint32());
  expect(stream(1).integer(1)).toBe(0);
});

test("uniform() lies in [0, 1) with mean 1/2 and variance 1/12", () => {
  const n = 100_000;
  const values = take(n, stream(13, "uniform").uniform);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n;
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
});

test("normal() has the first four moments of a standard normal, and its successive values are uncorrelated", () => {
  const n = 200_000;
  const values = take(n, stream(14, "normal").normal);
  const moment = (k: number): number => values.reduce((sum, value) => sum + value ** k, 0) / n;
  const error = (variance: number): number => 4 * Math.sqrt(variance / n); // 4 standard errors
  expect(Math.abs(moment(1))).toBeLessThan(error(1));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(error(2));
  expect(Math.abs(moment(3))).toBeLessThan(error(15));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(error(96));
  const next = values.slice(1).reduce((sum, value, i) => sum + value * values[i]!, 0) / n;
  expect(Math.abs(next)).toBeLessThan(error(1));
});

test("permutation(n) holds every number once", () => {
  for (const n of [0, 1, 2, 7, 1000]) {
    const sorted = [...stream(15, n).permutation(n)].sort((a, b) => a - b);
    expect(sorted).toEqual(Array.from({ length: n }, (_, i) => i));
  }
});

test("permutation(4) takes each of the 24 orders equally often", () => {
  const random = stream(16, "orders");
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let i = 0; i < draws; i++) {
    const order = random.permutation(4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chiSquare).toBeLessThan(49.7); // 0.1 % point with 23 degrees of freedom
});
