import { labelCounts, labelEntropy } from "../label-entropy.ts";
import { type Matrix, requireMatrix } from "../matrix.ts";
import { gapIntervals } from "./gap-intervals.ts";
import { type LabelledFactor, meanGap, requireFactors, type Score, type ScoreOptions } from "./score.ts";

const bins = 20;

/**
 * Mutual information gap as disentanglement_lib computes it: codes cut into 20 equal-width bins over their own range,
 * plug-in mutual information of bin and factor, and for each factor the gap between the two best latents,
 *
 *   mean_k ( I(best latent; v_k) - I(second best; v_k) ) / H(v_k)
 *
 * Not the number of Chen et al. (see migChen()): posterior means instead of samples, bins instead of densities. The
 * plug-in information is high by about 19 (classes - 1) / (2 rows) nats, more or less alike for all latents. A latent
 * that never varies has none; where all are such, the score is 0.
 *
 * Source: Locatello et al. 2019, https://arxiv.org/abs/1811.12359, appendix C; disentanglement_lib, num_bins = 20
 *
 * @param codes [rows, latents], posterior means; disentanglement_lib takes 10,000 rows
 * @returns between 0 and 1; `parts` by factor
 * @throws RangeError for fewer than 2 latents, a factor that does not vary, fewer rows than classes, or rows that differ
 */
export function migHist20Means(
  codes: Matrix,
  factors: readonly LabelledFactor[],
  { bootstrap }: ScoreOptions = {},
): Score {
  const gap = meanGap(histogramInformation(codes, factors));
  const definition = "mig-hist20-means (20 equal-width bins of the means, plug-in, disentanglement_lib)";
  if (bootstrap === undefined) return { ...gap, definition };
  const shape = { latents: codes.columns, factors: factors.length };
  const contributions = Array.from({ length: codes.columns }, (_, j) => {
    const binned = binOf(columnOf(codes, j));
    return factors.map((factor) => pointwise(binned, factor));
  });
  return { ...gap, definition, ...gapIntervals(contributions.flat(), shape, bootstrap) };
}

/** Contribution of every row to I(bin; factor) / H(factor): log2( p(b, v) / (p(b) p(v)) ) / H, their mean is the figure. */
function pointwise(binned: Int32Array, { labels, classes }: LabelledFactor): Float64Array {
  const cells = binned.map((bin, i) => bin * classes + labels[i]!);
  const [byBin, byLabel, byCell] = [
    labelCounts(binned, bins),
    labelCounts(labels, classes),
    labelCounts(cells, bins * classes),
  ];
  const entropy = labelEntropy(labels, classes);
  return Float64Array.from(cells, (cell, i) => {
    const share = (byCell[cell]! * cells.length) / (byBin[binned[i]!]! * byLabel[labels[i]!]!);
    return Math.log2(share) / entropy;
  });
}

/**
 * What the gap is taken of: [latents x factors] row-major, I(latent; factor) / H(factor), between 0 and 1 up to bias.
 *
 * @throws RangeError as `migHist20Means`
 */
export function histogramInformation(codes: Matrix, factors: readonly LabelledFactor[]): Matrix {
  const action = "compute mig-hist20-means";
  requireMatrix(action, "codes", codes);
  requireFactors(action, codes, factors);
  const values = new Float64Array(codes.columns * factors.length);
  for (let j = 0; j < codes.columns; j++) {
    const binned = binOf(columnOf(codes, j));
    for (const [k, { labels, classes }] of factors.entries()) {
      const pairs = binned.map((bin, i) => bin * classes + labels[i]!);
      const entropy = labelEntropy(labels, classes);
      const shared = labelEntropy(binned, bins) + entropy - labelEntropy(pairs, bins * classes);
      values[j * factors.length + k] = shared / entropy;
    }
  }
  return { rows: codes.columns, columns: factors.length, values };
}

function columnOf({ rows, columns, values }: Matrix, j: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!);
}

/** Bin of every value between the least and the greatest; all in the first where they are equal. */
function binOf(values: Float64Array): Int32Array {
  const low = values.reduce((least, value) => Math.min(least, value));
  const high = values.reduce((most, value) => Math.max(most, value));
  if (low === high) return new Int32Array(values.length);
  // The edges as NumPy spaces them, so that values on an edge fall on the same side.
  const step = (high - low) / bins;
  return Int32Array.from(values, (value) => {
    let bin = Math.min(bins - 1, Math.floor((value - low) / step));
    if (value < low + bin * step) bin--;
    else if (bin < bins - 1 && value >= low + (bin + 1) * step) bin++;
    return bin;
  });
}
