import { expect, test } from "vitest";
import { barberAgakov } from "../../../information/bounds/barber-agakov.ts";
import { donskerVaradhan } from "../../../information/bounds/donsker-varadhan.ts";
import { gaussianCritic } from "../../../information/bounds/gaussian-critic.ts";
import { infoNce } from "../../../information/bounds/info-nce.ts";
import { interpolatedBound } from "../../../information/bounds/interpolated-bound.ts";
import { nwj, nwjOfLogRatios } from "../../../information/bounds/nwj.ts";
import type { Matrix } from "../../../information/matrix.ts";
import { stream } from "../../../train/random.ts";

/** Pairs of standard normals, every column correlated by `r`; their information is -columns/2 ln(1 - r^2) nats. */
function pairs(rows: number, columns: number, r: number, name: string): { x: Matrix; y: Matrix } {
  const random = stream(5, "pairs", name);
  const x = Float64Array.from({ length: rows * columns }, () => random.normal());
  const y = x.map((value) => r * value + Math.sqrt(1 - r * r) * random.normal());
  return { x: { rows, columns, values: x }, y: { rows, columns, values: y } };
}

function scoresOf(rows: number, columns: number, r: number, name: string): Matrix {
  const { x, y } = pairs(rows, columns, r, name);
  return gaussianCritic(x, y, r);
}

const information = (columns: number, r: number) => (-columns / 2) * Math.log(1 - r * r);

/** Every bound at its best critic, given the logarithm of the density ratio. */
const bounds = {
  donskerVaradhan: (ratio: Matrix) => donskerVaradhan(ratio),
  nwj: (ratio: Matrix) => nwjOfLogRatios(ratio),
  infoNce: (ratio: Matrix) => infoNce(ratio),
  "interpolated, alpha 0.01": (ratio: Matrix) => interpolatedBound(ratio, { alpha: 0.01 }),
  "interpolated, alpha 0.5": (ratio: Matrix) => interpolatedBound(ratio, { alpha: 0.5 }),
} as const;

test("with the best critic every bound finds -1/2 ln(1 - r^2) of a correlated Gaussian pair", () => {
  for (const r of [0, 0.5, -0.8]) {
    const ratio = scoresOf(800, 1, r, `known ${r}`);
    for (const [name, bound] of Object.entries(bounds)) {
      expect(Math.abs(bound(ratio).nats - information(1, r)), `${name} at ${r}`).toBeLessThan(0.08);
    }
  }
});

test("Barber-Agakov with the true conditional is the information, and with a wrong one less", () => {
  const r = 0.8;
  const { x, y } = pairs(20_000, 1, r, "conditional");
  const density = (at: number, mean: number, variance: number) =>
    -0.5 * (Math.log(2 * Math.PI * variance) + (at - mean) ** 2 / variance);
  const marginal = Float64Array.from(y.values, (value) => density(value, 0, 1));
  const using = (slope: number, variance: number) =>
    barberAgakov(
      Float64Array.from(y.values, (value, i) => density(value, slope * x.values[i]!, variance)),
      marginal,
    ).nats;
  expect(Math.abs(using(r, 1 - r * r) - information(1, r))).toBeLessThan(0.02);
  // E[ln q/p] = -1/2 ln v - ( (1 - r^2) + (r - s)^2 ) / (2 v) + 1/2
  expect(using(0.5, 0.5)).toBeCloseTo(-0.5 * Math.log(0.5) - (0.36 + 0.09) / 1 + 0.5, 1);
  expect(using(0.5, 0.5)).toBeLessThan(information(1, r));
});

test("averaged over batches, the lower bounds stay below the information for a poor critic too", () => {
  const r = 0.7;
  for (const wrong of [0.3, 0.7, 0.9]) {
    const sums: Record<string, number> = { nwj: 0, infoNce: 0, mixed: 0 };
    for (let batch = 0; batch < 40; batch++) {
      const { x, y } = pairs(60, 1, r, `poor ${batch}`);
      const ratio = gaussianCritic(x, y, wrong);
      sums.nwj! += bounds.nwj(ratio).nats / 40;
      sums.infoNce! += infoNce(ratio).nats / 40;
      sums.mixed! += interpolatedBound(ratio, { alpha: 0.3 }).nats / 40;
    }
    // 0.03: two standard errors of the mean over 2,400 pairs
    for (const [name, mean] of Object.entries(sums)) {
      expect(mean, `${name} with ${wrong}`).toBeLessThan(information(1, r) + 0.03);
    }
  }
});

test("InfoNCE never exceeds ln n, nor the interpolated bound 1 + ln((n - 1) / alpha), where there is more to find", () => {
  const ratio = scoresOf(32, 10, 0.99, "ceiling");
  expect(information(10, 0.99)).toBeGreaterThan(19);
  const nce = infoNce(ratio);
  expect(nce.ceilingNats).toBe(Math.log(32));
  expect(nce.nats).toBeLessThanOrEqual(nce.ceilingNats);
  expect(nce.nats).toBeGreaterThan(nce.ceilingNats - 1e-3);
  expect(nce.promise).toContain("ln 32");
  for (const alpha of [0.5, 0.01]) {
    const mixed = interpolatedBound(ratio, { alpha });
    expect(mixed.ceilingNats).toBeCloseTo(1 + Math.log(31 / alpha), 12);
    expect(mixed.nats).toBeLessThanOrEqual(mixed.ceilingNats);
    expect(mixed.nats).toBeGreaterThan(nce.nats);
  }
});

