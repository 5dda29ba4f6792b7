import { expect, test } from "vitest";
import { gaussianAggregateRate } from "../../information/gaussian-aggregate-rate.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { drawGaussian } from "../../information/gaussian-sample.ts";
import { gaussianTotalCorrelation } from "../../information/gaussian-total-correlation.ts";
import { gaussianTotalCorrelationBounds } from "../../information/gaussian-total-correlation-bounds.ts";
import type { Matrix } from "../../information/matrix.ts";
import { bitsPerNat } from "../../information/units.ts";
import { stream } from "../../train/random.ts";

interface Planted {
  readonly dims: number;
  readonly deviation: number;
  readonly correlation?: number;
  readonly rows?: number;
}

/** Encoder whose aggregate posterior is N(0, (1 - r) I + r 1 1'): every two of its dimensions have correlation r. */
function planted({ dims, deviation, correlation = 0, rows = 600 }: Planted): { q: GaussianRows; codes: Matrix } {
  const random = stream(3, "planted total correlation", dims, deviation);
  const mean = new Float64Array(rows * dims);
  const own = Math.sqrt(1 - correlation - deviation ** 2);
  for (let i = 0; i < rows; i++) {
    const shared = Math.sqrt(correlation) * random.normal();
    for (let j = 0; j < dims; j++) mean[i * dims + j] = shared + own * random.normal();
  }
  const logvar = new Float64Array(rows * dims).fill(2 * Math.log(deviation));
  const q = { mean: { rows, columns: dims, values: mean }, logvar: { rows, columns: dims, values: logvar } };
  return { q, codes: drawGaussian(q, random.normal) };
}

/** -1/2 log2 det of the correlation matrix. */
function exactBits({ dims, correlation = 0 }: Planted): number {
  return -0.5 * Math.log2((1 - correlation) ** (dims - 1) * (1 + (dims - 1) * correlation));
}

function boundsInBits(of: Planted): { lower: number; upper: number } {
  const { q, codes } = planted(of);
  const found = gaussianTotalCorrelationBounds(q, codes);
  const mean = (rows: Float64Array) => (rows.reduce((sum, row) => sum + row, 0) / rows.length) * bitsPerNat;
  return { lower: mean(found.lower), upper: mean(found.upper) };
}

test("independent dimensions, many and narrow: 0 lies between the bounds, where the estimate says more than 12 bits", () => {
  for (const of of [
    { dims: 7, deviation: 0.09 },
    { dims: 9, deviation: 0.15 },
    { dims: 3, deviation: 0.09 },
  ]) {
    const { lower, upper } = boundsInBits(of);
    expect(lower, `lower of ${of.dims}`).toBeLessThan(0);
    expect(lower, `lower of ${of.dims}`).toBeGreaterThan(-8);
    expect(upper, `upper of ${of.dims}`).toBeGreaterThan(0);
  }
  const { q, codes } = planted({ dims: 7, deviation: 0.09 });
  const { nats } = gaussianTotalCorrelation(q, codes, { estimator: "minibatch-stratified", dataset: 600 });
  expect(nats * bitsPerNat).toBeGreaterThan(12);
});

test("a total correlation within reach of the rows is told: it lies between bounds that are close to each other", () => {
  for (const of of [
    { dims: 2, deviation: 0.3, correlation: 0.8 },
    { dims: 4, deviation: 0.5, correlation: 0.5 },
    { dims: 2, deviation: 0.3 },
  ]) {
    const { lower, upper } = boundsInBits({ ...of, rows: 1000 });
    const exact = exactBits(of);
    const sampling = 0.12; // of 1,000 rows: four standard deviations of the mean of ln q(z) - sum_j ln q(z_j)
    expect(lower, `${of.dims} dims, lower`).toBeLessThan(exact + sampling);
    expect(upper, `${of.dims} dims, upper`).toBeGreaterThan(exact - sampling);
    expect(upper - lower, `${of.dims} dims, apart`).toBeLessThan(0.2);
    expect(upper, `${of.dims} dims`).toBeGreaterThan(lower);
  }
});

test("more rows bring the bounds closer to each other", () => {
  const apart = (rows: number) => {
    const { lower, upper } = boundsInBits({ dims: 3, deviation: 0.2, correlation: 0.6, rows });
    return upper - lower;
  };
  expect(apart(1200)).toBeLessThan(0.7 * apart(200));
});

test("equal posteriors have bounds of 0, and narrow ones of two dimensions differ by the bounds of their rates", () => {
  const zeros = (): Matrix => ({ rows: 20, columns: 3, values: new Float64Array(60) });
  const q = { mean: zeros(), logvar: zeros() };
  const equal = gaussianTotalCorrelationBounds(q, drawGaussian(q, stream(3, "equal").normal));
  for (const row of [...equal.lower, ...equal.upper]) expect(row).toBeCloseTo(0, 9);
  // upper = sum_j I_j from above - I from below, as the source in the doc comment says
  const { q: two, codes } = planted({ dims: 2, deviation: 0.1, rows: 50 });
  const column = ({ rows, columns, values }: Matrix, j: number): Matrix => ({
    rows,
    columns: 1,
    values: Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!),
  });
  const rates = [0, 1].map((j) =>
    gaussianAggregateRate({ mean: column(two.mean, j), logvar: column(two.logvar, j) }, column(codes, j)),
  );
  const whole = gaussianAggregateRate(two, codes);
  const { upper } = gaussianTotalCorrelationBounds(two, codes);
  for (const [i, row] of upper.entries()) {
    expect(row).toBeCloseTo(rates[0]!.upper[i]! + rates[1]!.upper[i]! - whole.lower[i]!, 9);
  }
});

test("codes of another shape are refused by name", () => {
  const { q } = planted({ dims: 2, deviation: 0.5, rows: 5 });
  expect(() => gaussianTotalCorrelationBounds(q, { rows: 4, columns: 2, values: new Float64Array(8) })).toThrow(
    'Cannot bound a total correlation: "codes" must be 5 x 2, got 4 x 2',
  );
});
