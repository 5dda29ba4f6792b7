/** Rows and columns of a table such that every cell of their rectangle is possible. */
export interface Biclique {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/**
 * The maximal rectangles of possible cells of a table (maximal bicliques of the support graph): where two variables can
 * be independent. Found as the closed sets of rows; there can be exponentially many.
 *
 * @param possible [rows x columns], row-major
 * @param most stop after so many
 */
export function maximalBicliques(possible: readonly boolean[], columns: number, most: number): Biclique[] {
  const rows = possible.length / columns;
  const neighbours = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => j).filter((j) => possible[i * columns + j]),
  );
  // Every maximal rectangle's columns are an intersection of rows' neighbours.
  const found = new Map<string, readonly number[]>();
  const queue: (readonly number[])[] = [...neighbours];
  while (queue.length > 0 && found.size < most) {
    const set = queue.shift()!;
    const key = set.join();
    if (set.length === 0 || found.has(key)) continue;
    found.set(key, set);
    for (const other of neighbours) queue.push(set.filter((j) => other.includes(j)));
  }
  return [...found.values()].map((set) => ({
    columns: set,
    rows: Array.from({ length: rows }, (_, i) => i).filter((i) => set.every((j) => possible[i * columns + j])),
  }));
}
