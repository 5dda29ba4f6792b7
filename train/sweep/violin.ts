/** A violin: how dense values lie, and their quartiles, for a chart. */
export interface Violin {
  /** Value and density there, of the largest density; empty where all values are equal or there are fewer than 4. */
  readonly outline: readonly { readonly value: number; readonly width: number }[];
  readonly median: number;
  readonly quartiles: readonly [number, number];
  /** Farthest values within 1.5 interquartile ranges of the quartiles. */
  readonly adjacent: readonly [number, number];
}

const points = 60;
/** Values from which a density means something. */
const enough = 4;

/**
 * Gaussian kernel density with Silverman's bandwidth, cut at the outermost values, and the statistics of a box plot.
 *
 * Source: Hintze & Nelson 1998, "Violin Plots: A Box Plot-Density Trace Synergism"; Silverman 1986, equation 3.31
 *
 * @throws RangeError for no value
 */
export function violinOf(values: readonly number[]): Violin {
  if (values.length === 0) throw new RangeError("Cannot draw a violin: there must be at least one value, got none");
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [quantile(sorted, 0.25), quantile(sorted, 0.75)];
  const reach = 1.5 * (high - low);
  const inside = sorted.filter((value) => value >= low - reach && value <= high + reach);
  return {
    outline: sorted.length < enough ? [] : outlineOf(sorted, high - low),
    median: quantile(sorted, 0.5),
    quartiles: [low, high],
    adjacent: [inside[0]!, inside.at(-1)!],
  };
}

function outlineOf(sorted: readonly number[], quartileRange: number): Violin["outline"] {
  const n = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n;
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const spread = Math.min(deviation, quartileRange > 0 ? quartileRange / 1.34 : deviation);
  if (!(spread > 0)) return [];
  const bandwidth = 0.9 * spread * n ** -0.2;
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const raw = Array.from({ length: points }, (_, i) => {
    const value = first + ((last - first) * i) / (points - 1);
    return { value, width: sorted.reduce((sum, at) => sum + Math.exp(-0.5 * ((value - at) / bandwidth) ** 2), 0) };
  });
  const most = Math.max(...raw.map(({ width }) => width));
  return raw.map(({ value, width }) => ({ value, width: width / most }));
}

/** Linear interpolation between order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
