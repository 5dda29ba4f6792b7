import { isUtf8 } from "node:buffer";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { type Dtype, elementCount, type TensorData } from "../../schemas/tensor.ts";
import { canResize, shapesFit } from "./mapping.ts";
import { createResizer } from "./resize.ts";
import { imageCell } from "./tables/folder-table.ts";
import { BrokenCell, type Cell, type ImageCell, type Numbers, type Values } from "./tables/table.ts";

/** Why a row cannot be scored, row by row; undefined where it can. */
export type Faults = (string | undefined)[];

export interface Conversion {
  readonly rows: number;
  /** Rows of the tensor, of which those behind `rows` are zero: a batch always has the same size. */
  readonly batch: number;
  readonly resize: boolean;
  /** Gets the first reason of each row whose value is there and does not fit. */
  readonly faults: Faults;
  /** Gets 1 for each row whose value is missing. */
  readonly missing: Uint8Array;
}

const makers = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
} as const;

/** Values of the columns of one input as the tensor that the task takes, [batch, ...shape of the input]. */
export function toTensor(spec: TensorSpec, columns: readonly Values[], conversion: Conversion): TensorData {
  const { rows, batch, resize } = conversion;
  const shape = spec.shape.slice(1);
  const size = elementCount(shape);
  const [only] = columns;
  if (columns.length === 1 && only!.kind === "dense" && shapesFit(only!.shape, shape)) {
    return fromDense(spec, only!.data, size, conversion);
  }
  const target = new makers[spec.dtype](batch * size);
  const cellAt = columns.length === 1 ? (row: number) => cellOf(only!, row) : (row: number) => joined(columns, row);
  const fill = createFill(spec, { shape, size, resize });
  for (let row = 0; row < rows; row++) {
    if (conversion.missing[row] === 1) continue;
    const cell = cellAt(row);
    if (cell === null) conversion.missing[row] = 1;
    else conversion.faults[row] ??= fill(target, row * size, cell);
  }
  return target;
}

function fromDense(
  spec: TensorSpec,
  data: Numbers,
  size: number,
  { rows, batch, faults, missing }: Conversion,
): TensorData {
  const { dtype, name } = spec;
  if (dtype === "uint8" && data instanceof Uint8Array) {
    // Handed over to another thread, so it must not be a view of more than itself.
    if (rows === batch) return data.byteLength === data.buffer.byteLength ? data : data.slice();
    const padded = new Uint8Array(batch * size);
    padded.set(data);
    return padded;
  }
  const target = new makers[dtype](batch * size);
  if (dtype === "float32" && data instanceof Float32Array) (target as Float32Array).set(data);
  else {
    for (let row = 0; row < rows; row++) {
      if (missing[row] === 1) continue;
      for (let i = row * size; i < (row + 1) * size; i++) {
        const fault = store(target, i, data[i]!, dtype);
        if (fault !== undefined) faults[row] ??= `"${name}" ${fault} at ${i - row * size}`;
      }
    }
    return target;
  }
  for (let i = 0; i < rows * size; i++) {
    const value = (target as Float32Array)[i]!;
    if (value - value === 0) continue;
    const row = Math.floor(i / size);
    if (missing[row] !== 1) faults[row] ??= `"${name}" must be finite, got ${value} at ${i - row * size}`;
  }
  return target;
}

function cellOf(values: Values, row: number): Cell {
  if (values.kind === "cells") return values.cells[row] ?? null;
  const size = elementCount(values.shape);
  return { shape: values.shape, data: values.data.subarray(row * size, (row + 1) * size) };
}

/** A vector from as many columns; missing only where all are. */
function joined(columns: readonly Values[], row: number): Cell {
  const cells = columns.map((column) => {
    if (column.kind === "dense") return column.data[row]!;
    return column.cells[row] ?? null;
  });
  if (cells.every((cell) => cell === null)) return null;
  return cells.find((cell) => cell instanceof BrokenCell) ?? cells;
}

type Fill = (target: TensorData, offset: number, cell: Exclude<Cell, null>) => string | undefined;

