/** What batch scoring reads from: rows in a fixed order, any block of which can be asked for. */

export type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export interface TableColumn {
  readonly name: string;
  /** Sizes of one row's value; `[]` is one number, `undefined` where only the rows tell. */
  readonly shape: readonly number[] | undefined;
  /** Whether values are whole numbers that an int64 holds, which may serve as integer ids. */
  readonly integer: boolean;
}

/** One row's value where rows may differ: `null` is missing, `text` also holds numbers of a CSV file. */
export type Cell = null | number | bigint | string | readonly unknown[] | Numbers | ImageCell | BrokenCell;

export interface ImageCell {
  /** [height, width, channels] */
  readonly shape: readonly number[];
  readonly data: Numbers;
}

/** A value that is there and cannot be read, a damaged picture for instance: its row is rejected with this reason. */
export class BrokenCell {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Values of one column for some rows: as one array where all have one shape, else row by row. */
export type Values =
  | { readonly kind: "dense"; readonly shape: readonly number[]; readonly data: Numbers }
  | { readonly kind: "cells"; readonly cells: readonly Cell[] };

export interface Table {
  /** What messages call it. */
  readonly label: string;
  readonly rows: number;
  readonly columns: readonly TableColumn[];
  /** The column that names the rows when no other is asked for: file names of a folder, the index of an AnnData file. */
  readonly idColumn: string | undefined;
  /** Whether `idColumn` cannot hold a value twice. */
  readonly uniqueIds: boolean;
  /** Whether a value may be missing. */
  readonly gaps: boolean;
  /** Values of `columns`, in that order, for rows `first .. end - 1`. Blocks in ascending order are the fast way. */
  read(columns: readonly string[], first: number, end: number): Promise<Values[]>;
  close(): Promise<void>;
}
