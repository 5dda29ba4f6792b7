import type { Cell, Values } from "./table.ts";

/** Columns of a stretch of rows, as a file keeps them together: a row group, a record batch, a thousand lines. */
export type Chunk = ReadonlyMap<string, readonly Cell[]>;

/**
 * Rows across chunks. The chunk read last is kept, so that blocks in ascending order decode each chunk once; memory is
 * that of two chunks.
 *
 * @param starts first row of every chunk, and behind them the number of rows
 */
export function chunkedRows(
  starts: readonly number[],
  readChunk: (chunk: number, columns: readonly string[]) => Promise<Chunk>,
): (columns: readonly string[], first: number, end: number) => Promise<Values[]> {
  let kept: { readonly chunk: number; readonly key: string; readonly values: Chunk } | undefined;

  async function chunkAt(chunk: number, columns: readonly string[]): Promise<Chunk> {
    const key = columns.join("\n");
    if (kept?.chunk !== chunk || kept.key !== key) kept = { chunk, key, values: await readChunk(chunk, columns) };
    return kept.values;
  }

  return async (columns, first, end) => {
    const cells: Cell[][] = columns.map(() => []);
    for (let chunk = chunkOf(starts, first); chunk < starts.length - 1 && starts[chunk]! < end; chunk++) {
      const values = await chunkAt(chunk, columns);
      const [from, to] = [Math.max(first, starts[chunk]!), Math.min(end, starts[chunk + 1]!)];
      for (const [k, name] of columns.entries()) {
        const column = values.get(name)!;
        for (let row = from; row < to; row++) cells[k]!.push(column[row - starts[chunk]!] ?? null);
      }
    }
    return cells.map((column) => ({ kind: "cells", cells: column }));
  };
}

/** The last chunk that begins at `row` or before it. */
function chunkOf(starts: readonly number[], row: number): number {
  let [low, high] = [0, Math.max(0, starts.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
