import { bootstrapMean } from "../../information/bootstrap.ts";
import type { Figure } from "../../schemas/manifest.ts";
import { stream } from "../random.ts";

/** A figure in bits that is the mean of its rows, with the bootstrap interval of that mean. */
export function meanFigure(
  quantity: string,
  rows: Float64Array,
  { estimator, seed, value = meanOf(rows) }: { estimator: string; seed: number; value?: number },
): Figure {
  const interval = bootstrapMean(rows, { draw: stream(seed, "bootstrap", quantity).integer });
  return { quantity, unit: "bits", value, estimator, n: rows.length, seed, interval };
}

function meanOf(rows: Float64Array): number {
  return rows.reduce((sum, row) => sum + row, 0) / rows.length;
}
