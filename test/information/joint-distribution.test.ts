import { describe, expect, test } from "vitest";
import { entropyBits } from "../../information/entropy.ts";
import { infoReport } from "../../information/info-report.ts";
import {
  combinations,
  type JointDistribution,
  jointFromCounts,
  jointFromOutcomes,
  jointFromRows,
  jointFromTable,
  selectedIndices,
} from "../../information/joint-distribution.ts";
import { coarsen, conditional, marginal, product, regroup } from "../../information/joint-operations.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { randomJoint } from "./random-joint.ts";

const x = { name: "x", symbols: ["a", "b"] };
const y = { name: "y", symbols: ["0", "1", "2"] };

/** Outcome -> probability, for comparison whatever the order. */
function asRecord({ variables, outcomes, probabilities }: JointDistribution): Record<string, number> {
  const width = variables.length;
  return Object.fromEntries(
    [...probabilities].map((p, i) => [
      variables.map(({ symbols }, k) => symbols[outcomes[i * width + k]!]).join(" "),
      p,
    ]),
  );
}

test("a table, its outcomes, its counts and its rows make the same distribution", () => {
  const expected = { "a 0": 0.25, "a 2": 0.5, "b 1": 0.25 };
  expect(asRecord(jointFromTable([x, y], [0.25, 0, 0.5, 0, 0.25, 0]))).toEqual(expected);
  expect(asRecord(jointFromCounts([x, y], [1, 0, 2, 0, 1, 0]))).toEqual(expected);
  const rows = [
    ["a", 0],
    ["a", 2],
    ["b", 1],
    ["a", 2],
  ] as const;
  expect(asRecord(jointFromRows(["x", "y"], rows))).toEqual(expected);
  expect(asRecord(jointFromRows(["x", "y"], [...rows, ["a", 1]], [0.5, 0.5, 0.5, 0.5, 0]))).toEqual(expected);
  const outcomes = [
    [["a", 0], 0.25],
    [["a", 2], 0.5],
    [["b", 1], 0.25],
    [["b", 2], 0],
  ] as const;
  expect(asRecord(jointFromOutcomes(["x", "y"], outcomes))).toEqual(expected);
});

test("rows keep the alphabet in the order of first occurrence, outcomes of probability 0 keep their symbols", () => {
  expect(jointFromRows(["x"], [["b"], ["a"], ["b"]]).variables).toEqual([{ name: "x", symbols: ["b", "a"] }]);
  const joint = jointFromOutcomes(
    ["x"],
    [
      [["a"], 1],
      [["never"], 0],
    ],
  );
  expect(joint.variables[0]!.symbols).toEqual(["a", "never"]);
  expect(joint.probabilities).toHaveLength(1);
});

