import { expect, test } from "vitest";
import { migChen } from "../../../information/disentanglement/mig-chen.ts";
import { migHist20Means } from "../../../information/disentanglement/mig-hist20-means.ts";
import { sapLinearSvc } from "../../../information/disentanglement/sap-linear-svc.ts";
import type { LabelledFactor } from "../../../information/disentanglement/score.ts";
import type { Matrix } from "../../../information/matrix.ts";
import { stream } from "../../../train/random.ts";
import { drawFactors, plantCodes, transpose, withDeviation } from "./planted-codes.ts";

const factors = drawFactors(2000, { hue: 5, side: 2, scale: 4 });
const perfect = plantCodes(factors, (labels, n) => [...labels.map((label) => label + 0.02 * n()), 0.02 * n()]);
const duplicated = plantCodes(factors, ([hue, side, scale], n) => [hue!, -2 * hue! + 0.02 * n(), side!, scale!]);
const rotated = plantCodes(factors, ([hue, side, scale], n) => [
  hue! / 5 + scale! / 4 + 0.02 * n(),
  side!,
  hue! / 5 - scale! / 4 + 0.02 * n(),
]);
const constant: Matrix = { ...perfect, values: new Float64Array(perfect.values.length).fill(-1.5) };

function generators(name: string) {
  const random = stream(8, name);
  return { normal: random.normal, permutation: random.permutation };
}

/** Every metric on codes of a small posterior deviation. */
const metrics = {
  "mig-hist20-means": (codes: Matrix, of: readonly LabelledFactor[]) => migHist20Means(codes, of),
  "mig-chen": (codes: Matrix, of: readonly LabelledFactor[]) =>
    migChen(withDeviation(codes, 0.05), of, { ...generators("codes"), samples: 500 }),
  "sap-linear-svc": (codes: Matrix, of: readonly LabelledFactor[]) => sapLinearSvc(codes, of, { train: 1500 }),
} as const;

test("a code of one latent a factor has a gap of 1 by both definitions of MIG, a duplicated or rotated one less", () => {
  for (const name of ["mig-hist20-means", "mig-chen"] as const) {
    expect(metrics[name](perfect, factors).value, name).toBeGreaterThan(0.95);
    expect(metrics[name](perfect, factors).value, name).toBeLessThanOrEqual(1);
    const twice = metrics[name](duplicated, factors).parts!;
    expect(twice[0], name).toBeLessThan(0.05);
    expect(twice[1], name).toBeGreaterThan(0.95);
    const turned = metrics[name](rotated, factors).parts!;
    expect(turned[0], name).toBeLessThan(0.35);
    expect(turned[1], name).toBeGreaterThan(0.9);
  }
});

test("SAP of a perfect code: 1 - 1/2 for a factor of two classes, and a duplicated latent has no gap", () => {
  const found = sapLinearSvc(perfect, factors, { train: 1500 }).parts!;
  expect(found[1]).toBeGreaterThan(0.42);
  expect(found[1]).toBeLessThan(0.53);
  const twice = plantCodes(factors, ([hue, side, scale]) => [hue!, side!, side!, scale!]);
  expect(sapLinearSvc(twice, factors, { train: 1500 }).parts![1]).toBe(0);
});

// Reference: scikit-learn 1.2.1 on these rows, as disentanglement_lib calls it: mutual_info_score of np.digitize(codes,
// np.histogram(codes, 20)[1][:-1]), and LinearSVC(C=0.01, class_weight="balanced") on one latent, 2,000 rows to fit
test("a blurred code gets scikit-learn's mig-hist20-means and sap-linear-svc", () => {
  const blurred = drawFactors(3000, { hue: 5, side: 2, scale: 4 });
  const codes = plantCodes(blurred, ([h, s, k], n) => [
    h! + 0.4 * n(),
    s! + 0.3 * h! + 0.2 * n(),
    k! - 1.5 * s! + 0.3 * n(),
    n(),
  ]);
  const mig = migHist20Means(codes, blurred);
  expect(mig.value).toBeCloseTo(0.39686547239391473, 10);
  for (const [k, gap] of [0.44128996, 0.22093031, 0.52837615].entries()) expect(mig.parts![k]).toBeCloseTo(gap, 7);
  const sap = sapLinearSvc(codes, blurred, { train: 2000 });
  for (const [k, gap] of [0.283, 0.157, 0.272].entries()) expect(sap.parts![k]).toBeCloseTo(gap, 9);
});

test("mig-chen measures the sampled code, mig-hist20-means its means: a blurred bit of 0.486 bits against 1", () => {
  // Means -1 and 1, posterior deviation 1: I = 1 - E[ log2(1 + exp(-2 (1 + N))) ] = 0.486 bits of the 1 there is
  const bit = drawFactors(2000, { bit: 2 });
  const means = plantCodes(bit, ([label]) => [2 * label! - 1, 0]);
  const chen = migChen(withDeviation(means, 1), bit, generators("bit"));
  expect(Math.abs(chen.value - 0.486)).toBeLessThan(0.04);
  expect(migHist20Means(means, bit).value).toBeCloseTo(1, 12);
  expect(chen.definition).toContain("mig-chen");
  expect(chen.definition).toContain("2000 of 2000 rows");
});

