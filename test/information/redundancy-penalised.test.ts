import { expect, test } from "vitest";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import {
  andTask,
  imperfectRedundancyTask,
  redundantXorTask,
  uniqueTask,
} from "../../information/redundancy-examples.ts";
import { redundancyPenalisedBits } from "../../information/redundancy-penalised.ts";

const given = { sources: ["x1", "x2"], target: "y" };

// The closed form: the optimum moves from the two sources' own bits to nothing between weights 1/2 and 1.
for (const [weight, bits] of [
  [0.3, 1],
  [0.6, Math.log2(1 / 0.6)],
  [0.8, Math.log2(1 / 0.8)],
  [1.5, 0],
] as const) {
  test(`UNQ keeps ${bits.toFixed(3)} bits at its exact optimum under weight ${weight}`, () => {
    expect(Math.abs(redundancyPenalisedBits(uniqueTask(), given, weight) - bits)).toBeLessThan(1e-3);
  });
}

test("without a weight the optimum is the mean of what each source tells alone", () => {
  for (const task of [andTask(), redundantXorTask(), imperfectRedundancyTask()]) {
    const alone = [1, 2].map((i) => mutualInformationBits(task, `x${i}`, "y"));
    expect(redundancyPenalisedBits(task, given, 0)).toBeCloseTo((alone[0]! + alone[1]!) / 2, 5);
  }
});

test("a large weight takes AND to 0, RDNXOR to its common bit, and leaves IMPERFECTRDN almost whole", () => {
  expect(redundancyPenalisedBits(andTask(), given, 4)).toBeCloseTo(0, 3);
  expect(redundancyPenalisedBits(redundantXorTask(), given, 4)).toBeCloseTo(1, 3);
  const imperfect = redundancyPenalisedBits(imperfectRedundancyTask(), given, 4);
  expect(imperfect).toBeGreaterThan(0.99);
  expect(imperfect).toBeLessThan(0.995);
});

test("a weight that is not a number of at least 0 is refused", () => {
  expect(() => redundancyPenalisedBits(andTask(), given, -1)).toThrow(
    `Cannot optimise RINE's objective: "weight" must be finite and not negative, got -1`,
  );
});
