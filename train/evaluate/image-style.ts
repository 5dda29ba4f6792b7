/** Pixels of one image of one channel, any unit, row-major. */
export interface Pixels {
  readonly data: ArrayLike<number | bigint>;
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

/** What a pen leaves: all intensity. */
export function inkOf({ data, offset, width, height }: Pixels): number {
  let sum = 0;
  for (let i = 0; i < width * height; i++) sum += Number(data[offset + i]);
  return sum;
}

/**
 * Slant of what is drawn: the sideways shift per row, from second moments; positive where the top leans to the left.
 * 0 for an empty image.
 */
export function slantOf({ data, offset, width, height }: Pixels): number {
  let [mass, mx, my, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const value = Number(data[offset + i]);
    const [x, y] = [i % width, Math.floor(i / width)];
    mass += value;
    mx += value * x;
    my += value * y;
    xy += value * x * y;
    yy += value * y * y;
  }
  if (mass === 0) return 0;
  const spread = yy / mass - (my / mass) ** 2;
  return spread > 0 ? (xy / mass - (mx / mass) * (my / mass)) / spread : 0;
}

/** Correlation of two lists; 0 where one of them does not vary. */
export function correlation(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const n = first.length;
  const mean = (list: ArrayLike<number>): number => Array.from(list).reduce((sum, value) => sum + value, 0) / n;
  const [a, b] = [mean(first), mean(second)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    ab += (first[i]! - a) * (second[i]! - b);
    aa += (first[i]! - a) ** 2;
    bb += (second[i]! - b) ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** Values less the mean of their class. */
export function withoutClassMeans(values: ArrayLike<number>, classes: ArrayLike<number>): Float64Array {
  const sums = new Map<number, { sum: number; count: number }>();
  for (let i = 0; i < values.length; i++) {
    const known = sums.get(classes[i]!) ?? { sum: 0, count: 0 };
    sums.set(classes[i]!, { sum: known.sum + values[i]!, count: known.count + 1 });
  }
  return Float64Array.from({ length: values.length }, (_, i) => {
    const { sum, count } = sums.get(classes[i]!)!;
    return values[i]! - sum / count;
  });
}

/** Sum over pixels of the variance across images, [images, pixels] row-major; divided by n - 1. */
export function totalVariance(images: ArrayLike<number | bigint>, rows: number): number {
  const pixels = images.length / rows;
  let total = 0;
  for (let p = 0; p < pixels; p++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const value = Number(images[row * pixels + p]);
      sum += value;
      squares += value * value;
    }
    total += (squares - (sum * sum) / rows) / (rows - 1);
  }
  return total;
}
