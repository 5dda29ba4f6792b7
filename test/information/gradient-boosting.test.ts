import { expect, test } from "vitest";
import { binFeatures, mostBins } from "../../information/feature-bins.ts";
import { boostedLogProbabilities, fitBoostedTrees, gradientBoosting } from "../../information/gradient-boosting.ts";
import { joinColumns, type Matrix, sliceRows } from "../../information/matrix.ts";
import { usableInformation } from "../../information/usable-information.ts";
import { stream } from "../../train/random.ts";
import { circleSet, countSet, crossSet, type LabelledSet } from "./labelled-sets.ts";

function fitTrainPart({ features, labels, classes, train }: LabelledSet) {
  return fitBoostedTrees(sliceRows(features, 0, train), labels.subarray(0, train), classes);
}

/** Mean -ln q(y | x) of the rows from `start` on. */
function logLoss(
  model: ReturnType<typeof fitTrainPart>,
  { features, labels, classes }: LabelledSet,
  start: number,
  end: number,
) {
  const values = boostedLogProbabilities(model, sliceRows(features, start, end));
  let sum = 0;
  for (let i = start; i < end; i++) sum -= values[(i - start) * classes + labels[i]!]!;
  return sum / (end - start);
}

// Reference values: scikit-learn 1.2.1 on the same rows,
//   m = GradientBoostingClassifier(random_state=0).fit(x[:2000], y[:2000])
//   log_loss(y[:2000], m.predict_proba(x[:2000])), log_loss(y[2000:], m.predict_proba(x[2000:])), m.feature_importances_

test("features with few distinct values give scikit-learn's losses and importances to rounding", () => {
  const set = countSet();
  const model = fitTrainPart(set);
  expect(logLoss(model, set, 0, 2000)).toBeCloseTo(0.28517027080502166, 12);
  expect(logLoss(model, set, 2000, 3000)).toBeCloseTo(0.3134270910619142, 12);
  const wanted = [0.5536, 0.1633, 0.003, 0.2801];
  for (const [j, share] of wanted.entries()) expect(model.importances[j]).toBeCloseTo(share, 4);
});

test("ten blurred classes: 255 bins a feature stay within 3 % of scikit-learn's losses", () => {
  const set = circleSet();
  const model = fitTrainPart(set);
  expect(Math.abs(logLoss(model, set, 0, 2000) / 0.06973385148702045 - 1)).toBeLessThan(0.03);
  expect(Math.abs(logLoss(model, set, 2000, 3000) / 0.4406402677923695 - 1)).toBeLessThan(0.03);
  const wanted = [0.4414, 0.531, 0.0078, 0.0121, 0.0076];
  for (const [j, share] of wanted.entries()) expect(Math.abs(model.importances[j]! - share)).toBeLessThan(0.01);
});

test("two classes behind a product of features: within 4 % of scikit-learn's losses", () => {
  const set = crossSet();
  const model = fitTrainPart(set);
  expect(model.stages[0]).toHaveLength(1);
  expect(Math.abs(logLoss(model, set, 0, 2000) / 0.3062432993556256 - 1)).toBeLessThan(0.04);
  expect(Math.abs(logLoss(model, set, 2000, 3000) / 0.3804875660728383 - 1)).toBeLessThan(0.04);
});

test("the same rows give the same trees, bit for bit", () => {
  expect(fitTrainPart(countSet())).toEqual(fitTrainPart(countSet()));
});

test("a monotone change of a feature changes nothing that is predicted on the training rows", () => {
  const set = countSet();
  const bent: Matrix = { ...set.features, values: set.features.values.map((value) => Math.exp(value) - 40) };
  const rows = (features: Matrix) =>
    boostedLogProbabilities(fitTrainPart({ ...set, features }), sliceRows(features, 0, set.train));
  expect(rows(bent)).toEqual(rows(set.features));
});

test("probabilities add up to 1, a class without training rows gets next to none, and its rows cost 34.5 nats", () => {
  const set = countSet();
  const model = fitTrainPart({ ...set, classes: 5 });
  const values = boostedLogProbabilities(model, sliceRows(set.features, 2000, 3000));
  expect(values).toHaveLength(5000);
  for (let i = 0; i < 1000; i++) {
    const row = values.subarray(i * 5, (i + 1) * 5);
    expect(row.reduce((sum, log) => sum + Math.exp(log), 0)).toBeCloseTo(1, 12);
    expect(row[3]).toBeCloseTo(-34.54, 2);
  }
  expect(logLoss(model, { ...set, classes: 5 }, 2000, 3000)).toBeCloseTo(
    logLoss(fitTrainPart(set), set, 2000, 3000),
    12,
  );
});

test("a feature and its copy share their importance, and together have about what one had alone", () => {
  const set = circleSet(2000, 1500, 3);
  const column = (j: number): Matrix => ({
    rows: 2000,
    columns: 1,
    values: Float64Array.from({ length: 2000 }, (_, i) => set.features.values[i * 3 + j]!),
  });
  const alone = fitTrainPart(set).importances;
  const copied = fitTrainPart({ ...set, features: joinColumns([set.features, column(0)]) }).importances;
  expect(Math.abs(copied[0]! + copied[3]! - alone[0]!)).toBeLessThan(0.01);
  expect(copied[0]! / copied[3]!).toBeGreaterThan(0.8);
  expect(copied[0]! / copied[3]!).toBeLessThan(1.25);
});

