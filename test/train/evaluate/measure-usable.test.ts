import { expect, test } from "vitest";
import type { EncodedPairs } from "../../../train/evaluate/encode-pairs.ts";
import { measureUsable } from "../../../train/evaluate/measure-usable.ts";
import { stream } from "../../../train/random.ts";

const pairs = 5000;
const factors = [{ name: "sign", size: 2, role: "common" }] as const;

/** A code of one dimension whose mean is `distance` for one class and -`distance` for the other, with variance 1. */
function signs(distance: number): EncodedPairs {
  const random = stream(4, "signs");
  const sign = Int32Array.from({ length: pairs }, () => random.integer(2));
  const column = (value: (i: number) => number) => ({
    rows: pairs,
    columns: 1,
    values: Float64Array.from({ length: pairs }, (_, i) => value(i)),
  });
  return {
    codes: { common_mean: column((i) => distance * (2 * sign[i]! - 1)), common_logvar: column(() => 0) },
    labels: [{ sign }, { sign }],
  };
}

const bits = (encoded: EncodedPairs, kind: "means" | "drawn", quantity: string): number => {
  const figures = measureUsable(encoded, kind, { seed: 2, factors, classifier: "trees" });
  return figures.find((figure) => figure.quantity === quantity)!.value;
};

// One bit through noise: the capacity of the binary-input Gaussian channel at signal-to-noise ratio 1 is 0.4859 bits.
test("a drawn code tells what a sign through Gaussian noise can, however clearly the means show it", () => {
  const encoded = signs(1);
  expect(bits(encoded, "means", "usable.sign.common")).toBeGreaterThan(0.98);
  expect(Math.abs(bits(encoded, "drawn", "usable_drawn.sign.common") - 0.4859)).toBeLessThan(0.06);
});

test("means that differ by a thousandth of the posterior's noise tell everything, and a drawn code nothing", () => {
  const encoded = signs(0.0005);
  expect(bits(encoded, "means", "usable.sign.common")).toBeGreaterThan(0.98);
  expect(bits(encoded, "drawn", "usable_drawn.sign.common")).toBeLessThan(0.05);
});

test("a code without a posterior has no figure for drawn codes", () => {
  const { codes, labels } = signs(1);
  const plain: EncodedPairs = { codes: { common_mean: codes.common_mean! }, labels };
  expect(measureUsable(plain, "drawn", { seed: 2, factors })).toEqual([]);
  expect(measureUsable(plain, "means", { seed: 2, factors }).map(({ quantity }) => quantity)).toEqual([
    "entropy.sign",
    "usable.sign.common",
    "mutual_information.views.barber-agakov",
  ]);
});

test("the bound on what the views share adds up independent common factors, and is left out where they are not", () => {
  const random = stream(5, "two signs");
  const draw = () => Int32Array.from({ length: 1000 }, () => random.integer(2));
  const [first, second] = [draw(), draw()];
  const values = Float64Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? first : second)[at >> 1]!);
  const labels = { first, second };
  const encoded: EncodedPairs = {
    codes: { common_mean: { rows: 1000, columns: 2, values } },
    labels: [labels, labels],
  };
  const both = [
    { name: "first", size: 2, role: "common" },
    { name: "second", size: 2, role: "common" },
  ] as const;
  const bound = (commonInformationBits?: number) =>
    measureUsable(encoded, "means", { seed: 2, factors: both, commonInformationBits }).find(({ quantity }) =>
      quantity.startsWith("mutual_information"),
    )?.value;
  expect(Math.abs(bound(2)! - 2)).toBeLessThan(0.05);
  expect(bound(1.5)).toBeUndefined();
  expect(bound()).toBeUndefined();
});
