import { expect, test } from "vitest";
import { conditionalEntropyBits } from "../../information/conditional-entropy.ts";
import { conditionalMutualInformationBits } from "../../information/conditional-mutual-information.ts";
import { dualTotalCorrelationBits } from "../../information/dual-total-correlation.ts";
import { entropyBits } from "../../information/entropy.ts";
import { jointFromOutcomes, jointFromRows, jointFromTable } from "../../information/joint-distribution.ts";
import { coarsen, marginal, product } from "../../information/joint-operations.ts";
import { labelEntropy } from "../../information/label-entropy.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { xorTask } from "../../information/redundancy-examples.ts";
import { totalCorrelationBits } from "../../information/total-correlation.ts";
import { stream } from "../../train/random.ts";
import { randomJoint } from "./random-joint.ts";

/** Cover & Thomas 2006, example 2.2.1: x in columns 1/2, 1/4, 1/8, 1/8, y in rows 1/4 each. */
const coverThomas = jointFromTable(
  [
    { name: "y", symbols: ["1", "2", "3", "4"] },
    { name: "x", symbols: ["1", "2", "3", "4"] },
  ],
  [4, 2, 1, 1, 2, 4, 1, 1, 2, 2, 2, 2, 8, 0, 0, 0].map((n) => n / 32),
);

test("the example of Cover & Thomas: H(X) 7/4, H(Y) 2, H(X|Y) 11/8, H(Y|X) 13/8, H(X,Y) 27/8, I 3/8 bits", () => {
  expect(entropyBits(coverThomas, "x")).toBeCloseTo(7 / 4, 14);
  expect(entropyBits(coverThomas, "y")).toBeCloseTo(2, 14);
  expect(conditionalEntropyBits(coverThomas, "x", "y")).toBeCloseTo(11 / 8, 14);
  expect(conditionalEntropyBits(coverThomas, "y", "x")).toBeCloseTo(13 / 8, 14);
  expect(entropyBits(coverThomas)).toBeCloseTo(27 / 8, 14);
  expect(mutualInformationBits(coverThomas, "x", "y")).toBeCloseTo(3 / 8, 14);
});

test("parity of n bits: total correlation 1 bit, dual total correlation n - 1, pairs independent", () => {
  for (const n of [3, 4, 5]) {
    const names = Array.from({ length: n }, (_, k) => `b${k}`);
    const rows = Array.from({ length: 2 ** (n - 1) }, (_, i) => {
      const bits = Array.from({ length: n - 1 }, (_, k) => (i >> k) & 1);
      return [...bits, bits.reduce((sum, bit) => sum ^ bit, 0)];
    });
    const parity = jointFromRows(names, rows);
    expect(totalCorrelationBits(parity)).toBeCloseTo(1, 12);
    expect(dualTotalCorrelationBits(parity)).toBeCloseTo(n - 1, 12);
    expect(mutualInformationBits(parity, "b0", "b1")).toBe(0);
  }
});

test("a giant bit of n variables: total correlation n - 1 bits, dual total correlation 1", () => {
  for (const n of [2, 3, 5]) {
    const names = Array.from({ length: n }, (_, k) => `b${k}`);
    const giant = jointFromRows(names, [new Array<number>(n).fill(0), new Array<number>(n).fill(1)]);
    expect(totalCorrelationBits(giant)).toBeCloseTo(n - 1, 12);
    expect(dualTotalCorrelationBits(giant)).toBeCloseTo(1, 12);
  }
});

test("XOR: the inputs are independent, and share 1 bit given the output", () => {
  expect(mutualInformationBits(xorTask(), "x1", "x2")).toBe(0);
  expect(conditionalMutualInformationBits(xorTask(), { x: "x1", y: "x2", given: "y" })).toBeCloseTo(1, 14);
});

test("entropyBits() of rows is labelEntropy() of the labels", () => {
  const random = stream(1, "labels");
  const labels = Int32Array.from({ length: 500 }, () => random.integer(7));
  const joint = jointFromRows(
    ["label"],
    Array.from(labels, (label) => [label]),
  );
  expect(entropyBits(joint)).toBeCloseTo(labelEntropy(labels, 7), 12);
});

