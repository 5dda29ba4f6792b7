import { expect, test } from "vitest";
import { categoricalDisagreement, categoricalDistance } from "../../information/categorical-disagreement.ts";
import { categoricalAggregateRate, categoricalRate } from "../../information/categorical-rate.ts";
import { gaussianAggregateRate } from "../../information/gaussian-aggregate-rate.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { drawGaussian } from "../../information/gaussian-sample.ts";
import { gaussianTotalCorrelation } from "../../information/gaussian-total-correlation.ts";
import type { Matrix } from "../../information/matrix.ts";
import { stream } from "../../train/random.ts";

function matrix(rows: number[][]): Matrix {
  return { rows: rows.length, columns: rows[0]!.length, values: Float64Array.from(rows.flat()) };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Encoder whose aggregate posterior is normal with unit variances and correlation `r` between its two dimensions:
 * means of covariance [1, r; r, 1] - noise, posteriors of variance `noise`.
 */
function correlatedEncoder(rows: number, r: number, noise: number, name: string): { q: GaussianRows; codes: Matrix } {
  const random = stream(6, "encoder", name);
  const spread = Math.sqrt(1 - noise);
  const inner = r / (1 - noise);
  const mean = new Float64Array(2 * rows);
  for (let i = 0; i < rows; i++) {
    const first = random.normal();
    mean[2 * i] = spread * first;
    mean[2 * i + 1] = spread * (inner * first + Math.sqrt(1 - inner * inner) * random.normal());
  }
  const logvar = new Float64Array(2 * rows).fill(Math.log(noise));
  const q = { mean: { rows, columns: 2, values: mean }, logvar: { rows, columns: 2, values: logvar } };
  return { q, codes: drawGaussian(q, random.normal) };
}

test("categoricalRate() is ln K for certain rows, 0 for uniform ones, and the KL divergence to any other prior", () => {
  const q = matrix([
    [1, 0, 0, 0],
    [0.25, 0.25, 0.25, 0.25],
    [0.5, 0.5, 0, 0],
  ]);
  const rates = categoricalRate(q);
  expect(rates[0]).toBeCloseTo(Math.log(4), 12);
  expect(rates[1]).toBeCloseTo(0, 12);
  expect(rates[2]).toBeCloseTo(Math.LN2, 12);
  expect(categoricalRate(q, [0.5, 0.25, 0.125, 0.125])[2]).toBeCloseTo(0.5 * Math.log(1) + 0.5 * Math.log(2), 12);
});

test("the aggregate rate of a categorical code is the mutual information of row and code", () => {
  // A binary symmetric channel with flips of 0.11 and equal inputs: 1 - h(0.11) bits
  const flip = 0.11;
  const rates = categoricalAggregateRate(
    matrix([
      [1 - flip, flip],
      [flip, 1 - flip],
    ]),
  );
  const bits = 1 + flip * Math.log2(flip) + (1 - flip) * Math.log2(1 - flip);
  expect(meanOf(rates) / Math.LN2).toBeCloseTo(bits, 12);
});

test("the mean rate against a prior is the aggregate rate plus the divergence of average and prior", () => {
  const random = stream(6, "categorical");
  const rows = Array.from({ length: 50 }, () => {
    const weights = Array.from({ length: 5 }, () => Math.exp(random.normal()));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
  const average = rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / 50);
  const prior = [0.1, 0.1, 0.2, 0.2, 0.4];
  const whole = meanOf(categoricalRate(matrix(rows), prior));
  const parts = meanOf(categoricalAggregateRate(matrix(rows))) + categoricalRate(matrix([average]), prior)[0]!;
  expect(whole).toBeCloseTo(parts, 12);
});

test("encoders that agree are at distance 0, and opposite certain ones at 2; the divergence is known for a coin", () => {
  const same = matrix([[0.2, 0.8]]);
  expect([...categoricalDistance(same, same), ...categoricalDisagreement(same, same)]).toEqual([0, 0]);
  expect(categoricalDistance(matrix([[1, 0]]), matrix([[0, 1]]))[0]).toBe(2);
  const divergence = categoricalDisagreement(matrix([[0.5, 0.5]]), matrix([[0.25, 0.75]]))[0];
  expect(divergence).toBeCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 12);
});

test("the aggregate rate of a Gaussian channel is bracketed by the estimates, close to its capacity formula", () => {
  // Mean N(0, 0.75), noise 0.25, one dimension of two equal ones: I = -1/2 ln 0.25 = ln 2 nats each, if independent
  const { q, codes } = correlatedEncoder(1500, 0, 0.25, "bracket");
  const { lower, upper } = gaussianAggregateRate(q, codes);
  const truth = 2 * Math.LN2;
  expect(Math.abs(meanOf(lower) - truth)).toBeLessThan(0.06);
  expect(Math.abs(meanOf(upper) - truth)).toBeLessThan(0.06);
  expect(meanOf(lower)).toBeLessThan(meanOf(upper));
});

test("both estimates are the sums over rows, with and without the row itself, as written out for a few of them", () => {
  const { q, codes } = correlatedEncoder(5, 0.3, 0.4, "written out");
  const { lower, upper } = gaussianAggregateRate(q, codes);
  for (let i = 0; i < 5; i++) {
    const densities = Array.from({ length: 5 }, (_, m) => {
      const [first, second] = [0, 1].map((j) => (codes.values[2 * i + j]! - q.mean.values[2 * m + j]!) ** 2 / 0.8);
      return Math.exp(-first! - second!);
    });
    const all = densities.reduce((sum, density) => sum + density, 0);
    expect(lower[i]).toBeCloseTo(Math.log(densities[i]! / (all / 5)), 10);
    expect(upper[i]).toBeCloseTo(Math.log(densities[i]! / ((all - densities[i]!) / 4)), 10);
  }
});

test("the lower estimate stops at ln n where rows are told apart entirely, the upper one does not", () => {
  const { q, codes } = correlatedEncoder(30, 0, 1e-12, "apart");
  const { lower, upper } = gaussianAggregateRate(q, codes);
  for (const value of lower) expect(value).toBeCloseTo(Math.log(30), 9);
  expect(meanOf(upper)).toBeGreaterThan(1000);
});

test("total correlation, stratified: -1/2 ln(1 - r^2) for an aggregate posterior of correlation r", () => {
  for (const r of [0, 0.5]) {
    const { q, codes } = correlatedEncoder(1500, r, 0.25, `total ${r}`);
    const options = { estimator: "minibatch-stratified", dataset: Number.POSITIVE_INFINITY } as const;
    const found = gaussianTotalCorrelation(q, codes, options);
    expect(Math.abs(found.nats + 0.5 * Math.log(1 - r * r))).toBeLessThan(0.05);
    expect(found.estimator).toBe("minibatch-stratified estimate (batch 1500, data set Infinity)");
  }
});

test("total correlation, stratified, of a whole data set: the sum over all rows with equal weights", () => {
  const { q, codes } = correlatedEncoder(12, 0.4, 0.3, "whole");
  const { rows } = gaussianTotalCorrelation(q, codes, { estimator: "minibatch-stratified", dataset: 12 });
  const density = (i: number, m: number, j: number) =>
    Math.exp(-((codes.values[2 * i + j]! - q.mean.values[2 * m + j]!) ** 2) / 0.6) / Math.sqrt(2 * Math.PI * 0.3);
  for (let i = 0; i < 12; i++) {
    let [joint, first, second] = [0, 0, 0];
    for (let m = 0; m < 12; m++) {
      joint += (density(i, m, 0) * density(i, m, 1)) / 12;
      first += density(i, m, 0) / 12;
      second += density(i, m, 1) / 12;
    }
    expect(rows[i]).toBeCloseTo(Math.log(joint / (first * second)), 9);
  }
});

test("equal posteriors: stratified gives 0, weighted is (dims - 1) ln N too high, as its definition says", () => {
  const random = stream(6, "equal");
  const zeros = (): Matrix => ({ rows: 20, columns: 3, values: new Float64Array(60) });
  const q = { mean: zeros(), logvar: zeros() };
  const codes = drawGaussian(q, random.normal);
  const at = (estimator: "minibatch-weighted" | "minibatch-stratified") =>
    gaussianTotalCorrelation(q, codes, { estimator, dataset: 5000 }).nats;
  expect(at("minibatch-stratified")).toBeCloseTo(0, 9);
  expect(at("minibatch-weighted")).toBeCloseTo(2 * Math.log(5000), 9);
});

test("a small batch of independent codes gives a negative estimate: reported as it is", () => {
  const { q, codes } = correlatedEncoder(8, 0, 0.01, "negative");
  const options = { estimator: "minibatch-stratified", dataset: Number.POSITIVE_INFINITY } as const;
  expect(gaussianTotalCorrelation(q, codes, options).nats).toBeLessThan(0);
});

test("no distribution, a prior without mass, too few rows, and codes of another shape are refused by name", () => {
  const q = matrix([[0.5, 0.4]]);
  expect(() => categoricalRate(q)).toThrow('each row of "q" must add up to 1, got 0.9 in row 0');
  expect(() => categoricalRate(matrix([[1.5, -0.5]]))).toThrow('"q" must not be negative, got -0.5 in row 0');
  expect(() => categoricalRate(matrix([[0.5, 0.5]]), [1, 0])).toThrow(
    '"prior" must be positive where the row has mass, got 0 for row 0, class 1',
  );
  expect(() => categoricalRate(matrix([[0.5, 0.5]]), [1])).toThrow("must hold 1 x 2 = 2 values, got 1");
  expect(() => categoricalDistance(matrix([[1, 0]]), matrix([[1, 0, 0]]))).toThrow('"second" must be 1 x 2, got 1 x 3');
  const { q: two, codes } = correlatedEncoder(5, 0, 0.5, "faults");
  const stratified = { estimator: "minibatch-stratified", dataset: 4 } as const;
  expect(() => gaussianTotalCorrelation(two, codes, stratified)).toThrow(
    'Cannot estimate a total correlation: "dataset" must be at least the batch of 5 rows, got 4',
  );
  const endless = { estimator: "minibatch-weighted", dataset: Number.POSITIVE_INFINITY } as const;
  expect(() => gaussianTotalCorrelation(two, codes, endless)).toThrow("must be finite for the weighted estimator");
  expect(() => gaussianAggregateRate(two, { rows: 4, columns: 2, values: new Float64Array(8) })).toThrow(
    '"codes" must be 5 x 2, got 4 x 2',
  );
  const one = { mean: matrix([[0]]), logvar: matrix([[0]]) };
  expect(() => gaussianAggregateRate(one, matrix([[0]]))).toThrow('"q" must have at least 2 rows, got 1');
});
