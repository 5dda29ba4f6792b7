import { expect, test } from "vitest";
import type { EncodedPairs } from "../../../train/evaluate/encode-pairs.ts";
import { measureCodes } from "../../../train/evaluate/measure-codes.ts";
import { stream } from "../../../train/random.ts";

const pairs = 500;
const random = stream(8, "clusters");
const draw = (): Int32Array => Int32Array.from({ length: pairs }, () => random.integer(8));

/** Two dimensions: place `label` of 8 on a circle of radius 2, seen with a standard deviation of `deviation`. */
function clusters(labels: Int32Array, deviation: number) {
  const values = (value: (i: number, j: number) => number) => ({
    rows: pairs,
    columns: 2,
    values: Float32Array.from({ length: 2 * pairs }, (_, at) => value(at >> 1, at & 1)),
  });
  return {
    mean: values((i, j) => 2 * Math.cos((Math.PI * labels[i]!) / 4 - (j * Math.PI) / 2)),
    logvar: values(() => 2 * Math.log(deviation)),
  };
}

function encodedWith(
  labels: { first: Int32Array; second: Int32Array; own: Int32Array },
  deviation = 0.05,
): EncodedPairs {
  const [first, second, own] = [labels.first, labels.second, labels.own].map((one) => clusters(one, deviation));
  const named = (name: string, { mean, logvar }: ReturnType<typeof clusters>) => ({
    [`${name}_mean`]: mean,
    [`${name}_logvar`]: logvar,
  });
  const codes = {
    ...named("common", first!),
    ...named("common_1", first!),
    ...named("common_2", second!),
    ...named("unique_1", own!),
    ...named("unique_2", own!),
  };
  return { codes, labels: [{}, {}] };
}

const measured = (encoded: EncodedPairs) => {
  const { figures, notComputed } = measureCodes(encoded, { seed: 1 });
  expect(notComputed).toEqual([]);
  for (const { unit, value, interval } of figures) {
    expect(unit).toBe("bits");
    expect([value, ...interval!].every(Number.isFinite)).toBe(true);
  }
  return (name: string) => figures.find(({ quantity }) => quantity === name)!.value;
};

const bounds = ["info-nce", "interpolated", "nwj", "donsker-varadhan"].map(
  (name) => `mutual_information.views.${name}`,
);

// Eight clusters that noise does not mix: 3 bits, up to the counts of 500 pairs (their entropy is 0.01 bits below).
test("codes that show one of eight things have 3 bits of aggregate rate, and so much is shared by the views", () => {
  const shared = draw();
  const bits = measured(encodedWith({ first: shared, second: shared, own: draw() }));
  for (const block of ["common", "unique_1", "unique_2"]) {
    expect(Math.abs(bits(`rate_aggregate.${block}.lower`) - 3)).toBeLessThan(0.1);
    expect(Math.abs(bits(`rate_aggregate.${block}.upper`) - 3)).toBeLessThan(0.1);
  }
  for (const bound of bounds) expect(Math.abs(bits(bound) - 3), bound).toBeLessThan(0.25);
});

test("views that share nothing have no positive bound", () => {
  const bits = measured(encodedWith({ first: draw(), second: draw(), own: draw() }, 2));
  for (const bound of bounds) expect(bits(bound), bound).toBeLessThan(0.1);
});

test("blocks that repeat each other have the total correlation of what they repeat, apart from that inside them", () => {
  const own = draw();
  const bits = measured(encodedWith({ first: own, second: own, own }));
  for (const bound of ["lower", "upper"]) {
    const of = (name: string) => bits(`total_correlation.${name}.${bound}`);
    const inside = ["common", "unique_1", "unique_2"].reduce((sum, name) => sum + of(name), 0);
    // Three blocks of 3 bits each, all the same: 9 - 3 bits, as each cluster is seen without a mistake.
    expect(Math.abs(of("all") - inside - 6), bound).toBeLessThan(0.3);
  }
});