test("mig-chen is the sum over all rows of the densities, as written out for a few of them", () => {
  const few = drawFactors(6, { a: 2 }, 9);
  const means = plantCodes(few, ([label], n) => [label! + n(), n()]);
  const random = stream(8, "few");
  const draws = Array.from({ length: 12 }, () => random.normal());
  let at = 0;
  const normal = () => draws[at++]!;
  const permutation = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
  const deviation = (m: number) => 0.3 + 0.2 * m;
  const logvar = { ...means, values: means.values.map((_, at) => 2 * Math.log(deviation(Math.floor(at / 2)))) };
  const found = migChen({ mean: means, logvar }, few, { normal, permutation });
  const labels = few[0]!.labels;
  const shared = [0, 1].map((j) => {
    let sum = 0;
    for (let s = 0; s < 6; s++) {
      const code = means.values[2 * s + j]! + deviation(s) * draws[6 * j + s]!;
      const density = (rows: number[]) =>
        rows.reduce((total, m) => {
          const apart = (code - means.values[2 * m + j]!) / deviation(m);
          return total + Math.exp(-0.5 * apart * apart) / deviation(m);
        }, 0) / rows.length;
      const rows = [0, 1, 2, 3, 4, 5];
      sum += Math.log(density(rows.filter((m) => labels[m] === labels[s])) / density(rows)) / 6;
    }
    return Math.max(0, sum);
  });
  const ones = labels.reduce((sum, label) => sum + label, 0) / 6;
  const entropy = -ones * Math.log(ones) - (1 - ones) * Math.log(1 - ones);
  expect(found.value).toBeCloseTo(Math.abs(shared[0]! - shared[1]!) / entropy, 9);
});

test("a transposed code matrix is refused by its shape, and a reshaped one is caught by its value", () => {
  const reshaped = { ...perfect, values: transpose(perfect).values };
  for (const [name, metric] of Object.entries(metrics)) {
    expect(() => metric(transpose(perfect), factors), name).toThrow(
      /got 4 rows of 2000; is it transposed\?|must be 1 \.\. 3/,
    );
    expect(metric(reshaped, factors).value, name).toBeLessThan(0.1);
    expect(metric(perfect, factors).value, name).toBeGreaterThan(0.2);
  }
});

test("constant codes have a gap of 0 by every definition, and no definition goes without its name", () => {
  for (const [name, metric] of Object.entries(metrics)) {
    const found = metric(constant, factors);
    expect(found.value, name).toBe(0);
    expect(found.definition).toContain(name);
  }
});

test("a latent's order, sign and scale change nothing of mig-hist20-means", () => {
  const moved = plantCodes(factors, ([hue, side, scale]) => [-1e6 * scale!, 3 + side!, 1e-6 * hue!]);
  const plain = plantCodes(factors, (labels) => labels);
  const [a, b] = [migHist20Means(moved, factors), migHist20Means(plain, factors)];
  expect(a.value).toBeCloseTo(b.value, 9);
});

test("a factor that does not vary, one latent only, too few rows and a label out of range are refused by name", () => {
  const fixed = [{ name: "shape", classes: 3, labels: new Int32Array(2000).fill(2) }];
  const short = drawFactors(3, { many: 5 });
  const few = { rows: 3, columns: 2, values: Float64Array.of(0, 1, 2, 3, 4, 5) };
  for (const [name, metric] of Object.entries(metrics)) {
    expect(() => metric(perfect, fixed), name).toThrow('factor "shape" must vary, got class 2 in every row');
    expect(
      () =>
        metric(
          plantCodes(factors, ([hue]) => [hue!]),
          factors,
        ),
      name,
    ).toThrow('"codes" must have at least 2 columns, got 1');
    expect(() => metric(perfect, []), name).toThrow("there must be at least one factor, got none");
  }
  expect(() => migHist20Means(few, short)).toThrow('at least as many rows as "many" has classes (5), got 3');
  const beyond = [{ name: "hue", classes: 4, labels: factors[0]!.labels }];
  for (const metric of Object.values(metrics)) expect(() => metric(perfect, beyond)).toThrow("must be 0 .. 3, got 4");
  expect(() => migHist20Means({ ...perfect, values: perfect.values.map(() => Number.NaN) }, factors)).toThrow(
    '"codes" must be finite, got NaN in row 0, column 0',
  );
  expect(() => migChen(withDeviation(perfect, 0.1), factors, { ...generators("none"), samples: 0 })).toThrow(
    '"samples" must be a whole number above 0, got 0',
  );
});
