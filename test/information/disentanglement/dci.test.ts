import { expect, test } from "vitest";
import { blockPurity } from "../../../information/disentanglement/block-purity.ts";
import { dciCompleteness } from "../../../information/disentanglement/dci-completeness.ts";
import { dciDisentanglement } from "../../../information/disentanglement/dci-disentanglement.ts";
import { dciInformativeness } from "../../../information/disentanglement/dci-informativeness.ts";
import { explainFactors, type ImportanceMatrix } from "../../../information/disentanglement/importance-matrix.ts";
import { linearProbe } from "../../../information/linear-probe.ts";
import { drawFactors, plantCodes, transpose } from "./planted-codes.ts";

const factors = drawFactors(1500, { hue: 5, side: 2, scale: 4 });
const train = 1000;

const perfect = plantCodes(factors, (labels, n) => labels.map((label) => label + 0.05 * n()));
const duplicated = plantCodes(factors, ([hue, side, scale], n) => [
  hue! + 0.05 * n(),
  -hue! + 0.05 * n(),
  side! + 0.05 * n(),
  scale! + 0.05 * n(),
]);
/** Hue and scale turned into each other by 45 degrees. */
const rotated = plantCodes(factors, ([hue, side, scale], n) => [
  hue! / 5 + scale! / 4 + 0.02 * n(),
  side! + 0.05 * n(),
  hue! / 5 - scale! / 4 + 0.02 * n(),
]);

function explain(codes: typeof perfect) {
  const latents = Array.from({ length: codes.columns }, (_, j) => `z${j}`);
  return explainFactors({ codes, latents }, factors, { train });
}

/** Importances by latent, one list of factors each. */
function matrixOf(rows: number[][]): ImportanceMatrix {
  return {
    latents: rows.map((_, j) => `z${j}`),
    factors: rows[0]!.map((_, k) => `f${k}`),
    values: Float64Array.from(rows.flat()),
  };
}