/** @returns a function that stores one row's value, or answers why it does not fit */
function createFill(
  { name, dtype }: TensorSpec,
  { shape, size, resize }: { shape: readonly number[]; size: number; resize: boolean },
): Fill {
  const resizers = new Map<string, ReturnType<typeof createResizer>>();
  const wanted = `"${name}" must have shape [${shape.join(", ")}]`;

  function fillNumbers(target: TensorData, offset: number, values: ArrayLike<unknown>): string | undefined {
    for (let i = 0; i < size; i++) {
      const fault = store(target, offset + i, values[i], dtype);
      if (fault !== undefined) return `"${name}" ${fault}${size > 1 ? ` at ${i}` : ""}`;
    }
    return undefined;
  }

  function fillShaped(target: TensorData, offset: number, cell: ImageCell): string | undefined {
    if (shapesFit(cell.shape, shape)) return fillNumbers(target, offset, cell.data);
    if (!resize || dtype !== "uint8" || !canResize(shape, cell.shape))
      return `${wanted}, got [${cell.shape.join(", ")}]`;
    const key = cell.shape.join("x");
    let resizer = resizers.get(key);
    if (resizer === undefined) {
      resizer = createResizer([cell.shape[0]!, cell.shape[1]!], [shape[0]!, shape[1]!], shape[2]!);
      resizers.set(key, resizer);
    }
    for (const value of cell.data) {
      const fault = faultOf(value, "uint8");
      if (fault !== undefined) return `"${name}" ${fault}`;
    }
    resizer(cell.data, 0, target as Uint8Array, offset);
    return undefined;
  }

  function fillBytes(target: TensorData, offset: number, bytes: Uint8Array): string | undefined {
    if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e) {
      return fill(
        target,
        offset,
        imageCell(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as ImageCell,
      );
    }
    if (dtype === "float32" && bytes.length === 4 * size && size > 1) {
      return fillNumbers(target, offset, new Float32Array(bytes.slice().buffer)); // little-endian, as Parquet has it
    }
    return bytes.length === size ? fillNumbers(target, offset, bytes) : `${wanted}, got ${bytes.length} bytes`;
  }

  const fill: Fill = (target, offset, cell) => {
    if (cell instanceof BrokenCell) return cell.reason;
    if (typeof cell === "number" || typeof cell === "bigint" || typeof cell === "string") {
      return size === 1 ? fillNumbers(target, offset, [cell]) : `${wanted}, got one value`;
    }
    if (cell instanceof Uint8Array) return fillBytes(target, offset, cell);
    if (ArrayBuffer.isView(cell)) {
      return cell.length === size ? fillNumbers(target, offset, cell) : `${wanted}, got ${cell.length} values`;
    }
    if (Array.isArray(cell)) return fillNested(target, offset, cell);
    const { bytes } = cell as { bytes?: unknown }; // a picture as Hugging Face's datasets keep it: {bytes, path}
    if (bytes instanceof Uint8Array) return fillBytes(target, offset, bytes);
    return "shape" in cell ? fillShaped(target, offset, cell) : `${wanted}, got an object`;
  };

  function fillNested(target: TensorData, offset: number, cell: readonly unknown[]): string | undefined {
    const sizes = nestedShape(cell);
    if (sizes === undefined || !shapesFit(sizes, shape)) {
      return `${wanted}, got ${sizes === undefined ? "rows of different lengths" : `[${sizes.join(", ")}]`}`;
    }
    return fillNumbers(target, offset, cell.flat(Number.POSITIVE_INFINITY));
  }

  return fill;
}

function nestedShape(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return [];
  if (value.length === 0) return [0];
  const inner = nestedShape(value[0]);
  if (inner === undefined) return undefined;
  for (const item of value) {
    const other = nestedShape(item);
    if (other === undefined || other.length !== inner.length || other.some((size, axis) => size !== inner[axis])) {
      return undefined;
    }
  }
  return [value.length, ...inner];
}

/** Stores `value`, or answers why the type cannot hold it. */
function store(target: TensorData, at: number, value: unknown, dtype: Dtype): string | undefined {
  const fault = faultOf(value, dtype);
  if (fault !== undefined) return fault;
  if (target instanceof BigInt64Array) target[at] = BigInt(value as number | bigint | string);
  else {
    target[at] = Number(value);
    if (dtype === "float32" && !Number.isFinite(target[at])) return `must be a float32, got ${String(value)}`;
  }
  return undefined;
}

const ranges = { uint8: [0, 255], bool: [0, 1], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;

function faultOf(value: unknown, dtype: Dtype): string | undefined {
  const number = typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : numberOf(value);
  if (number === undefined) return `must hold numbers, got ${show(value)}`;
  if (!Number.isFinite(number)) return `must be finite, got ${number}`;
  if (dtype === "float32") return undefined;
  const [low, high] = dtype === "int64" ? [-(2 ** 63), 2 ** 63 - 1024] : ranges[dtype];
  return Number.isInteger(number) && number >= low && number <= high
    ? undefined
    : `must hold whole numbers that fit ${dtype}, got ${number}`;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isNaN(number) && !/^\s*[+-]?nan\s*$/i.test(value) ? undefined : number;
}

function show(value: unknown): string {
  if (value instanceof Uint8Array && isUtf8(value)) return JSON.stringify(Buffer.from(value).toString("utf8"));
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