test("alpha 0 is NWJ against the baseline, and alpha 1 is InfoNCE with one pair left out", () => {
  const ratio = scoresOf(40, 2, 0.6, "ends");
  const logBaseline = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i));
  const shifted = ratio.values.map((value, at) => value - logBaseline[Math.floor(at / 40)]! + 1);
  expect(interpolatedBound(ratio, { alpha: 0, logBaseline }).nats).toBeCloseTo(
    nwj({ ...ratio, values: shifted }).nats,
    10,
  );

  let sum = 0;
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 40; j++) {
      if (i === j) continue;
      let others = 0;
      for (let k = 0; k < 40; k++) if (k !== j) others += Math.exp(ratio.values[i * 40 + k]!) / 39;
      sum += (ratio.values[i * 40 + i]! - Math.log(others)) / (40 * 39);
    }
  }
  expect(interpolatedBound(ratio, { alpha: 1, logBaseline }).nats).toBeCloseTo(sum, 10);
});

test("Donsker-Varadhan ignores a constant in the critic, InfoNCE one for each row, and NWJ pays for it", () => {
  const ratio = scoresOf(50, 1, 0.5, "constants");
  const plus = (by: (row: number) => number): Matrix => ({
    ...ratio,
    values: ratio.values.map((value, at) => value + by(Math.floor(at / 50))),
  });
  expect(donskerVaradhan(plus(() => 300)).nats).toBeCloseTo(donskerVaradhan(ratio).nats, 9);
  expect(infoNce(plus((row) => 40 * row - 900)).nats).toBeCloseTo(infoNce(ratio).nats, 9);
  const best = bounds.nwj(scoresOf(800, 1, 0.5, "known 0.5")).nats;
  expect(nwj(scoresOf(800, 1, 0.5, "known 0.5")).nats).toBeLessThan(best);
});

test("scores far apart neither overflow nor drown: a critic of 1,000 nats on the true pairs", () => {
  const rows = 10;
  const values = Float64Array.from({ length: 100 }, (_, at) => (at % 11 === 0 ? 1000 : -1000));
  const scores = { rows, columns: rows, values };
  expect(infoNce(scores).nats).toBeCloseTo(Math.log(10), 12);
  expect(interpolatedBound(scores, { alpha: 1 }).nats).toBeCloseTo(Math.log(9), 12);
  expect(donskerVaradhan(scores).nats).toBeCloseTo(2000, 9);
  expect(nwj(scores).nats).toBe(1000);
  // 36 nats: what is left of a row's sum beside the true pair is less than its rounding
  const near = { ...scores, values: values.map((value) => (value > 0 ? 36 : 0)) };
  expect(interpolatedBound(near, { alpha: 1 }).nats).toBeCloseTo(Math.log(9), 12);
});

test("bootstrap intervals hold the figure and, for the unbiased bound, mostly the information", () => {
  let held = 0;
  for (let trial = 0; trial < 20; trial++) {
    const ratio = scoresOf(300, 1, 0.6, `interval ${trial}`);
    const draw = stream(5, "bootstrap", trial).integer;
    const shifted = { ...ratio, values: ratio.values.map((value) => value + 1) };
    const { nats, interval } = nwj(shifted, { bootstrap: { draw, resamples: 200 } });
    expect(interval![0]).toBeLessThan(nats);
    expect(interval![1]).toBeGreaterThan(nats);
    if (interval![0] <= information(1, 0.6) && information(1, 0.6) <= interval![1]) held++;
  }
  expect(held).toBeGreaterThanOrEqual(16);
  const ratio = scoresOf(100, 1, 0.6, "interval DV");
  const found = donskerVaradhan(ratio, { bootstrap: { draw: stream(5, "dv").integer, resamples: 200 } });
  expect(found.interval![0]).toBeLessThan(found.nats);
  expect(found.interval![1]).toBeGreaterThan(found.nats);
  expect(infoNce(ratio).interval).toBeUndefined();
});

test("scores that are not square, not finite or too few, and an alpha out of range, are refused by name", () => {
  const wide = { rows: 2, columns: 3, values: new Float64Array(6) };
  for (const bound of Object.values(bounds)) {
    expect(() => bound(wide)).toThrow(
      'Cannot bound mutual information: "scores" must be square and at least 2 x 2, got 2 x 3',
    );
  }
  const two = { rows: 2, columns: 2, values: Float64Array.of(0, Number.NaN, 0, 0) };
  expect(() => infoNce(two)).toThrow('"scores" must be finite, got NaN in row 0, column 1');
  const four = { rows: 4, columns: 4, values: new Float64Array(16) };
  expect(() => interpolatedBound(four, { alpha: 1.5 })).toThrow('"alpha" must be 0 .. 1, got 1.5');
  expect(() => interpolatedBound(four, { alpha: 0.5, logBaseline: new Float64Array(3) })).toThrow(
    '"logBaseline" must hold 4 finite values, got 3',
  );
  expect(() => barberAgakov(Float64Array.of(0, 0), Float64Array.of(0))).toThrow(
    '"logMarginal" must hold 2 values, got 1',
  );
  expect(() => barberAgakov(Float64Array.of(0, 0), Float64Array.of(0, Number.NEGATIVE_INFINITY))).toThrow(
    "every pair must give a finite value, got Infinity in row 1",
  );
  const x = { rows: 2, columns: 1, values: new Float64Array(2) };
  expect(() => gaussianCritic(x, x, 1)).toThrow('"correlation" must be between -1 and 1, got 1');
});
