import { expect, test } from "vitest";
import { stream } from "../../../train/random.ts";
import { entropyFigure, finiteOnly, meanFigure } from "../../../train/evaluate/figures.ts";

test("the interval of an entropy holds the figure and the source's entropy, which the figure is below", () => {
  const random = stream(2, "labels");
  for (const classes of [2, 8, 64]) {
    const labels = Int32Array.from({ length: 500 }, () => random.integer(classes));
    const { value, interval, n, estimator } = entropyFigure("entropy.label", labels, {
      classes,
      of: "test labels",
      seed: 1,
    });
    expect(interval![0]).toBeLessThanOrEqual(value);
    expect(interval![1]).toBeGreaterThan(Math.log2(classes) - 0.01);
    expect(interval![1]).toBeLessThanOrEqual(Math.log2(classes));
    expect(interval![1] - interval![0]).toBeLessThan(0.15);
    expect([n, estimator]).toEqual([
      500,
      "entropy of the test labels, plug-in; interval mirrored, as the plug-in is low",
    ]);
  }
});

test("labels that are far from even have an entropy within an interval on both sides", () => {
  const random = stream(2, "uneven");
  const labels = Int32Array.from({ length: 500 }, () => (random.uniform() < 0.1 ? 1 : 0));
  const { value, interval } = entropyFigure("entropy.label", labels, { classes: 2, of: "test labels", seed: 1 });
  expect(interval![0]).toBeLessThan(value - 0.03);
  expect(interval![1]).toBeGreaterThan(value + 0.03);
  expect(interval![0]).toBeLessThan(0.469); // h(0.1)
  expect(interval![1]).toBeGreaterThan(0.469);
});

test("a mean of rows of which one is not finite is no figure, and the reader is told so", () => {
  const rows = Float64Array.of(1, Number.POSITIVE_INFINITY, 2);
  const { figures, notComputed } = finiteOnly([meanFigure("rate", rows, { estimator: "mean", seed: 1 })]);
  expect(figures).toEqual([]);
  expect(notComputed).toMatchObject([{ quantity: "rate", reason: expect.stringContaining("its value is Infinity") }]);
});