test("constant features leave the labels' frequencies and importances of 0", () => {
  const labels = Int32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const features = { rows: 300, columns: 2, values: new Float64Array(600).fill(0.1) };
  const model = fitBoostedTrees(features, labels, 2);
  expect([...model.importances]).toEqual([0, 0]);
  const values = boostedLogProbabilities(model, sliceRows(features, 0, 1));
  expect(Math.exp(values[1]!)).toBeCloseTo(1 / 3, 12);
  const found = usableInformation(features, labels, { classes: 2, train: 150, classifier: gradientBoosting });
  expect(found.bits).toBeCloseTo(0, 12);
});

test("boosted trees find the cross that a linear probe cannot, and both name themselves", () => {
  const set = crossSet();
  const trees = usableInformation(set.features, set.labels, { ...set, classifier: gradientBoosting });
  const line = usableInformation(set.features, set.labels, set);
  expect(trees.bits).toBeGreaterThan(0.4);
  expect(trees.accuracy).toBeCloseTo(0.827, 1);
  expect(Math.abs(line.bits)).toBeLessThan(0.02);
  expect(trees.estimator).toBe("gradient-boosted trees (100 stages, depth 3, learning rate 0.1, 255 bins)");
  expect(line.estimator).toContain("linear probe");
  expect(line.importances).toBeUndefined();
});

test("a few wrong labels among separable ones cost bits, but no row more than 49.8, and nothing overflows", () => {
  const random = stream(4, "wrong labels");
  const labels = Int32Array.from({ length: 2000 }, () => random.integer(4));
  const values = Float64Array.from(labels, (label) => label + 0.05 * random.normal());
  const shown = labels.map((label) => (random.uniform() < 0.01 ? (label + 1) % 4 : label));
  const features = { rows: 2000, columns: 1, values };
  const found = usableInformation(features, shown, { classes: 4, train: 1500, classifier: gradientBoosting });
  expect(found.bits).toBeGreaterThan(0.5);
  expect(found.bits).toBeLessThan(found.entropyBits - 0.05);
  for (const bits of found.rows) expect(bits).toBeGreaterThan(-49.9);
  expect(found.importances![0]).toBe(1);
});

test("noise gives no more than 0 bits: overfitting shows as a loss", () => {
  const random = stream(4, "noise");
  const features = { rows: 1500, columns: 3, values: Float64Array.from({ length: 4500 }, () => random.normal()) };
  const labels = Int32Array.from({ length: 1500 }, () => random.integer(3));
  const { bits } = usableInformation(features, labels, { classes: 3, train: 1000, classifier: gradientBoosting });
  expect(bits).toBeLessThan(0);
  expect(bits).toBeGreaterThan(-0.5);
});

test("bins keep up to 255 distinct values apart, and cut more of them into 255 that are none too large", () => {
  const column = (count: number): Matrix => ({
    rows: 2 * count,
    columns: 1,
    values: Float64Array.from({ length: 2 * count }, (_, i) => ((i * 7919) % count) * 0.5),
  });
  const few = binFeatures(column(255));
  expect(few.thresholds[0]).toEqual(Float64Array.from({ length: 254 }, (_, i) => i * 0.5 + 0.25));
  expect(few.codes[0]![1]).toBe(7919 % 255);
  const many = binFeatures(column(10_000));
  expect(many.thresholds[0]).toHaveLength(mostBins - 1);
  const sizes = new Float64Array(mostBins);
  for (const code of many.codes[0]!) sizes[code]! += 1;
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * (20_000 / 254));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(20_000);
});

test("codes that cluster by class never share a bin across clusters, however the quantiles fall", () => {
  const random = stream(4, "clusters");
  const labels = Int32Array.from({ length: 8000 }, () => random.integer(15));
  const values = Float64Array.from(labels, (label) => label + 0.05 * random.normal());
  const { codes } = binFeatures({ rows: 8000, columns: 1, values });
  const owner = new Map<number, number>();
  for (const [i, code] of codes[0]!.entries()) {
    expect(owner.get(code) ?? labels[i]).toBe(labels[i]);
    owner.set(code, labels[i]!);
  }
});

test("neighbours in float64 are still told apart", () => {
  const values = Float64Array.of(1, 1 + Number.EPSILON, 1 + 2 * Number.EPSILON);
  expect([...binFeatures({ rows: 3, columns: 1, values }).codes[0]!]).toEqual([0, 1, 2]);
});

test("one class only, too few rows, a wrong width and a value that is not finite are refused by name", () => {
  const features = { rows: 4, columns: 1, values: Float64Array.of(0, 1, 2, 3) };
  expect(() => fitBoostedTrees(features, Int32Array.of(1, 1, 1, 1), 2)).toThrow(
    'Cannot fit boosted trees: "labels" must hold at least two classes, got only class 1',
  );
  expect(() => fitBoostedTrees(features, Int32Array.of(0, 1, 2, 3), 5)).toThrow(
    "the training part must have at least as many rows as there are classes (5), got 4",
  );
  expect(() =>
    fitBoostedTrees({ ...features, values: Float64Array.of(0, 1, Number.NaN, 3) }, Int32Array.of(0, 1, 0, 1), 2),
  ).toThrow('"features" must be finite, got NaN in row 2, column 0');
  const model = fitBoostedTrees(features, Int32Array.of(0, 1, 0, 1), 2);
  expect(() => boostedLogProbabilities(model, { rows: 2, columns: 2, values: new Float64Array(4) })).toThrow(
    "must have 1 columns, got 2",
  );
  expect(() => usableInformation(features, Int32Array.of(1, 1, 1, 0), { classes: 2, train: 3 })).toThrow(
    'Cannot measure usable information: "labels" must hold at least two classes, got only class 1',
  );
});
