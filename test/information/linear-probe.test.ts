import { expect, test } from "vitest";
import { bootstrapMean } from "../../information/bootstrap.ts";
import { fitLinearProbe, probeCrossEntropy, probeSettings } from "../../information/linear-probe.ts";
import { joinColumns, type Matrix, sliceRows } from "../../information/matrix.ts";
import { usableInformation } from "../../information/usable-information.ts";
import { stream } from "../../train/random.ts";

function drawLabels(rows: number, classes: number, name: string): Int32Array {
  const random = stream(1, "labels", name);
  return Int32Array.from({ length: rows }, () => random.integer(classes));
}

function build(rows: number, columns: number, value: (i: number, j: number) => number): Matrix {
  return {
    rows,
    columns,
    values: Float64Array.from({ length: rows * columns }, (_, at) => value(Math.floor(at / columns), at % columns)),
  };
}

function normals(rows: number, columns: number, name: string): Matrix {
  const random = stream(1, "normals", name);
  return build(rows, columns, () => random.normal());
}

/** Classes on a circle in the plane: separable by lines. */
function planted(labels: Int32Array, classes: number, noise: number): Matrix {
  const random = stream(1, "planted");
  const angle = (i: number) => (2 * Math.PI * labels[i]!) / classes;
  return build(
    labels.length,
    2,
    (i, j) => (j === 0 ? Math.cos(angle(i)) : Math.sin(angle(i))) + noise * random.normal(),
  );
}

test("codes that separate K classes by lines give log2 K bits", () => {
  for (const classes of [2, 4, 8]) {
    const labels = drawLabels(2500, classes, "separable");
    const got = usableInformation(planted(labels, classes, 0.01), labels, { classes, train: 2000 });
    expect(got.converged).toBe(true);
    expect(got.entropyBits).toBeLessThanOrEqual(Math.log2(classes));
    expect(Math.log2(classes) - got.bits).toBeGreaterThan(0);
    expect(Math.log2(classes) - got.bits).toBeLessThan(0.1);
  }
});

test("codes independent of the labels give 0 bits, within the bootstrap interval", () => {
  const labels = drawLabels(5000, 5, "independent");
  const got = usableInformation(normals(5000, 4, "independent"), labels, { classes: 5, train: 4000 });
  const random = stream(1, "bootstrap");
  const [low, high] = bootstrapMean(got.rows, { draw: random.integer });
  expect(low).toBeLessThan(0);
  expect(high).toBeGreaterThan(-0.01);
  expect(Math.abs(got.bits)).toBeLessThan(0.02);
});

test("two Gaussian classes give the exact information of their mixture, which a linear probe can reach", () => {
  const rows = 20_000;
  const labels = drawLabels(rows, 2, "gaussian");
  const noise = normals(rows, 1, "gaussian");
  const features = build(rows, 1, (i) => (labels[i] === 1 ? 1 : -1) + noise.values[i]!);
  const got = usableInformation(features, labels, { classes: 2, train: 10_000 });
  // I = 1 - E[ log2(1 + exp(-2 (1 + N))) ], N standard normal, by the trapezoidal rule
  let lost = 0;
  const h = 0.001;
  for (let n = -10; n <= 10; n += h) {
    lost += h * (Math.exp((-n * n) / 2) / Math.sqrt(2 * Math.PI)) * Math.log2(1 + Math.exp(-2 * (1 + n)));
  }
  expect(1 - lost).toBeCloseTo(0.486, 3);
  expect(Math.abs(got.bits - (1 - lost))).toBeLessThan(0.02);
});

test("a code matrix that was reshaped instead of transposed loses the information it carries", () => {
  const labels = drawLabels(2500, 4, "reshaped");
  const codes = planted(labels, 4, 0.01);
  const columnMajor = build(2, 2500, (j, i) => codes.values[i * 2 + j]!);
  const reshaped = { rows: 2500, columns: 2, values: columnMajor.values };
  expect(usableInformation(codes, labels, { classes: 4, train: 2000 }).bits).toBeGreaterThan(1.9);
  expect(usableInformation(reshaped, labels, { classes: 4, train: 2000 }).bits).toBeLessThan(0.05);
});

