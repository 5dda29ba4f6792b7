import { expect, test } from "vitest";
import { drawNoise } from "../../../train/engine/noise.ts";
import type { NoiseSpec } from "../../../train/models/family.ts";

const n = 20_000;

function draw(distribution: NoiseSpec["distribution"], address = { seed: 1, name: "z", step: 1 }): Float32Array {
  return drawNoise({ shape: [n / 2, 2], distribution }, address).data as Float32Array;
}

function moments(data: Float32Array): { mean: number; variance: number } {
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  return { mean, variance: data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length };
}

// Each bound is about five standard errors of the moment at this n; the draw is seeded.
test("normal noise has mean 0 and variance 1", () => {
  const { mean, variance } = moments(draw("normal"));
  expect(Math.abs(mean)).toBeLessThan(0.035);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

test("uniform noise lies in [0, 1) with mean 1/2 and variance 1/12", () => {
  const data = draw("uniform");
  const { mean, variance } = moments(data);
  expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...data)).toBeLessThan(1);
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.011);
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
});

test("Gumbel noise has mean 0.5772 (Euler's constant) and variance pi^2 / 6", () => {
  const { mean, variance } = moments(draw("gumbel"));
  expect(Math.abs(mean - 0.57722)).toBeLessThan(0.046);
  expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(0.13);
});

test("the same address gives the same noise; another seed, name or step gives other noise", () => {
  const first = draw("normal");
  expect(draw("normal")).toEqual(first);
  expect(draw("normal", { seed: 2, name: "z", step: 1 })).not.toEqual(first);
  expect(draw("normal", { seed: 1, name: "u", step: 1 })).not.toEqual(first);
  expect(draw("normal", { seed: 1, name: "z", step: 2 })).not.toEqual(first);
});

test("a shape without dimensions is one number", () => {
  const coin = drawNoise({ shape: [], distribution: "uniform" }, { seed: 1, name: "coin", step: 1 });
  expect(coin.shape).toEqual([]);
  expect(coin.data).toHaveLength(1);
});

test("permutation noise has every number of a row once, in an order of its own", () => {
  const spec: NoiseSpec = { shape: [50, 8], distribution: "permutation" };
  const data = drawNoise(spec, { seed: 1, name: "orders", step: 1 }).data as Float32Array;
  const rows = Array.from({ length: 50 }, (_, i) => Array.from(data.slice(8 * i, 8 * i + 8)));
  for (const row of rows) expect([...row].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(rows.map(String)).size).toBe(50);
  // Each place has each number with chance 1/8: 50 rows, within five standard errors.
  for (let place = 0; place < 8; place++) {
    const zeros = rows.filter((row) => row[place] === 0).length;
    expect(Math.abs(zeros - 50 / 8)).toBeLessThan(5 * Math.sqrt((50 * 7) / 64));
  }
});
