import { expect, test } from "vitest";
import { type GaussianRows, gaussianDisagreement, gaussianRate } from "../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../information/units.ts";
import { stream } from "../../train/random.ts";

function gaussians(mean: number[][], variance: number[][]): GaussianRows {
  const matrix = (rows: number[][]) => ({
    rows: rows.length,
    columns: rows[0]!.length,
    values: Float64Array.from(rows.flat()),
  });
  return { mean: matrix(mean), logvar: matrix(variance.map((row) => row.map(Math.log))) };
}

test("gaussianRate() is 0 at the prior and 2 - ln 2 nats for mean [1, 0], variance [1, 4]", () => {
  const rates = gaussianRate(
    gaussians(
      [
        [0, 0],
        [1, 0],
      ],
      [
        [1, 1],
        [1, 4],
      ],
    ),
  );
  expect(rates[0]).toBe(0);
  expect(rates[1]).toBeCloseTo(2 - Math.LN2, 12);
});

test("gaussianRate() against a prior is the rate of the shifted and scaled code against the standard normal", () => {
  const q = gaussians([[1.5, -2]], [[0.3, 2]]);
  const prior = { mean: [0.5, 1], logvar: [Math.log(4), Math.log(0.25)] };
  const moved = gaussians([[(1.5 - 0.5) / 2, (-2 - 1) / 0.5]], [[0.3 / 4, 2 / 0.25]]);
  expect(gaussianRate(q, prior)[0]).toBeCloseTo(gaussianRate(moved)[0]!, 12);
});

test("the mean rate of a Gaussian channel under its own marginal is its capacity formula", () => {
  // x ~ N(0, 3), code = x + N(0, 1): I = 1/2 ln(1 + 3) = ln 2 nats = 1 bit; marginal N(0, 4).
  const random = stream(4, "channel");
  const means = Array.from({ length: 200_000 }, () => [Math.sqrt(3) * random.normal()]);
  const rates = gaussianRate(
    gaussians(
      means,
      means.map(() => [1]),
    ),
    { mean: [0], logvar: [Math.log(4)] },
  );
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  expect(mean * bitsPerNat).toBeCloseTo(1, 2);
});

test("gaussianDisagreement() is 0 for equal posteriors, one-sided for unequal ones, and never negative", () => {
  const q = gaussians([[0], [1], [0]], [[1], [2], [1]]);
  const p = gaussians([[0], [1], [1]], [[1], [2], [4]]);
  const forth = gaussianDisagreement(q, p);
  const back = gaussianDisagreement(p, q);
  expect([...forth.subarray(0, 2)]).toEqual([0, 0]);
  // KL( N(0,1) || N(1,4) ) = ln 2 + 2/8 - 1/2 and the other way round -ln 2 + 5/2 - 1/2
  expect(forth[2]).toBeCloseTo(Math.LN2 - 0.25, 12);
  expect(back[2]).toBeCloseTo(2 - Math.LN2, 12);
});

test("a prior that has not one finite moment for each dimension is refused by name", () => {
  const q = gaussians([[0, 0]], [[1, 1]]);
  expect(() => gaussianRate(q, { mean: [2], logvar: [0, 0] })).toThrow(
    'Cannot measure a rate: "prior.mean" must have 2 entries, got 1',
  );
  expect(() => gaussianRate(q, { mean: [0, 0], logvar: [0, 0, 0] })).toThrow(
    '"prior.logvar" must have 2 entries, got 3',
  );
  expect(() => gaussianRate(q, { mean: [0, Number.NaN], logvar: [0, 0] })).toThrow("prior.mean");
});

test("moments of different shapes are refused by name", () => {
  const q = gaussians([[0, 0]], [[1, 1]]);
  expect(() => gaussianRate({ mean: q.mean, logvar: gaussians([[0]], [[1]]).logvar })).toThrow(
    'Cannot measure a rate: "q.logvar" must be 1 x 2, got 1 x 1',
  );
  expect(() => gaussianDisagreement(q, gaussians([[0], [0]], [[1], [1]]))).toThrow(
    'Cannot measure a disagreement: "second" must be 1 x 2, got 2 x 1',
  );
});
