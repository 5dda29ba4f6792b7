import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { tallied, talliedHistogram } from "../../../serve/edge/tallies.ts";

/** Both in one: what ours write must be what prom-client writes for the same observations. */
const name = "shop_seconds";
const help = "Time in the shop";
const labelNames = ["street", "door"];

const labels = fc.tuple(fc.constantFrom("high", "low"), fc.constantFrom("1", "2", 'a "quoted" one'));

test("a tallied histogram is written as prom-client writes its own, whatever is observed", async () => {
  const bounds = [0.5, 1, 2.5];
  const value = fc.oneof(fc.constantFrom(0, 0.5, 1, 2.5, 1e9), fc.double({ min: 0, max: 5, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(value, labels), { maxLength: 30 }), async (observations) => {
      const [ours, theirs] = [new Registry(), new Registry()];
      const note = talliedHistogram({ name, help, labelNames, bounds, registry: ours });
      const histogram = new Histogram({ name, help, labelNames, buckets: bounds, registers: [theirs] });
      for (const [seconds, [street, door]] of observations) {
        note(seconds, street, door);
        histogram.observe({ street, door }, seconds);
      }
      expect(await ours.metrics()).toBe(await theirs.metrics());
      expect(await ours.metrics(), "asked again").toBe(await theirs.metrics());
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("a tallied counter is written as prom-client writes its own", async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const add = tallied({ name, help, labelNames, registry: ours });
  const counter = new Counter({ name, help, labelNames, registers: [theirs] });
  for (const [by, street, door] of [
    [1, "high", "1"],
    [2.5, "low", "1"],
    [3, "high", "1"],
  ] as const) {
    add(by, street, door);
    counter.inc({ street, door }, by);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
});
