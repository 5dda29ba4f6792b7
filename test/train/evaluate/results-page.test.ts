import { expect, test } from "vitest";
import type { PublishedRow } from "../../../schemas/published-results.ts";
import { resultsPage } from "../../../train/evaluate/results-page.ts";

const row = (quantity: string, more: Partial<PublishedRow> = {}): PublishedRow => ({
  experiment: "digits",
  quantity,
  unit: "bits",
  ours: 1.5,
  estimator: "linear probe",
  seeds: [0],
  budget: "reduced: 100 steps of 8",
  device: "cpu",
  command: "cominfo train digits",
  date: "2026-01-02",
  commit: "abc",
  ...more,
});

const words = new Map([
  ["digits", { title: "Digits", source: "a paper, figure 1", expected: ["usable.label.common", "rate.common"] }],
]);

test("resultsPage() shows what a recipe expects in its order, and folds the rest", () => {
  const rows = [
    row("entropy.label", { ours: 3.3 }),
    row("purity", { unit: "1", ours: -0.0001 }),
    row("rate.common", { paper: 2, interval: [1, 2] }),
    row("usable.label.common", { minimum: 2, maximum: 4, met: false }),
  ];
  expect(resultsPage(rows, words).split("\n\n")).toEqual([
    [
      "| experiment | bounds met | budget | seeds | date |",
      "| --- | --- | --- | --- | --- |",
      "| [digits](#digits) | 0 of 1 | reduced: 100 steps of 8 | 0 | 2026-01-02 |",
    ].join("\n"),
    "### digits",
    "Digits. Source: a paper, figure 1.",
    "Budget reduced: 100 steps of 8; seed 0; cpu; 2026-01-02; 0 of 1 bounds met. Repeat with `cominfo train digits`.",
    [
      "| figure | paper | ours | 95 % interval | wanted | met |",
      "| --- | --- | --- | --- | --- | --- |",
      "| `usable.label.common` |  | 1.500 bits |  | ≥ 2, ≤ 4 | **no** |",
      "| `rate.common` | 2.000 | 1.500 bits | 1.000 to 2.000 |  |  |",
    ].join("\n"),
    "<details><summary>Other figures (2)</summary>",
    [
      "| figure | ours | 95 % interval |",
      "| --- | --- | --- |",
      "| `entropy.label` | 3.300 bits |  |",
      "| `purity` | 0.000 |  |",
    ].join("\n"),
    "</details>",
  ]);
});

test("resultsPage() keeps figures of different trainings apart, and does without the recipe's words", () => {
  const page = resultsPage(
    [row("a", { experiment: "own", seeds: [0, 1] }), row("b", { experiment: "own", budget: "full: 7 steps of 8" })],
    words,
  );
  expect(page.match(/\[own\]\(#own\)/g)).toHaveLength(2);
  expect(page.match(/^### own$/gm)).toHaveLength(1);
  expect(page).toContain("seeds 0, 1; cpu");
  expect(page).toContain("| figure | ours | smallest to largest |");
  const swept = resultsPage([row("a", { seeds: [0, 1], command: "cominfo sweep x" })], words);
  expect(swept).toContain("| figure | ours | 95 % interval |");
  expect(page).toContain("Budget full: 7 steps of 8; seed 0");
  expect(page).toContain("<details><summary>All figures (1)</summary>");
});

test("resultsPage() wants a sweep's effects to be clear, so that a miss with the claimed sign is no riddle", () => {
  const command = "cominfo sweep x";
  const rows = [
    row("rate_trend", { unit: "1", ours: -1, maximum: 0, met: false, command }),
    row("mig_gain.a.over.b", { unit: "1", ours: 0.1, minimum: 0, met: false, command }),
  ];
  const page = resultsPage(rows, words);
  expect(page).toContain("| `rate_trend` |  | -1.000 |  | clearly below 0 | **no** |");
  expect(page).toContain("| `mig_gain.a.over.b` |  | 0.100 |  | clearly above 0 | **no** |");
  expect(page).toContain("of a trend p is at most 0.05");
  expect(resultsPage([row("rate", { maximum: 0, met: true })], words)).not.toContain("learly");
});
