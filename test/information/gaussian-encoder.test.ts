import { expect, test } from "vitest";
import { encoderInformation } from "../../information/gaussian-encoder.ts";
import { stream } from "../../train/random.ts";

/** Means of 16 inputs in 3 latents, of which the third repeats the first: codes that tell things twice. */
function means(seed: number) {
  const random = stream(seed, "means");
  const values = new Float64Array(48);
  for (let i = 0; i < 16; i++) {
    const [a, b] = [random.normal(), random.normal()];
    values.set([a, b, a], 3 * i);
  }
  return { rows: 16, columns: 3, values };
}

const samples = 4000;

test.each([0.3, 0.7, 1.5])(
  "theorem 2: with factorised noise of deviation %d, TC + I is the sum of the latents' information",
  (deviation) => {
    const found = encoderInformation(
      { means: means(1), deviation, correlation: 0 },
      { samples, draw: stream(2, "draw") },
    );
    const { totalCorrelation: tc, information, informationSum: sum } = found;
    expect(found.conditionalTotalCorrelation).toBeCloseTo(0, 12);
    // Three independent estimates: within four standard errors of their difference.
    const error = Math.hypot(tc.standardError, information.standardError, sum.standardError);
    expect(error).toBeLessThan(0.06);
    expect(Math.abs(tc.nats + information.nats - sum.nats)).toBeLessThan(4 * error);
    expect(tc.nats).toBeGreaterThan(0);
  },
);

test.each([0.5, 0.9])(
  "theorem 1: with noise correlated by %d, they differ by the total correlation of the noise",
  (correlation) => {
    const encoder = { means: means(3), deviation: 0.5, correlation };
    const found = encoderInformation(encoder, { samples, draw: stream(4, "draw") });
    const { totalCorrelation: tc, information, informationSum: sum, conditionalTotalCorrelation: noise } = found;
    const error = Math.hypot(tc.standardError, information.standardError, sum.standardError);
    expect(noise).toBeGreaterThan(4 * error); // else the test could not tell it from 0
    expect(Math.abs(tc.nats + information.nats - sum.nats - noise)).toBeLessThan(4 * error);
  },
);

test("the total correlation of noise in two latents is -1/2 ln(1 - sigma^2)", () => {
  const two = { rows: 1, columns: 2, values: Float64Array.of(0, 0) };
  for (const correlation of [0, 0.3, 0.9]) {
    const found = encoderInformation({ means: two, deviation: 2, correlation }, { samples: 2, draw: stream(1, "x") });
    expect(found.conditionalTotalCorrelation).toBeCloseTo(-0.5 * Math.log(1 - correlation ** 2), 12);
    expect(found.information.nats).toBeCloseTo(0, 12); // one input: nothing to tell
  }
});

test("a code of well separated inputs tells which of them it was: ln 16 nats", () => {
  const apart = { rows: 16, columns: 1, values: Float64Array.from({ length: 16 }, (_, i) => 100 * i) };
  const draw = stream(1, "apart");
  const found = encoderInformation({ means: apart, deviation: 1, correlation: 0 }, { samples: 10, draw });
  expect(found.information.nats).toBeCloseTo(Math.log(16), 9);
  expect(found.totalCorrelation.nats).toBeCloseTo(0, 9);
});

test("settings that mean nothing are refused", () => {
  const draw = stream(1, "x");
  const encoder = { means: means(1), deviation: 1, correlation: 0 };
  expect(() => encoderInformation({ ...encoder, deviation: 0 }, { samples, draw })).toThrow(RangeError);
  expect(() => encoderInformation({ ...encoder, correlation: 1 }, { samples, draw })).toThrow(RangeError);
  expect(() => encoderInformation(encoder, { samples: 1, draw })).toThrow(RangeError);
});