test("a code of one latent a factor scores 1 in everything", () => {
  const { importance, usable } = explain(perfect);
  expect(dciDisentanglement(importance).value).toBeGreaterThan(0.99);
  expect(dciCompleteness(importance, "unweighted").value).toBeGreaterThan(0.99);
  expect(dciInformativeness(usable).value).toBeGreaterThan(0.99);
  const identity = matrixOf([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  expect(dciDisentanglement(identity).value).toBe(1);
  expect(dciCompleteness(identity, "unweighted").value).toBe(1);
  expect(dciCompleteness(identity, "weighted").value).toBe(1);
});

test("a duplicated latent costs completeness of its factor alone", () => {
  const { importance, usable } = explain(duplicated);
  const completeness = dciCompleteness(importance, "unweighted");
  expect(dciDisentanglement(importance).value).toBeGreaterThan(0.99);
  // Two of four latents: 1 - ln 2 / ln 4
  expect(completeness.parts![0]).toBeGreaterThan(0.49);
  expect(completeness.parts![0]).toBeLessThan(0.6);
  expect(completeness.parts![1]).toBeGreaterThan(0.99);
  expect(dciInformativeness(usable).value).toBeGreaterThan(0.99);
});

test("a rotated code costs disentanglement and completeness of the two factors that it mixes", () => {
  const { importance } = explain(rotated);
  const disentanglement = dciDisentanglement(importance);
  const completeness = dciCompleteness(importance, "unweighted");
  expect(disentanglement.value).toBeLessThan(0.7);
  expect(disentanglement.parts![1]).toBeGreaterThan(0.9);
  expect(completeness.value).toBeLessThan(0.7);
  expect(completeness.parts![1]).toBeGreaterThan(0.9);
});

// Reference: scikit-learn 1.2.1 on these rows (feature_importances_ of GradientBoostingClassifier(random_state=0), 2,000
// rows to fit) and the formulas of disentanglement_lib: D = 0.4448, C = 0.5408, accuracy = 0.9173
test("a blurred code scores within 0.01 of scikit-learn's trees and disentanglement_lib's formulas", () => {
  const blurred = drawFactors(3000, { hue: 5, side: 2, scale: 4 });
  const codes = plantCodes(blurred, ([h, s, k], n) => [
    h! + 0.4 * n(),
    s! + 0.3 * h! + 0.2 * n(),
    k! - 1.5 * s! + 0.3 * n(),
    n(),
  ]);
  const { importance, usable } = explainFactors({ codes, latents: ["a", "b", "c", "d"] }, blurred, { train: 2000 });
  expect(Math.abs(dciDisentanglement(importance).value - 0.4448)).toBeLessThan(0.01);
  expect(Math.abs(dciCompleteness(importance, "unweighted").value - 0.5408)).toBeLessThan(0.01);
  expect(Math.abs(dciInformativeness(usable).value - 0.9173)).toBeLessThan(0.01);
});

test("known matrix: rows are latents and columns factors, in both scores", () => {
  const importance = matrixOf([
    [0.5, 0.5],
    [0.5, 0],
    [0, 0.5],
  ]);
  // Rows: one latent of entropy ln 2 and weight 1/2, two of entropy 0 and weight 1/4.
  expect(dciDisentanglement(importance).value).toBeCloseTo(0.5, 12);
  expect([...dciDisentanglement(importance).parts!]).toEqual([0, 1, 1]);
  // Columns: each spread over two of three latents.
  expect(dciCompleteness(importance, "unweighted").value).toBeCloseTo(1 - Math.log(2) / Math.log(3), 12);
});

test("completeness: a factor of which nothing was learned counts as 0, or not at all if weighted; each says which", () => {
  const importance = matrixOf([
    [1, 0],
    [0, 0],
  ]);
  const plain = dciCompleteness(importance, "unweighted");
  const weighted = dciCompleteness(importance, "weighted");
  expect(plain.value).toBe(0.5);
  expect(weighted.value).toBe(1);
  expect(plain.definition).toContain("dci-completeness-unweighted");
  expect(weighted.definition).toContain("dci-completeness-weighted");
  expect(dciDisentanglement(importance).value).toBe(1);
});

test("a transposed code matrix is refused by its shape", () => {
  const latents = ["z0", "z1", "z2"];
  expect(() => explainFactors({ codes: transpose(perfect), latents }, factors, { train })).toThrow(
    'Cannot explain factors: "codes" must have 3 columns, got 1500',
  );
  const square = drawFactors(4, { a: 2 });
  const wide = { rows: 2, columns: 4, values: new Float64Array(8) };
  expect(() => explainFactors({ codes: wide, latents: ["a", "b", "c", "d"] }, square, { train: 1 })).toThrow(
    "got 2 rows of 4; is it transposed?",
  );
});

test("a transposed importance matrix is refused by its sums, square or not", () => {
  const { importance } = explain(rotated);
  const turned = transpose({ rows: 3, columns: 3, values: importance.values }).values;
  for (const score of [dciDisentanglement, (m: ImportanceMatrix) => dciCompleteness(m, "unweighted")]) {
    expect(() => score({ ...importance, values: Float64Array.from(turned) })).toThrow(
      /must add up to 1 over latents, or all be 0, got .*; is the matrix \[latents x factors\]\?/,
    );
  }
});

test("codes reshaped instead of transposed keep their shape and lose what they knew", () => {
  const reshaped = { ...perfect, values: transpose(perfect).values };
  expect(dciInformativeness(explain(reshaped).usable).value).toBeLessThan(0.4);
});

test("constant codes score 0, and chance accuracy", () => {
  const constant = { ...perfect, values: new Float64Array(perfect.values.length).fill(0.3) };
  const { importance, usable } = explain(constant);
  expect(dciDisentanglement(importance).value).toBe(0);
  expect(dciCompleteness(importance, "unweighted").value).toBe(0);
  expect(dciCompleteness(importance, "weighted").value).toBe(0);
  const blocks = { z0: "common", z1: "common", z2: "unique" };
  const belongs = { hue: "common", side: "common", scale: "unique" };
  expect(blockPurity(importance, { blocks, belongs }).value).toBe(0);
  for (const { bits } of usable) expect(Math.abs(bits)).toBeLessThan(0.02);
});

test("block purity is 1 for factors in their blocks, and the share inside otherwise, whatever happens within", () => {
  const blocks = { z0: "common", z1: "unique", z2: "common" };
  const right = blockPurity(explain(rotated).importance, {
    blocks,
    belongs: { hue: "common", side: "unique", scale: "common" },
  });
  expect(right.value).toBeGreaterThan(0.97);
  const wrong = blockPurity(explain(rotated).importance, {
    blocks,
    belongs: { hue: "unique", side: "common", scale: "unique" },
  });
  expect(wrong.value).toBeCloseTo(1 - right.value, 12);
  const known = matrixOf([
    [0.75, 0.1],
    [0.25, 0.9],
  ]);
  const half = blockPurity(known, { blocks: { z0: "a", z1: "b" }, belongs: { f0: "a", f1: "b" } });
  expect([...half.parts!]).toEqual([0.75, 0.9]);
  expect(half.value).toBeCloseTo(0.825, 12);
});

test("one factor or latent only, unknown names, bad importances and a classifier without any are refused by name", () => {
  expect(() => dciDisentanglement(matrixOf([[1], [0]]))).toThrow(
    "Cannot score disentanglement: there must be at least 2 factors, got 1",
  );
  expect(() => dciCompleteness(matrixOf([[1, 1]]), "weighted")).toThrow("there must be at least 2 latents, got 1");
  expect(() =>
    dciDisentanglement(
      matrixOf([
        [2, 1],
        [-1, 0],
      ]),
    ),
  ).toThrow('"importance" must not be negative, got -1 for z1, f0');
  const broken = {
    ...matrixOf([
      [1, 0],
      [0, 1],
    ]),
    values: Float64Array.of(1, Number.NaN, 0, 1),
  };
  expect(() => dciDisentanglement(broken)).toThrow('"importance" must be finite, got NaN in row 0, column 1');
  const fine = matrixOf([
    [1, 0],
    [0, 1],
  ]);
  const blocks = { z0: "a", z1: "b" };
  expect(() => blockPurity(fine, { blocks, belongs: { f0: "a" } })).toThrow('factor "f1" must have a block, got none');
  expect(() => blockPurity(fine, { blocks, belongs: { f0: "a", f1: "c" } })).toThrow(
    'block "c" of factor "f1" must have a latent, got none',
  );
  const latents = ["z0", "z1", "z2"];
  expect(() => explainFactors({ codes: perfect, latents }, factors, { train, classifier: linearProbe })).toThrow(
    /the classifier must have importances, got linear probe/,
  );
  expect(() => explainFactors({ codes: perfect, latents }, [], { train })).toThrow("at least one factor, got none");
  expect(() => dciInformativeness([])).toThrow("there must be at least one factor, got none");
});