describe("bad input is refused with the cell named", () => {
  const cases: [string, () => unknown, string][] = [
    [
      "a negative cell",
      () => jointFromTable([x, y], [0.5, 0.6, -0.1, 0, 0, 0]),
      "cell (x = a, y = 2) must be finite and not negative, got -0.1",
    ],
    [
      "a NaN",
      () => jointFromTable([x, y], [0.5, 0.5, 0, 0, Number.NaN, 0]),
      "cell (x = b, y = 1) must be finite and not negative, got NaN",
    ],
    [
      "an infinite count",
      () => jointFromCounts([x], [1, Number.POSITIVE_INFINITY]),
      "cell (x = b) must be finite and not negative, got Infinity",
    ],
    ["a wrong sum", () => jointFromTable([x], [0.5, 0.49]), "the probabilities must sum to 1, got 0.99"],
    [
      "a sum just out of tolerance",
      () => jointFromTable([x], [0.5, 0.5 + 1e-8]),
      "the probabilities must sum to 1, got 1.00000001",
    ],
    ["a missing cell", () => jointFromTable([x, y], [1, 0]), '"probabilities" must hold 2 x 3 = 6 cells, got 2'],
    ["no counts", () => jointFromCounts([x], [0, 0]), "at least one count must be above 0, got none"],
    ["no rows", () => jointFromRows(["x"], []), "there must be at least one row, got none"],
    ["no weight", () => jointFromRows(["x"], [["a"]], [0]), "at least one weight must be above 0, got none"],
    [
      "a negative weight",
      () => jointFromRows(["x"], [["a"], ["b"]], [1, -1]),
      "the weight of row 1 must be finite and not negative, got -1",
    ],
    [
      "fewer weights than rows",
      () => jointFromRows(["x"], [["a"], ["b"]], [1]),
      "the weight of row 1 must be finite and not negative, got undefined",
    ],
    ["no variable", () => jointFromTable([], [1]), "there must be at least one variable, got none"],
    ["no column", () => jointFromRows([], [[]]), "there must be at least one variable, got none"],
    ["an empty alphabet", () => jointFromTable([{ name: "x", symbols: [] }], []), '"x" must have a symbol, got none'],
    ["equal names", () => jointFromTable([x, x], [1, 0, 0, 0]), 'every variable name must occur once, got "x" twice'],
    [
      "equal symbols",
      () => jointFromTable([{ name: "x", symbols: ["a", "a"] }], [1, 0]),
      'every symbol of "x" must occur once, got "a" twice',
    ],
    ["a short row", () => jointFromRows(["x", "y"], [["a", 1], ["b"]]), "row 1 must have 2 symbols (x, y), got 1"],
    [
      "an outcome twice",
      () =>
        jointFromOutcomes(
          ["x", "y"],
          [
            [["a", 0], 0.5],
            [["a", "0"], 0.5],
          ],
        ),
      "outcome (a, 0) must be listed once, got it twice",
    ],
    [
      "a negative outcome",
      () => jointFromOutcomes(["x"], [[["a"], -1]]),
      "outcome (a) must be finite and not negative, got -1",
    ],
    [
      "an unknown name",
      () => marginal(randomJoint(1, ["x", "y"], { sizes: [2, 2] }), "z"),
      'its name must be one of x, y, got "z"',
    ],
    [
      "a repeated name",
      () => marginal(randomJoint(1, ["x", "y"], { sizes: [2, 2] }), ["x", "x"]),
      'every name must occur once, got "x" twice',
    ],
    ["no name", () => marginal(randomJoint(1, ["x"], { sizes: [2] }), []), "there must be at least one name, got none"],
    [
      "an unknown symbol",
      () => conditional(randomJoint(1, ["x", "y"], { sizes: [2, 2] }), { x: "q" }),
      'its symbol must be one of x0, x1, got "q"',
    ],
    [
      "an impossible condition",
      () => conditional(jointFromTable([x, y], [1, 0, 0, 0, 0, 0]), { x: "b" }),
      "Cannot condition on x = b: its probability must be above 0, got 0",
    ],
    [
      "a product of one name",
      () => product(randomJoint(1, ["x"], { sizes: [2] }), randomJoint(2, ["x"], { sizes: [2] })),
      'every variable name must occur once, got "x" twice',
    ],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(RangeError);
    expect(act).toThrow(message);
  });
});

test("marginals of a product are its factors, conditionals too", () => {
  const first = randomJoint(3, ["x", "y"], { sizes: [3, 4] });
  const second = randomJoint(4, ["z"], { sizes: [5] });
  const both = product(first, second);
  const back = asRecord(marginal(both, ["x", "y"]));
  for (const [outcome, p] of Object.entries(asRecord(first))) expect(back[outcome]).toBeCloseTo(p, 14);
  const given = asRecord(conditional(both, { x: "x1", y: "y2" }));
  for (const [outcome, p] of Object.entries(asRecord(second))) expect(given[outcome]).toBeCloseTo(p, 14);
});

test("marginal() orders variables as they are asked for", () => {
  const joint = jointFromTable([x, y], [0.25, 0, 0.5, 0, 0.25, 0]);
  expect(asRecord(marginal(joint, ["y", "x"]))).toEqual({ "0 a": 0.25, "2 a": 0.5, "1 b": 0.25 });
  expect(asRecord(marginal(joint, "x"))).toEqual({ a: 0.75, b: 0.25 });
});

