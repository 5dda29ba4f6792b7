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
 * tree on the values would. Above that the sorted rows fall into 254 windows of equal size, and each is cut at its widest
 * gap: plain quantiles would run through the gaps between the clusters that codes of discrete factors form, and leave
 * rows of two clusters in one bin (1.86 of 1.99 bits found where every value is told apart, 1.99 with this).
 * A threshold lies half way between the values beside it.
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
  // An edge is the first row of a new value.
  const kept = edges.length < mostBins ? edges : widestEdges(edges, sorted);
  return Float64Array.from(kept, (i) => halfWay(sorted[i - 1]!, sorted[i]!));
}

/** One edge a window of rows: that of the widest gap, the first of equals. */
function widestEdges(edges: readonly number[], sorted: Float64Array): number[] {
  const kept: number[] = [];
  let last = -1;
  let widest = 0;
  for (const edge of edges) {
    const window = Math.floor((edge * (mostBins - 1)) / sorted.length);
    const gap = sorted[edge]! - sorted[edge - 1]!;
    if (window === last && gap <= widest) continue;
    if (window === last) kept.pop();
    kept.push(edge);
    last = window;
    widest = gap;
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
