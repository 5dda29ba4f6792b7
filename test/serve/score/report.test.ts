import { expect, test } from "vitest";
import { describeOutcome } from "../../../serve/score/report.ts";

test("an interrupted run says how many of its rows are done, not how many there are", () => {
  const rows = { total: 1000, before: 100, scored: 250, rejected: 3 };
  const seconds = { opening: 1, scoring: 5, finishing: 0 };
  expect(describeOutcome({ manifest: undefined, rows, seconds, interrupted: true })).toBe(
    "350 of 1000 rows (100 were done before) in 6.0 s, 50 rows/s; 3 rejected",
  );
});
