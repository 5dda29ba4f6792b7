import { describe, expect, test } from "vitest";
import { approximateGacsKorner } from "../../information/approximate-gacs-korner.ts";
import { doublySymmetricBinary } from "../../information/common-information-examples.ts";
import { conditionalEntropyBits } from "../../information/conditional-entropy.ts";
import { entropyBits } from "../../information/entropy.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import { type JointDistribution, jointFromOutcomes } from "../../information/joint-distribution.ts";
import { product } from "../../information/joint-operations.ts";
import { stochasticGacsKorner } from "../../information/stochastic-gacs-korner.ts";
import { stream } from "../../train/random.ts";
import { randomJoint, randoms, shared } from "./random-joint.ts";

/** The relaxations of Gacs and Korner's common information, which see what is common almost always. */

const xy = { x: "x", y: "y" };
/** Two components but for a bridge of probability 0.001: Gacs and Korner's information is 0. */
const bridged = jointFromOutcomes(
  ["x", "y"],
  [
    [[0, 0], 0.499],
    [[0, 1], 0.001],
    [[1, 1], 0.5],
  ],
);
const seeded = () => ({ uniform: stream(1, "search").uniform });

describe("approximateGacsKorner()", () => {
  test("is Gacs-Korner without slack and for a large weight, H(X) with all the slack and at weight 0", () => {
    for (const joint of randoms) {
      const exact = gacsKorner(joint).bits;
      expect(approximateGacsKorner(joint, xy, { slackBits: 0 }).bits).toBeCloseTo(exact, 12);
      expect(approximateGacsKorner(joint, xy, { weight: 1e6 }).bits).toBeCloseTo(exact, 12);
      const open = conditionalEntropyBits(joint, "x", "y");
      expect(approximateGacsKorner(joint, xy, { slackBits: open }).bits).toBeCloseTo(entropyBits(joint, "x"), 12);
      expect(approximateGacsKorner(joint, xy, { weight: 0 }).bits).toBeCloseTo(entropyBits(joint, "x"), 12);
    }
  });

  test("sees two components through a bridge of probability 0.001 that Gacs-Korner is blind to", () => {
    expect(gacsKorner(bridged).bits).toBe(0);
    const found = approximateGacsKorner(bridged, xy, { slackBits: 0.05 });
    expect(found.bits).toBeCloseTo(1, 5);
    expect(found.leakBits).toBeCloseTo(conditionalEntropyBits(bridged, "x", "y"), 12);
    expect(found.leakBits).toBeLessThan(0.05);
    expect([...found.classOf]).toEqual([0, 1]);
  });

  test("grows with the slack and keeps to it; the weighted form is the best of the trade-off", () => {
    for (const joint of randoms.slice(0, 6)) {
      const slacks = [0, 0.1, 0.3, 0.6, 1];
      const found = slacks.map((slackBits) => approximateGacsKorner(joint, xy, { slackBits }));
      for (const [k, { bits, leakBits }] of found.entries()) {
        expect(leakBits).toBeLessThanOrEqual(slacks[k]! + 1e-9);
        if (k > 0) expect(bits).toBeGreaterThanOrEqual(found[k - 1]!.bits - 1e-12);
      }
      const weighted = approximateGacsKorner(joint, xy, { weight: 2 });
      for (const { bits, leakBits } of found) {
        expect(weighted.bits - 2 * weighted.leakBits).toBeGreaterThanOrEqual(bits - 2 * leakBits - 1e-12);
      }
    }
  });

  test("refuses eleven symbols, and a slack or weight that is no amount", () => {
    expect(() => approximateGacsKorner(randomJoint(1, ["x", "y"], { sizes: [11, 2] }), xy, { slackBits: 0 })).toThrow(
      '"x" must have at most 10 symbols, got 11',
    );
    expect(() => approximateGacsKorner(randoms[0]!, xy, { slackBits: -1 })).toThrow('"slackBits" must be at least 0');
    expect(() => approximateGacsKorner(randoms[0]!, xy, { weight: Number.NaN })).toThrow('"weight" must be at least 0');
    const infinite = () => approximateGacsKorner(randoms[0]!, xy, { weight: Number.POSITIVE_INFINITY });
    expect(infinite).toThrow('"weight" must be at most 1000000000000 (slackBits 0 allows no leak), got Infinity');
  });
});

