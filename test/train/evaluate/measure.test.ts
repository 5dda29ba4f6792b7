import { expect, test } from "vitest";
import { compare } from "../../../train/evaluate/compare.ts";
import { encodePairs } from "../../../train/evaluate/encode-pairs.ts";
import { measure } from "../../../train/evaluate/measure.ts";
import { plantedEncoder, plantedFactors, plantedSource } from "./planted-pairs.ts";

const figuresOf = async (encoder = plantedEncoder(), pairs = 2600) => {
  const encoded = await encodePairs(encoder, plantedSource, { pairs, seed: 3 });
  const figures = measure(encoded, { seed: 3, factors: plantedFactors });
  return { encoded, figures, bits: (name: string) => figures.find(({ quantity }) => quantity === name)!.value };
};

test("planted factors are found where they were planted, in full, and nowhere else", async () => {
  const { bits } = await figuresOf();
  for (const found of ["usable.class.common", "usable.class.all"]) expect(Math.abs(bits(found) - 2)).toBeLessThan(0.1);
  for (const found of ["usable.turn.unique_1", "usable.turn.unique_2", "usable.turn.all"]) {
    expect(Math.abs(bits(found) - 3)).toBeLessThan(0.2);
  }
  for (const absent of ["usable.class.unique_1", "usable.class.unique_2", "usable.turn.common"]) {
    // 520 test labels differ by chance from the 2,080 that the probe was fitted on: some hundredths of a bit.
    expect(Math.abs(bits(absent))).toBeLessThan(0.08);
  }
  expect(bits("entropy.class")).toBeCloseTo(2, 1);
  expect(bits("entropy.turn")).toBeCloseTo(3, 1);
});

test("every figure is in bits, names its estimator and its number of rows, and lies in its interval", async () => {
  const { figures } = await figuresOf();
  expect(figures.map(({ quantity }) => quantity)).toEqual([
    "entropy.class",
    "usable.class.common",
    "usable.class.unique_1",
    "usable.class.unique_2",
    "usable.class.all",
    "entropy.turn",
    "usable.turn.common",
    "usable.turn.unique_1",
    "usable.turn.unique_2",
    "usable.turn.all",
    "rate.common",
    "rate.common_2",
    "rate.unique_1",
    "rate.unique_2",
    "disagreement.common",
  ]);
  for (const { quantity, unit, estimator, n, interval, value } of figures) {
    expect(unit).toBe("bits");
    expect(estimator.length).toBeGreaterThan(10);
    expect(n).toBe(/^(usable|entropy)/.test(quantity) ? 520 : 2600);
    if (quantity.startsWith("entropy")) continue;
    expect(interval![0]).toBeLessThanOrEqual(value + 1e-12);
    expect(interval![1]).toBeGreaterThanOrEqual(value - 1e-12);
  }
});

test("rates and the disagreement have their closed-form values", async () => {
  // Radius 1 and unit variance: 1/2 nat = 0.7213 bits. Variance 1/4 in two dimensions: 1/2 + (1/4 - 1 + ln 4) nats.
  const { bits } = await figuresOf(plantedEncoder({ shift: 1, spread: 0 }));
  expect(bits("rate.common")).toBeCloseTo(0.5 / Math.LN2, 5);
  expect(bits("rate.unique_1")).toBeCloseTo((0.5 - 0.75 + Math.log(4)) / Math.LN2, 5);
  expect(bits("disagreement.common")).toBeCloseTo(0.5 / Math.LN2, 5);
});

test("a learned prior is the one that rates are taken against", async () => {
  const { encoded } = await figuresOf(plantedEncoder({ spread: 0 }));
  const priors = { common: { mean: [0, 0], logvar: [Math.log(2), Math.log(2)] } };
  const figures = measure(encoded, { seed: 3, factors: plantedFactors, priors });
  const rate = figures.find(({ quantity }) => quantity === "rate.common")!;
  // per dimension 1/2 ( ln 2 + (1 + m^2)/2 - 1 ), m^2 summing to 1 over the two dimensions
  expect(rate.value).toBeCloseTo((Math.LN2 - 0.25) / Math.LN2, 5);
  expect(rate.estimator).toContain("learned prior");
});

test("the same seed gives the same figures, and pairs do not depend on how many are asked for", async () => {
  const a = await figuresOf();
  const b = await figuresOf();
  expect(a.figures).toEqual(b.figures);
  const fewer = await encodePairs(plantedEncoder(), plantedSource, { pairs: 500, seed: 3 });
  expect(fewer.labels[0].class).toEqual(a.encoded.labels[0].class!.subarray(0, 500));
});

test("an encoder that answers another number of rows is refused", async () => {
  const encode = plantedEncoder();
  const short: typeof encode = async (views) => {
    const codes = await encode(views);
    return { ...codes, common_mean: { dtype: "float32", shape: [2, 2], data: new Float32Array(4) } };
  };
  await expect(encodePairs(short, plantedSource, { pairs: 700, seed: 3 })).rejects.toThrow(
    'Cannot evaluate: "common_mean" of encode must be float32 [500, dims], got [2, 2]',
  );
});

test("a bound decides whether a figure is met; a published value alone does not", async () => {
  const { figures } = await figuresOf();
  const judged = compare(figures, [
    { quantity: "usable.class.common", unit: "bits", minimum: 1.5, source: "a test" },
    { quantity: "usable.turn.common", unit: "bits", minimum: 1.5, source: "a test" },
    { quantity: "usable.turn.unique_1", unit: "bits", maximum: 1, source: "a test" },
    { quantity: "usable.class.all", unit: "bits", paper: 3.3, source: "a test" },
  ]);
  const met = (name: string) => judged.find(({ quantity }) => quantity === name)!;
  expect(met("usable.class.common")).toMatchObject({ met: true, minimum: 1.5 });
  expect(met("usable.turn.common").met).toBe(false);
  expect(met("usable.turn.unique_1")).toMatchObject({ met: false, maximum: 1 });
  expect(met("usable.class.all")).toMatchObject({ paper: 3.3 });
  expect(met("usable.class.all").met).toBeUndefined();
  expect(judged).toHaveLength(figures.length);
});

test("an expected quantity that nothing measures, or in another unit, is refused with the nearest name", async () => {
  const { figures } = await figuresOf();
  expect(() => compare(figures, [{ quantity: "usable.clas.common", unit: "bits", source: "a test" }])).toThrow(
    'got "usable.clas.common", did you mean "usable.class.common"?',
  );
  expect(() => compare(figures, [{ quantity: "usable.class.common", unit: "nats", source: "a test" }])).toThrow(
    '"usable.class.common" must be in bits, got nats',
  );
});
