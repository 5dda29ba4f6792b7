import { expect, test } from "vitest";
import { stream } from "../../../information/random.ts";
import { createRowSums, quantitiesOf, summarise } from "../../../serve/score/summary.ts";

/** The summary of Gaussian codes against the closed forms, written out here anew. */

const count = 400;
const names = ["common_mean", "common_logvar", "common_1_mean", "common_1_logvar", "common_2_mean", "common_2_logvar"];
const specs = names.map((name) => ({ name, dtype: "float32" as const, shape: [-1, 2], description: "" }));
const random = stream(11, "codes");
const outputs = Object.fromEntries(
  names.map((name) => [name, { data: Float32Array.from({ length: 2 * count }, () => random.normal()) }]),
);
const code = (name: string, i: number): [mean: number, variance: number] => {
  return [outputs[`${name}_mean`]!.data[i]!, Math.exp(outputs[`${name}_logvar`]!.data[i]!)];
};
/** KL(N(m, v) || N(n, w)) in bits. */
const bits = ([m, v]: [number, number], [n, w]: [number, number]): number =>
  (v / w + (m - n) ** 2 / w - 1 + Math.log(w / v)) / 2 / Math.LN2;
const perRow = (of: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, row) => of(2 * row) + of(2 * row + 1));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function summaryOf(...ends: readonly number[]) {
  const parts = ends.map((end, k) => {
    const sums = createRowSums(quantitiesOf(specs));
    for (let row = ends[k - 1] ?? 0; row < end; row++) sums.add(outputs, row, row);
    return sums.finish();
  });
  return new Map(summarise(parts, specs).map((row) => [row.quantity, row]));
}

test("rates and disagreement in bits are the closed forms' means, whatever the parts", () => {
  const disagreement = perRow((i) => {
    const [first, second] = [code("common_1", i), code("common_2", i)];
    return (bits(first, second) + bits(second, first)) / 2;
  });
  const rates = perRow((i) => bits(code("common", i), [0, 1]));
  for (const summary of [summaryOf(count), summaryOf(7, 100, count)]) {
    expect(summary.get("rate.common")?.value).toBeCloseTo(mean(rates), 5);
    expect(summary.get("disagreement.encoders")?.value).toBeCloseTo(mean(disagreement), 5);
    const dimensions = [0, 1].map((k) => summary.get(`rate.common.${k}`)!.value);
    expect(dimensions[0]! + dimensions[1]!).toBeCloseTo(mean(rates), 5);
    expect(summary.get("rate.common")?.rows).toBe(count);
  }
});

test("the interval of a mean is as wide as its standard error says", () => {
  const rates = perRow((i) => bits(code("common", i), [0, 1]));
  const centre = mean(rates);
  const error = Math.sqrt(mean(rates.map((rate) => (rate - centre) ** 2)) / count);
  const [low, high] = summaryOf(count).get("rate.common")!.interval!;
  expect(low!).toBeLessThan(centre);
  expect(high!).toBeGreaterThan(centre);
  // The quantiles of 200 replicates have a standard error of 0.19 standard deviations: 7 % of the width.
  expect((high! - low!) / (2 * 1.96 * error)).toBeGreaterThan(0.75);
  expect((high! - low!) / (2 * 1.96 * error)).toBeLessThan(1.25);
});