describe("stochasticGacsKorner()", () => {
  const relaxed = (joint: JointDistribution, weight: number) =>
    stochasticGacsKorner(joint, xy, { ...seeded(), weight });

  test("at weight 0 is the mean entropy, and never below Gacs-Korner at any weight", () => {
    for (const joint of randoms.slice(0, 3)) {
      const mean = (entropyBits(joint, "x") + entropyBits(joint, "y")) / 2;
      expect(relaxed(joint, 0).objectiveBits).toBeCloseTo(mean, 4);
      for (const weight of [1, 20]) {
        expect(relaxed(joint, weight).objectiveBits).toBeGreaterThanOrEqual(gacsKorner(joint).bits - 1e-12);
      }
    }
  });

  test("falls with the weight to Gacs-Korner: the exact constraint leaves nothing to stochastic maps", () => {
    const joint = product(shared("c", 2), doublySymmetricBinary(0.1).joint);
    const sides = { x: ["c1", "x"], y: ["c2", "y"] };
    const values = [0, 0.5, 2, 10, 1000].map((weight) => stochasticGacsKorner(joint, sides, { ...seeded(), weight }));
    for (const [k, { objectiveBits }] of values.entries()) {
      if (k > 0) expect(objectiveBits).toBeLessThanOrEqual(values[k - 1]!.objectiveBits + 1e-6);
    }
    expect(values[0]!.objectiveBits).toBeCloseTo(2, 4);
    expect(values.at(-1)!.objectiveBits).toBeCloseTo(1, 3);
  });

  test("counts a component behind a bridge of probability 0.001, at a small disagreement", () => {
    const { informationBits, disagreementBits } = relaxed(bridged, 5);
    expect(gacsKorner(bridged).bits).toBe(0);
    expect(informationBits).toBeGreaterThan(0.95);
    expect(disagreementBits).toBeLessThan(0.02);
  });

  test("the channels are distributions, and the figures follow from them", () => {
    const joint = randoms[2]!;
    const { q1, q2, objectiveBits, informationBits, disagreementBits } = relaxed(joint, 0.2);
    expect(objectiveBits).toBeCloseTo(informationBits - 0.2 * disagreementBits, 12);
    expect(objectiveBits).toBeGreaterThan(0.05);
    for (const q of [q1, q2]) {
      for (let row = 0; row < q.length; row += 4) {
        expect(q.slice(row, row + 4).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
      }
    }
    const rows = q1.length / 4;
    const columns = q2.length / 4;
    let disagreement = 0;
    for (const [at, p] of joint.probabilities.entries()) {
      const [i, j] = [joint.outcomes[2 * at]!, joint.outcomes[2 * at + 1]!];
      for (let z = 0; z < 4; z++) disagreement += p * q1[4 * i + z]! * Math.log2(q1[4 * i + z]! / q2[4 * j + z]!);
    }
    expect([rows, columns]).toEqual([4, 3]);
    expect(disagreement).toBeCloseTo(disagreementBits, 10);
  });

  test("no weight turns rounding into information: 0 of a symmetric source at a weight of 1e12", () => {
    const { objectiveBits, disagreementBits } = relaxed(doublySymmetricBinary(0.1).joint, 1e12);
    expect(disagreementBits).toBeGreaterThanOrEqual(0);
    expect(objectiveBits).toBeLessThan(1e-9);
  });

  test("refuses a weight or an alphabet that is none", () => {
    expect(() => relaxed(randoms[0]!, -1)).toThrow('"weight" must be from 0 to 1000000000000, got -1');
    expect(() => relaxed(randoms[0]!, 1e308)).toThrow('"weight" must be from 0 to 1000000000000, got 1e+308');
    expect(() => relaxed(randoms[0]!, Number.POSITIVE_INFINITY)).toThrow("got Infinity");
    expect(() => stochasticGacsKorner(randoms[0]!, xy, { ...seeded(), weight: 1, symbols: 0 })).toThrow(
      '"symbols" must be a whole number above 0, got 0',
    );
  });
});
