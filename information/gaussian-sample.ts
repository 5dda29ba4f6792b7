import { type GaussianRows, requireGaussians } from "./gaussian-rate.ts";
import type { Matrix } from "./matrix.ts";

/**
 * One draw from every row's Gaussian: mean + exp(logvar / 2) times a standard normal.
 *
 * @param normal the caller's seeded generator of standard normals
 * @returns [rows, dims]
 */
export function drawGaussian(q: GaussianRows, normal: () => number): Matrix & { readonly values: Float64Array } {
  const { rows, columns } = requireGaussians("draw codes", "q", q);
  const values = Float64Array.from(
    { length: rows * columns },
    (_, at) => q.mean.values[at]! + Math.exp(q.logvar.values[at]! / 2) * normal(),
  );
  return { rows, columns, values };
}
