import { expect, test } from "vitest";
import { minimise } from "../../information/lbfgs.ts";

test("finds the minimum of an ill-conditioned quadratic form", () => {
  const scales = [1, 10, 100, 1000];
  const centre = [3, -2, 1, 0.5];
  const found = minimise(
    (point, gradient) => {
      let value = 0;
      for (const [i, scale] of scales.entries()) {
        const away = point[i]! - centre[i]!;
        gradient[i] = scale * away;
        value += (scale * away * away) / 2;
      }
      return value;
    },
    new Float64Array(4),
    { tolerance: 1e-9, iterations: 200 },
  );
  expect(found.converged).toBe(true);
  for (const [i, value] of centre.entries()) expect(found.point[i]).toBeCloseTo(value, 8);
});

test("finds Rosenbrock's minimum from its classical start", () => {
  const found = minimise(
    ([x = 0, y = 0], gradient) => {
      gradient[0] = -400 * x * (y - x * x) - 2 * (1 - x);
      gradient[1] = 200 * (y - x * x);
      return 100 * (y - x * x) ** 2 + (1 - x) ** 2;
    },
    Float64Array.of(-1.2, 1),
    { tolerance: 1e-8, iterations: 200 },
  );
  expect(found.converged).toBe(true);
  expect(found.point[0]).toBeCloseTo(1, 6);
  expect(found.point[1]).toBeCloseTo(1, 6);
});

test("says that it has not converged when the iterations run out, and stops at once in the minimum", () => {
  const square = ([x = 0]: Float64Array, gradient: Float64Array) => {
    gradient[0] = 4 * x ** 3;
    return x ** 4;
  };
  expect(minimise(square, Float64Array.of(5), { tolerance: 1e-12, iterations: 2 }).converged).toBe(false);
  expect(minimise(square, Float64Array.of(0), { tolerance: 1e-12, iterations: 2 })).toMatchObject({
    iterations: 0,
    converged: true,
  });
});

test("stops where the gradient is beyond float64, and no step is any better", () => {
  const huge = ([x = 0]: Float64Array, gradient: Float64Array) => {
    gradient[0] = Number.NaN;
    return x;
  };
  const found = minimise(huge, Float64Array.of(1), { tolerance: 1e-8, iterations: 10 });
  expect(found).toMatchObject({ iterations: 0, converged: false, value: 1 });
});