test("a transposed code matrix is refused, and the message says what it looks like", () => {
  const labels = drawLabels(300, 4, "transposed");
  const codes = planted(labels, 4, 0.01);
  const transposed = build(2, 300, (j, i) => codes.values[i * 2 + j]!);
  expect(() => usableInformation(transposed, labels, { classes: 4, train: 200 })).toThrow(
    'Cannot measure usable information: "features" must have one row for each of 300 labels, got 2 rows of 300; is it transposed?',
  );
});

test("the fit is the minimum of its loss: the gradient vanishes and random moves only raise it", () => {
  const labels = drawLabels(400, 3, "minimum");
  const features = planted(labels, 3, 0.8);
  const probe = fitLinearProbe(features, labels, 3);
  expect(probe.converged).toBe(true);
  const loss = (weights: Float64Array) => {
    const costs = probeCrossEntropy({ ...probe, weights }, features, labels);
    const squares = weights.reduce((sum, weight, at) => (at % 3 === 2 ? sum : sum + weight * weight), 0);
    return costs.reduce((sum, cost) => sum + cost, 0) / 400 + (probeSettings.l2 / 2) * squares;
  };
  const lowest = loss(probe.weights);
  const random = stream(1, "moves");
  for (let trial = 0; trial < 20; trial++) {
    const moved = probe.weights.map((weight) => weight + 0.05 * random.normal());
    expect(loss(moved)).toBeGreaterThan(lowest);
  }
  for (let at = 0; at < probe.weights.length; at++) {
    const move = (by: number) => loss(probe.weights.map((weight, i) => (i === at ? weight + by : weight)));
    expect(Math.abs(move(1e-4) - move(-1e-4)) / 2e-4).toBeLessThan(2e-5);
  }
});

test("the fit does not depend on the scale or the offset of a feature", () => {
  const labels = drawLabels(1500, 3, "scale");
  const features = planted(labels, 3, 0.5);
  const moved = build(1500, 2, (i, j) => (j === 0 ? 1e4 : 1e-4) * features.values[i * 2 + j]! + 7);
  const options = { classes: 3, train: 1000 };
  expect(usableInformation(moved, labels, options).bits).toBeCloseTo(
    usableInformation(features, labels, options).bits,
    4,
  );
});

test("a feature that never varies adds nothing and breaks nothing", () => {
  const labels = drawLabels(1500, 3, "constant");
  const features = planted(labels, 3, 0.5);
  const constant = build(1500, 1, () => 0.1);
  const options = { classes: 3, train: 1000 };
  const with1 = usableInformation(joinColumns([features, constant]), labels, options).bits;
  expect(with1).toBeCloseTo(usableInformation(features, labels, options).bits, 6);
  expect(Math.abs(usableInformation(constant, labels, options).bits)).toBeLessThan(0.01);
});

test("a label out of range, a missing row and a value that is not finite are refused by name", () => {
  const features = build(4, 1, (i) => i);
  const probeOf = (labels: number[], x = features) => fitLinearProbe(x, Int32Array.from(labels), 2);
  expect(() => probeOf([0, 1, 2, 0])).toThrow("Cannot count labels: row 2 must be 0 .. 1, got 2");
  expect(() => probeOf([0, 1, 1])).toThrow("must have one row for each of 3 labels, got 4 rows of 1");
  const holed = build(4, 1, (i) => (i === 2 ? Number.NaN : i));
  expect(() => probeOf([0, 1, 1, 0], holed)).toThrow('"features" must be finite, got NaN in row 2, column 0');
  expect(() => probeOf([0, 1, 1, 0], { ...features, rows: 2, columns: 3 })).toThrow(
    "must hold 2 x 3 = 6 values, got 4",
  );
  const probe = probeOf([0, 1, 1, 0]);
  expect(() =>
    probeCrossEntropy(
      probe,
      build(4, 2, () => 0),
      Int32Array.of(0, 1, 1, 0),
    ),
  ).toThrow("must have 1 columns, got 2");
  expect(sliceRows(features, 1, 3)).toEqual({ rows: 2, columns: 1, values: Float64Array.of(1, 2) });
});
