import { beforeAll, expect, test } from "vitest";
import { compare } from "../../../train/evaluate/compare.ts";
import { encodePairs } from "../../../train/evaluate/encode-pairs.ts";
import { measure } from "../../../train/evaluate/measure.ts";
import { measureUsable } from "../../../train/evaluate/measure-usable.ts";
import { stream } from "../../../train/random.ts";
import { plantedEncoder, plantedFactors, plantedSource } from "./planted-pairs.ts";

const measured = async (encoder = plantedEncoder(), pairs = 2600) => {
  const encoded = await encodePairs(encoder, plantedSource, { pairs, seed: 3 });
  const figures = measure(encoded, { seed: 3, factors: plantedFactors });
  return { encoded, figures, bits: (name: string) => figures.find(({ quantity }) => quantity === name)!.value };
};

let usual: Awaited<ReturnType<typeof measured>>;
beforeAll(async () => {
  usual = await measured();
});

test("planted factors are found where they were planted, in full, and nowhere else", () => {
  const { bits } = usual;
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

test("every figure is in bits, names its estimator and its number of rows, and lies in its interval", () => {
  const { figures } = usual;
  expect(figures.map(({ quantity }) => quantity)).toEqual([
    "entropy.class",
    "usable.class.common",
    "usable.class.unique_1",
    "usable.class.unique_2",
    "usable.class.all",
    "usable.class.unique",
    "entropy.turn",
    "usable.turn.common",
    "usable.turn.unique_1",
    "usable.turn.unique_2",
    "usable.turn.all",
    "usable.turn.unique",
    "mutual_information.views.barber-agakov",
    "usable_drawn.class.common",
    "usable_drawn.class.unique_1",
    "usable_drawn.class.unique_2",
    "usable_drawn.class.unique",
    "usable_drawn.turn.common",
    "usable_drawn.turn.unique_1",
    "usable_drawn.turn.unique_2",
    "usable_drawn.turn.unique",
    "rate.common",
    "rate.common_2",
    "rate.unique_1",
    "rate.unique_2",
    "rate.common_both",
    "disagreement.common",
  ]);
  for (const { quantity, unit, estimator, n, interval, value } of figures) {
    expect(unit).toBe("bits");
    expect(estimator.length).toBeGreaterThan(10);
    expect(n).toBe(/^(usable|entropy|mutual)/.test(quantity) ? 520 : 2600);
    if (quantity.startsWith("entropy")) continue;
    expect(interval![0]).toBeLessThanOrEqual(value + 1e-12);
    expect(interval![1]).toBeGreaterThanOrEqual(value - 1e-12);
  }
});

test("the figure of a unique factor pools both views: the mean of the two", () => {
  const { figures, bits } = usual;
  const turn = figures.find(({ quantity }) => quantity === "usable.turn.unique")!;
  expect(turn.value).toBeCloseTo((bits("usable.turn.unique_1") + bits("usable.turn.unique_2")) / 2, 12);
  expect(turn.estimator).toContain("mean over both views");
});

test("rates and the disagreement have their closed-form values", async () => {
  // Radius 1 and unit variance: 1/2 nat = 0.7213 bits. Variance 1/4 in two dimensions: 1/2 + (1/4 - 1 + ln 4) nats.
  const { bits } = await measured(plantedEncoder({ shift: 1, spread: 0 }), 600);
  expect(bits("rate.common")).toBeCloseTo(0.5 / Math.LN2, 5);
  expect(bits("rate.unique_1")).toBeCloseTo((0.5 - 0.75 + Math.log(4)) / Math.LN2, 5);
  expect(bits("disagreement.common")).toBeCloseTo(0.5 / Math.LN2, 5);
});

test("the rate of both encoders is the mean of theirs, which differ", async () => {
  const { bits } = await measured(plantedEncoder({ shift: 1, spread: 0 }), 600);
  expect(Math.abs(bits("rate.common") - bits("rate.common_2"))).toBeGreaterThan(0.1);
  expect(bits("rate.common_both")).toBeCloseTo((bits("rate.common") + bits("rate.common_2")) / 2, 12);
});

test("a learned prior is the one that rates are taken against", async () => {
  const encoded = await encodePairs(plantedEncoder({ spread: 0 }), plantedSource, { pairs: 600, seed: 3 });
  const priors = { common: { mean: [0, 0], logvar: [Math.log(2), Math.log(2)] } };
  const figures = measure(encoded, { seed: 3, factors: plantedFactors, priors });
  const rate = figures.find(({ quantity }) => quantity === "rate.common")!;
  // per dimension 1/2 ( ln 2 + (1 + m^2)/2 - 1 ), m^2 summing to 1 over the two dimensions
  expect(rate.value).toBeCloseTo((Math.LN2 - 0.25) / Math.LN2, 5);
  expect(rate.estimator).toContain("learned prior");
});

test("the same seed gives the same figures, and pairs do not depend on how many are asked for", async () => {
  const few = await measured(plantedEncoder(), 500);
  expect((await measured(plantedEncoder(), 500)).figures).toEqual(few.figures);
  expect(few.encoded.labels[0].class).toEqual(usual.encoded.labels[0].class!.subarray(0, 500));
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

test("a bound decides whether a figure is met; a published value alone does not", () => {
  const { figures } = usual;
  const { figures: judged } = compare(
    figures,
    [
      { quantity: "usable.class.common", unit: "bits", minimum: 1.5, source: "a test" },
      { quantity: "usable.turn.common", unit: "bits", minimum: 1.5, source: "a test" },
      { quantity: "usable.turn.unique_1", unit: "bits", maximum: 1, source: "a test" },
      { quantity: "usable.class.all", unit: "bits", paper: 3.3, source: "a test" },
    ],
    "reduced",
  );
  const met = (name: string) => judged.find(({ quantity }) => quantity === name)!;
  expect(met("usable.class.common")).toMatchObject({ met: true, minimum: 1.5 });
  expect(met("usable.turn.common").met).toBe(false);
  expect(met("usable.turn.unique_1")).toMatchObject({ met: false, maximum: 1 });
  expect(met("usable.class.all")).toMatchObject({ paper: 3.3 });
  expect(met("usable.class.all").met).toBeUndefined();
  expect(judged).toHaveLength(figures.length);
});

test("the whole training is held to its own bounds, a shorter one to those for it", () => {
  const { figures } = usual;
  const expected = [
    { quantity: "usable.class.common", unit: "bits", minimum: 1.5, full: { minimum: 2.5 }, source: "a test" },
    { quantity: "usable.turn.common", unit: "bits", full: { maximum: 0.5 }, source: "a test" },
  ];
  const judged = (budget: string) =>
    compare(figures, expected, budget).figures.filter(({ quantity }) =>
      expected.some((one) => one.quantity === quantity),
    );
  expect(judged("reduced").map(({ met, minimum }) => [met, minimum])).toEqual([
    [true, 1.5],
    [undefined, undefined],
  ]);
  expect(judged("full").map(({ met, minimum, maximum }) => [met, minimum, maximum])).toEqual([
    [false, 2.5, undefined],
    [true, undefined, 0.5],
  ]);
});

test("an expected quantity that nothing measures is told with the nearest name, and costs no figure", () => {
  const { figures } = usual;
  const expected = [{ quantity: "usable.clas.common", unit: "bits", minimum: 1, source: "a test" }];
  const judged = compare(figures, expected, "full");
  expect(judged.figures).toEqual(figures);
  const reason = 'the recipe expects it, and no figure has that name, did you mean "usable.class.common"?';
  expect(judged.notComputed).toEqual([{ quantity: "usable.clas.common", unit: "bits", estimator: "none", reason }]);
});

test("an expected quantity in another unit is refused", () => {
  const { figures } = usual;
  expect(() => compare(figures, [{ quantity: "usable.class.common", unit: "nats", source: "a test" }], "full")).toThrow(
    '"usable.class.common" must be in bits, got nats',
  );
});

test("common factors that a code lines up in mixed order are found jointly, though hardly one by one", () => {
  const pairs = 2500;
  const random = stream(6, "lined up");
  const shape = Int32Array.from({ length: pairs }, () => random.integer(3));
  const scale = Int32Array.from({ length: pairs }, () => random.integer(3));
  // Along the line the shapes come as 0 1 2 2 0 1 1 2 0: no single cut tells one from the others.
  const place = [0, 4, 8, 1, 5, 6, 2, 3, 7];
  const matrix = (value: (i: number) => number) => ({
    rows: pairs,
    columns: 1,
    values: Float32Array.from({ length: pairs }, (_, i) => value(i)),
  });
  const line = matrix((i) => place[shape[i]! * 3 + scale[i]!]! + 0.02 * random.normal());
  const noise = matrix(() => random.normal());
  const zero = matrix(() => 0);
  const codes = {
    common_mean: line,
    common_logvar: zero,
    common_1_mean: line,
    common_1_logvar: zero,
    common_2_mean: line,
    common_2_logvar: zero,
    unique_1_mean: noise,
    unique_1_logvar: zero,
    unique_2_mean: noise,
    unique_2_logvar: zero,
  };
  const factors = [
    { name: "shape", size: 3, role: "common" },
    { name: "scale", size: 3, role: "common" },
    { name: "still", size: 1, role: "common" },
  ] as const;
  const labels = { shape, scale, still: new Int32Array(pairs) };
  const figures = measureUsable({ codes, labels: [labels, labels] }, "means", { seed: 6, factors });
  const bits = (name: string) => figures.find(({ quantity }) => quantity === name)?.value;
  expect(bits("usable.common_factors.common")).toBeGreaterThan(Math.log2(9) - 0.15);
  expect(bits("entropy.common_factors")).toBeCloseTo(Math.log2(9), 1);
  expect(Math.abs(bits("usable.common_factors.unique_1")!)).toBeLessThan(0.08);
  expect(bits("usable.shape.common")).toBeLessThan(0.2);
  expect(bits("entropy.still")).toBeUndefined();
});

test("one common factor, or too many combinations of them, make no joint figure", () => {
  const { encoded, figures } = usual;
  expect(figures.some(({ quantity }) => quantity.includes("common_factors"))).toBe(false);
  const { class: shared } = encoded.labels[0];
  const wide = [
    { name: "class", size: 9, role: "common" },
    { name: "again", size: 9, role: "common" },
  ] as const;
  const labels = { class: shared!, again: shared! };
  const more = measureUsable({ codes: encoded.codes, labels: [labels, labels] }, "means", { seed: 3, factors: wide });
  expect(more.some(({ quantity }) => quantity.includes("common_factors"))).toBe(false);
});
