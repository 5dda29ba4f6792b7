import type { Matrix } from "./matrix.ts";

/** Features cut into at most 255 bins each; bin b holds the values above threshold b - 1, up to and with threshold b. */
export interface FeatureBins {
  readonly rows: number;
  /** By feature, ascending: one fewer than bins. */
  readonly thresholds: readonly Float64Array[];
  /** By feature: the bin of every row. */
  readonly codes: readonly Uint8Array[];
}

export const mostBins = 255;

/**
 * Bins of every feature. Up to 255 distinct values keep a bin each, so that a tree on the bins finds every split that a
 * tree on the values would; above that the cuts are quantiles. A threshold lies half way between the values beside it.
 */
export function binFeatures(features: Matrix): FeatureBins {
  const { rows, columns, values } = features;
  const thresholds: Float64Array[] = [];
  const codes: Uint8Array[] = [];
  for (let j = 0; j < columns; j++) {
    const column = Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!);
    const cuts = thresholdsOf(column.toSorted());
    thresholds.push(cuts);
    codes.push(Uint8Array.from(column, (value) => binOf(value, cuts)));
  }
  return { rows, thresholds, codes };
}

function thresholdsOf(sorted: Float64Array): Float64Array {
  const edges: number[] = [];
  for (let i = 1; i < sorted.length; i++) if (sorted[i]! > sorted[i - 1]!) edges.push(i);
  // An edge is the first row of a new value. With too many, those that come first after each quantile are kept.
  const kept = edges.length < mostBins ? edges : quantileEdges(edges, sorted.length);
  return Float64Array.from(kept, (i) => halfWay(sorted[i - 1]!, sorted[i]!));
}

function quantileEdges(edges: readonly number[], rows: number): number[] {
  const kept: number[] = [];
  let at = 0;
  for (let quantile = 1; quantile < mostBins; quantile++) {
    const wanted = (quantile * rows) / mostBins;
    while (at < edges.length && edges[at]! < wanted) at++;
    if (at === edges.length) break;
    if (edges[at] !== kept.at(-1)) kept.push(edges[at]!);
  }
  return kept;
}

/** Between two neighbours of float64 the mean rounds to one of them; the lower one still tells them apart. */
function halfWay(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle < high ? middle : low;
}

/** How many thresholds lie below `value`. */
function binOf(value: number, thresholds: Float64Array): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > thresholds[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}
