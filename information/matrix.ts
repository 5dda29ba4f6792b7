/** Row-major matrix: one row an example. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array | Float64Array;
}

/** @throws RangeError unless `values` holds rows x columns finite numbers */
export function requireMatrix(action: string, name: string, { rows, columns, values }: Matrix): void {
  if (values.length !== rows * columns) {
    throw new RangeError(
      `Cannot ${action}: "${name}" must hold ${rows} x ${columns} = ${rows * columns} values, got ${values.length}`,
    );
  }
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) {
    const place = `row ${Math.floor(at / columns)}, column ${at % columns}`;
    throw new RangeError(`Cannot ${action}: "${name}" must be finite, got ${values[at]} in ${place}`);
  }
}

/** Matrices side by side, the same rows. */
export function joinColumns(parts: readonly Matrix[]): Matrix {
  const rows = parts[0]?.rows ?? 0;
  const odd = parts.find((part) => part.rows !== rows);
  if (odd !== undefined) {
    throw new RangeError(`Cannot join columns: every part must have ${rows} rows, got ${odd.rows}`);
  }
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const values = new Float64Array(rows * columns);
  let start = 0;
  for (const part of parts) {
    for (let i = 0; i < rows; i++) {
      values.set(part.values.subarray(i * part.columns, (i + 1) * part.columns), i * columns + start);
    }
    start += part.columns;
  }
  return { rows, columns, values };
}

/** Rows `start` .. `end - 1`, without a copy. */
export function sliceRows({ columns, values }: Matrix, start: number, end: number): Matrix {
  return { rows: end - start, columns, values: values.subarray(start * columns, end * columns) };
}