test("a certain variable has no entropy and shares nothing, exactly 0", () => {
  const joint = jointFromOutcomes(
    ["x", "y"],
    [
      [["a", 0], 0.5],
      [["a", 1], 0.5],
    ],
  );
  expect(entropyBits(joint, "x")).toBe(0);
  expect(mutualInformationBits(joint, "x", "y")).toBe(0);
});

const seeds = Array.from({ length: 25 }, (_, seed) => seed);

test("chain rules, symmetry and H(X, X) = H(X) hold for random distributions", () => {
  for (const seed of seeds) {
    const joint = randomJoint(seed, ["x", "y", "z"], { sizes: [3, 4, 2], zeros: 0.3 });
    const whole = entropyBits(joint);
    expect(entropyBits(joint, "x") + conditionalEntropyBits(joint, ["y", "z"], "x")).toBeCloseTo(whole, 12);
    expect(
      mutualInformationBits(joint, "x", "z") + conditionalMutualInformationBits(joint, { x: "y", y: "z", given: "x" }),
    ).toBeCloseTo(mutualInformationBits(joint, ["x", "y"], "z"), 12);
    expect(mutualInformationBits(joint, "x", "y")).toBeCloseTo(mutualInformationBits(joint, "y", "x"), 12);
    expect(mutualInformationBits(joint, "x", "x")).toBeCloseTo(entropyBits(joint, "x"), 12);
    expect(conditionalEntropyBits(joint, "x", ["x", "y"])).toBe(0);
  }
});

test("total correlation is a sum of mutual informations, and for two variables all three quantities are one", () => {
  for (const seed of seeds) {
    const joint = randomJoint(seed, ["x", "y", "z"], { sizes: [3, 4, 2], zeros: 0.3 });
    const steps = mutualInformationBits(joint, "x", "y") + mutualInformationBits(joint, ["x", "y"], "z");
    expect(totalCorrelationBits(joint)).toBeCloseTo(steps, 12);
    const two = marginal(joint, ["x", "y"]);
    expect(totalCorrelationBits(two)).toBeCloseTo(mutualInformationBits(two, "x", "y"), 12);
    expect(dualTotalCorrelationBits(two)).toBeCloseTo(mutualInformationBits(two, "x", "y"), 12);
    expect(totalCorrelationBits(joint, [["x", "y"], "z"])).toBeCloseTo(
      mutualInformationBits(joint, ["x", "y"], "z"),
      12,
    );
  }
});

test("data processing: a function of a variable tells no more, and conditioning does not raise entropy", () => {
  for (const seed of seeds) {
    const joint = randomJoint(seed, ["x", "y"], { sizes: [4, 3] });
    const coarse = coarsen(joint, "x", (symbol) => (symbol < "x2" ? "low" : "high"));
    expect(mutualInformationBits(coarse, "x", "y")).toBeLessThanOrEqual(mutualInformationBits(joint, "x", "y") + 1e-12);
    expect(conditionalEntropyBits(joint, "x", "y")).toBeLessThanOrEqual(entropyBits(joint, "x") + 1e-12);
  }
});

test("independent parts add", () => {
  const first = randomJoint(1, ["a", "b"], { sizes: [3, 3] });
  const second = randomJoint(2, ["c", "d"], { sizes: [2, 4] });
  const both = product(first, second);
  expect(entropyBits(both)).toBeCloseTo(entropyBits(first) + entropyBits(second), 12);
  expect(mutualInformationBits(both, ["a", "c"], ["b", "d"])).toBeCloseTo(
    mutualInformationBits(first, "a", "b") + mutualInformationBits(second, "c", "d"),
    12,
  );
  expect(mutualInformationBits(both, ["a", "b"], ["c", "d"])).toBeLessThan(1e-14);
  expect(() => dualTotalCorrelationBits(first, ["a"])).toThrow("there must be two variables, got 1");
});
