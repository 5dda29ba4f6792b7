import { expect, test } from "vitest";
import { gaussianCritic } from "../../information/bounds/gaussian-critic.ts";
import { infoNce } from "../../information/bounds/info-nce.ts";
import { gaussianCodeScores } from "../../information/gaussian-code-critic.ts";
import type { Matrix } from "../../information/matrix.ts";
import { stream } from "../../information/random.ts";

/** Standard normal pairs with correlation r in each of two columns. */
function pairs(rows: number, r: number): { x: Matrix; y: Matrix } {
  const { normal } = stream(3, "pairs");
  const x = Float64Array.from({ length: 2 * rows }, normal);
  const y = x.map((value) => r * value + Math.sqrt(1 - r * r) * normal());
  return { x: { rows, columns: 2, values: x }, y: { rows, columns: 2, values: y } };
}

test("gaussianCodeScores() with the true conditional is the best critic of correlated normals", () => {
  const r = 0.8;
  const { x, y } = pairs(60, r);
  const q = {
    mean: { ...y, values: y.values.map((value) => r * value) as Float64Array },
    logvar: { ...y, values: y.values.map(() => Math.log(1 - r * r)) as Float64Array },
  };
  const scores = gaussianCodeScores(x, q).values;
  const best = gaussianCritic(x, y, r).values;
  for (const [at, score] of scores.entries()) expect(score).toBeCloseTo(best[at]!, 10);
});

test("gaussianCodeScores() of an encoder that knows nothing bounds nothing: 0 nats", () => {
  const { x } = pairs(50, 0);
  const nothing = { ...x, values: new Float64Array(x.values.length) };
  expect(infoNce(gaussianCodeScores(x, { mean: nothing, logvar: nothing })).nats).toBeCloseTo(0, 12);
});

test("gaussianCodeScores() refuses codes of another shape", () => {
  const { x } = pairs(5, 0);
  const q = { mean: x, logvar: x };
  expect(() => gaussianCodeScores({ rows: 10, columns: 1, values: x.values }, q)).toThrow(
    '"codes" must be 5 x 2, got 10 x 1',
  );
});