test("constant codes have stated zeros: no rate, no total correlation, nothing shared", () => {
  const still = new Int32Array(pairs);
  const bits = measured(encodedWith({ first: still, second: still, own: still }));
  for (const block of ["common", "unique_1", "unique_2"]) {
    expect(bits(`rate_aggregate.${block}.lower`)).toBeCloseTo(0, 9);
    expect(bits(`rate_aggregate.${block}.upper`)).toBeCloseTo(0, 9);
  }
  expect(bits("total_correlation.all.lower")).toBeCloseTo(0, 9);
  expect(bits("total_correlation.all.upper")).toBeCloseTo(0, 9);
  // The baseline's share of the normal costs log2( 1 / 0.99 ) bits at most.
  for (const bound of bounds) expect(Math.abs(bits(bound)), bound).toBeLessThan(0.02);
});

// Aggregate posterior N(0, I): total correlation 0. One figure said 13 bits here, with an interval of 0.4 around it.
test("independent dimensions that are far narrower than the pairs are apart: 0 lies between the bounds", () => {
  const deviation = 0.09;
  const block = (columns: number, name: string) => {
    const { normal } = stream(8, "independent", name);
    const spread = Math.sqrt(1 - deviation ** 2);
    const filled = (value: () => number) => ({
      rows: pairs,
      columns,
      values: Float32Array.from({ length: pairs * columns }, value),
    });
    return {
      [`${name}_mean`]: filled(() => spread * normal()),
      [`${name}_logvar`]: filled(() => 2 * Math.log(deviation)),
    };
  };
  const codes = { ...block(3, "common"), ...block(2, "unique_1"), ...block(2, "unique_2") };
  const { figures } = measureCodes({ codes, labels: [{}, {}] }, { seed: 1 });
  expect(figures.some(({ quantity }) => quantity === "total_correlation.all")).toBe(false);
  for (const name of ["common", "unique_1", "unique_2", "all"]) {
    const [lower, upper] = ["lower", "upper"].map(
      (bound) => figures.find(({ quantity }) => quantity === `total_correlation.${name}.${bound}`)!,
    );
    expect(lower!.interval![0], name).toBeLessThan(0);
    expect(upper!.interval![1], name).toBeGreaterThan(0);
    expect(lower!.value, name).toBeLessThan(upper!.value);
    expect(lower!.estimator).toContain("500 pairs tell it of codes that hold less than log2 500 = 8.97 bits");
  }
});

test("codes without posteriors have no such figures", () => {
  const { codes } = encodedWith({ first: draw(), second: draw(), own: draw() });
  expect(measureCodes({ codes: { common_mean: codes.common_mean! }, labels: [{}, {}] }, { seed: 1 })).toEqual({
    figures: [],
    notComputed: [],
  });
});

// Two pairs of one place, with posteriors of deviation e^-100 in eight dimensions: each fits the other's code with a density of e^800.
test("a bound that overflows is named with the reason in the place of a figure, and the others stay", () => {
  const rows = 40;
  const random = stream(8, "narrow");
  const values = Float32Array.from({ length: 8 * rows }, () => 1 + random.normal());
  values.copyWithin(8 * (rows - 2), 8 * (rows - 1)); // the last two are test pairs
  const narrow = {
    mean: { rows, columns: 8, values },
    logvar: { rows, columns: 8, values: new Float32Array(8 * rows).fill(-200) },
  };
  const named = (name: string) => ({ [`${name}_mean`]: narrow.mean, [`${name}_logvar`]: narrow.logvar });
  const codes = { ...named("common"), ...named("common_1"), ...named("common_2") };
  const { figures, notComputed } = measureCodes({ codes, labels: [{}, {}] }, { seed: 1 });
  expect(notComputed).toContainEqual({
    quantity: "mutual_information.views.nwj",
    unit: "bits",
    estimator: expect.stringContaining("NWJ (8 pairs): lower bound on"),
    reason: "its value is -Infinity: among 8 pairs a stray one lies too far out for a double",
  });
  const quantities = figures.map(({ quantity }) => quantity);
  expect(quantities).toContain("mutual_information.views.info-nce");
  expect(quantities).not.toContain("mutual_information.views.nwj");
  for (const { value, interval } of figures) expect([value, ...interval!].every(Number.isFinite)).toBe(true);
});
