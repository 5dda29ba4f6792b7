import { expect, test } from "vitest";
import { planPhases } from "../../../train/engine/plan.ts";
import type { Phase } from "../../../train/models/family.ts";

function phases(...shares: number[]): Phase[] {
  return shares.map((share, i) => ({ name: `phase ${i}`, share, players: [], scalars: {}, losses: () => ({}) }));
}

const spans = (shares: number[], steps: number) =>
  planPhases(phases(...shares), steps).map(({ begin, end }) => [begin, end]);

test("phases divide the steps by their shares, without gap or overlap", () => {
  expect(spans([1], 40)).toEqual([[0, 40]]);
  expect(spans([0.25, 0.75], 40)).toEqual([
    [0, 10],
    [10, 40],
  ]);
  expect(spans([1 / 3, 1 / 3, 1 / 3], 10)).toEqual([
    [0, 3],
    [3, 7],
    [7, 10],
  ]);
});

test("too few steps for a phase is the caller's mistake and names it", () => {
  expect(() => spans([0.01, 0.99], 10)).toThrow(
    'Cannot train: training.steps must give every phase a step, got 10, of which "phase 0" has none',
  );
});

test("shares that do not sum to 1 are a defect of the family", () => {
  expect(() => spans([0.5, 0.4], 10)).toThrow("must sum to 1, got 0.9");
  expect(() => spans([], 10)).toThrow("must sum to 1, got 0");
});
