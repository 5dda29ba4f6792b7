import { type FeatureBins, mostBins } from "./feature-bins.ts";

/** Binary tree in arrays; node 0 is the root. Rows with a value up to the threshold go left. */
export interface RegressionTree {
  /** Feature that a node splits by; -1 for a leaf. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What a leaf adds; 0 for inner nodes. */
  readonly value: Float64Array;
}

export interface TreeSettings {
  readonly depth: number;
  /** Value of a leaf from its rows. */
  readonly leafValue: (rows: Int32Array) => number;
  /** Adds the leaf's value to the running scores of its rows. */
  readonly onLeaf: (rows: Int32Array, value: number) => void;
  /** Gains of the splits, by feature: added to. */
  readonly importances: Float64Array;
  /** Number of the tree: equal gains go in turn to each feature that has them. */
  readonly turn: number;
}

interface Histogram {
  /** [features x bins] sums of the targets, and how many rows. */
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

interface Node {
  readonly at: number;
  readonly depth: number;
  readonly start: number;
  readonly end: number;
  readonly histogram: Histogram;
}

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly gain: number;
}

/** Gains this near to the best count as equal: the same rows summed in another order. */
const tie = 1e-9;
/** A node whose targets are this equal is a leaf, relative to their mean square. */
const pure = 1e-12;

/**
 * Regression tree for `targets`, grown to `depth` by the largest fall of the summed squared error,
 *
 *   gain = n_l n_r / (n_l + n_r) (mean_l - mean_r)^2 ,
 *
 * which orders splits as Friedman's improvement does and is what scikit-learn adds up to importances. Splits are found
 * on histograms; the larger child's histogram is its parent's minus its sibling's. Where several features split equally
 * well (a duplicated code), the choice goes round by node and tree instead of always to the first, so that their
 * importances come out alike.
 *
 * Source: Friedman 2001, https://doi.org/10.1214/aos/1013203451, equation 35; Ke et al. 2017 (LightGBM), algorithm 1
 *
 * @param targets [rows]
 */
export function growTree(bins: FeatureBins, targets: Float64Array, settings: TreeSettings): RegressionTree {
  const tree = { feature: [] as number[], threshold: [] as number[], left: [] as number[], right: [] as number[] };
  const value: number[] = [];
  const order = Int32Array.from({ length: bins.rows }, (_, i) => i);
  const spare = new Int32Array(bins.rows);

  function add(): number {
    tree.threshold.push(0);
    tree.left.push(0);
    tree.right.push(0);
    value.push(0);
    return tree.feature.push(-1) - 1;
  }

  function grow(node: Node): void {
    const { at, depth, start, end, histogram } = node;
    const split = depth < settings.depth ? bestSplit(bins, histogram, settings.turn + at) : undefined;
    if (split === undefined || isPure(targets, order, start, end)) {
      const rows = order.subarray(start, end);
      const found = settings.leafValue(rows);
      value[at] = found;
      settings.onLeaf(rows, found);
      return;
    }
    settings.importances[split.feature]! += split.gain;
    const middle = partition(bins.codes[split.feature]!, split.bin, { order, spare, start, end });
    tree.feature[at] = split.feature;
    tree.threshold[at] = bins.thresholds[split.feature]![split.bin]!;
    tree.left[at] = add();
    tree.right[at] = add();
    const next = depth + 1;
    const [left, right] =
      next < settings.depth ? shareHistogram(histogram, middle - start <= end - middle) : [histogram, histogram];
    grow({ at: tree.left[at]!, depth: next, start, end: middle, histogram: left });
    grow({ at: tree.right[at]!, depth: next, start: middle, end, histogram: right });

    function shareHistogram(whole: Histogram, leftIsSmaller: boolean): [Histogram, Histogram] {
      const small = leftIsSmaller ? order.subarray(start, middle) : order.subarray(middle, end);
      const counted = countBins(bins, targets, small);
      const rest = subtract(whole, counted);
      return leftIsSmaller ? [counted, rest] : [rest, counted];
    }
  }

  grow({ at: add(), depth: 0, start: 0, end: bins.rows, histogram: countBins(bins, targets, order) });
  return {
    feature: Int32Array.from(tree.feature),
    threshold: Float64Array.from(tree.threshold),
    left: Int32Array.from(tree.left),
    right: Int32Array.from(tree.right),
    value: Float64Array.from(value),
  };
}

/** What the tree gives for a row of features that starts at `offset`. */
export function evaluateTree(tree: RegressionTree, values: Float32Array | Float64Array, offset: number): number {
  let at = 0;
  for (let feature = tree.feature[0]!; feature >= 0; feature = tree.feature[at]!) {
    at = values[offset + feature]! <= tree.threshold[at]! ? tree.left[at]! : tree.right[at]!;
  }
  return tree.value[at]!;
}

function countBins({ codes }: FeatureBins, targets: Float64Array, rows: Int32Array): Histogram {
  const sums = new Float64Array(codes.length * mostBins);
  const counts = new Float64Array(codes.length * mostBins);
  for (const [feature, code] of codes.entries()) {
    const base = feature * mostBins;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const at = base + code[row]!;
      sums[at]! += targets[row]!;
      counts[at]! += 1;
    }
  }
  return { sums, counts };
}

function subtract(whole: Histogram, part: Histogram): Histogram {
  return {
    sums: whole.sums.map((sum, at) => sum - part.sums[at]!),
    counts: whole.counts.map((count, at) => count - part.counts[at]!),
  };
}

function bestSplit({ thresholds }: FeatureBins, { sums, counts }: Histogram, turn: number): Split | undefined {
  const found: Split[] = [];
  let best = 0;
  for (const [feature, { length }] of thresholds.entries()) {
    const base = feature * mostBins;
    let count = 0;
    let sum = 0;
    for (let bin = 0; bin <= length; bin++) {
      count += counts[base + bin]!;
      sum += sums[base + bin]!;
    }
    let leftCount = 0;
    let leftSum = 0;
    let gain = 0;
    let at = -1;
    for (let bin = 0; bin < length; bin++) {
      // An empty bin moves no row: its split is the one before.
      if (counts[base + bin]! === 0) continue;
      leftCount += counts[base + bin]!;
      leftSum += sums[base + bin]!;
      const rightCount = count - leftCount;
      if (rightCount === 0) break;
      const apart = leftSum / leftCount - (sum - leftSum) / rightCount;
      const here = ((leftCount * rightCount) / count) * apart * apart;
      if (here > gain) {
        gain = here;
        at = bin;
      }
    }
    if (at >= 0) found.push({ feature, bin: at, gain });
    best = Math.max(best, gain);
  }
  const tied = found.filter(({ gain }) => gain >= best * (1 - tie));
  return tied[turn % tied.length];
}

function isPure(targets: Float64Array, order: Int32Array, start: number, end: number): boolean {
  let sum = 0;
  let squares = 0;
  for (let i = start; i < end; i++) {
    const target = targets[order[i]!]!;
    sum += target;
    squares += target * target;
  }
  return squares - (sum * sum) / (end - start) <= pure * squares;
}

/** Rows of bins up to `bin` first, both sides in their old order. @returns where the right side starts */
function partition(
  codes: Uint8Array,
  bin: number,
  { order, spare, start, end }: { order: Int32Array; spare: Int32Array; start: number; end: number },
): number {
  let left = start;
  let right = 0;
  for (let i = start; i < end; i++) {
    const row = order[i]!;
    if (codes[row]! <= bin) order[left++] = row;
    else spare[right++] = row;
  }
  order.set(spare.subarray(0, right), left);
  return left;
}