test("conditional() keeps a variable whose name every object has", () => {
  const joint = jointFromTable([x, { name: "constructor", symbols: ["0", "1"] }], [0.5, 0.25, 0.25, 0]);
  expect(asRecord(conditional(joint, { x: "a" }))).toEqual({ "0": 0.5 / 0.75, "1": 0.25 / 0.75 });
});

test("conditional() divides by the probability of the condition", () => {
  const joint = jointFromTable([x, y], [0.25, 0, 0.5, 0, 0.25, 0]);
  expect(asRecord(conditional(joint, { x: "a" }))).toEqual({ "0": 0.25 / 0.75, "2": 0.5 / 0.75 });
});

test("coarsen() joins the symbols that have one image", () => {
  const joint = jointFromTable([x, y], [0.25, 0, 0.5, 0, 0.25, 0]);
  const parity = coarsen(joint, "y", (symbol) => (Number(symbol) % 2 === 0 ? "even" : "odd"));
  expect(asRecord(parity)).toEqual({ "a even": 0.75, "b odd": 0.25 });
});

test("regroup() makes a group one variable, named and spelled by its parts", () => {
  const joint = jointFromTable([x, y], [0.25, 0, 0.5, 0, 0.25, 0]);
  const merged = regroup(joint, [["x", "y"]]);
  expect(merged.variables).toEqual([{ name: "x, y", symbols: ["a, 0", "a, 2", "b, 1"] }]);
  expect(asRecord(regroup(joint, ["y"]))).toEqual({ "0": 0.25, "1": 0.25, "2": 0.5 });
});

test("combinations() stays exact where the product of alphabets is beyond 2^53", () => {
  const names = Array.from({ length: 12 }, (_, k) => `v${k}`);
  const rows = Array.from({ length: 300 }, (_, i) => names.map((_, k) => (i * (k + 1)) % 300));
  const joint = jointFromRows(names, rows);
  expect(combinations(joint, selectedIndices(joint, names)).count).toBe(300);
});

describe("counts at the ends of float64", () => {
  const binary = [x, { name: "y", symbols: ["0", "1"] }];

  test("counts whose sum is beyond it are halves still", () => {
    for (const huge of [1e308, Number.MAX_VALUE]) {
      const joint = jointFromCounts(binary, [huge, huge, 0, 0]);
      expect([...joint.probabilities]).toEqual([0.5, 0.5]);
      expect(entropyBits(joint)).toBe(1);
    }
    expect(entropyBits(jointFromCounts(binary, [1e308, 1e308, 1, 0]))).toBeCloseTo(1, 12);
  });

  test("an outcome whose share is 0 in it is dropped, not the logarithm of 0", () => {
    const joint = jointFromCounts(binary, [1e-320, 1e10, 3, 0]);
    expect(joint.probabilities.length).toBe(2);
    expect([...joint.outcomes]).toEqual([0, 1, 1, 0]);
    expect(entropyBits(joint)).toBeGreaterThan(0);
    expect(mutualInformationBits(joint, "x", "y")).toBeCloseTo(entropyBits(joint), 12);
  });

  test("a report of any of them is made of finite figures and reasons", () => {
    const third = { name: "t", symbols: ["0", "1"] };
    for (const counts of [
      [1e308, 1e308, 1, 0, 0, 1, 1e308, 5],
      [1e-320, 1e10, 3, 0, 1, 1, 0, 7],
      [1e-310, 0, 0.5, 0, 0, 0.25, 0.25, 0],
      [1e-200, 1e-200, 0.5, 0, 1e-200, 0.25, 0.25, 0],
      [1e-310, 0, 0, 0, 0, 0, 0, 1],
    ]) {
      const joint = jointFromCounts([...binary, third], counts);
      const report = infoReport(joint, { x: "x", y: "y", target: "t", rows: 8, seed: 0 });
      expect(JSON.stringify(report)).not.toContain("null");
    }
  });
});
