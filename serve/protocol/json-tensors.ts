import { UsageError } from "../../schemas/errors.ts";
import { datatypeOf, type InferOutput } from "../../schemas/open-inference.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";
import { preview } from "../../schemas/validate.ts";
import { HttpError } from "../http-error.ts";

/** Values of tensors in JSON, to host tensors and back. */

type Path = readonly (string | number)[];

function fault(text: string, path: Path): UsageError {
  return new UsageError(`Cannot infer: ${text}`, { code: "bad_inputs", path });
}

/** `[n, 2]`: -1 is printed as n, and a shape that is endless is cut. */
export function showShape(shape: readonly number[]): string {
  const sizes = shape.slice(0, 8).map((size) => (size === -1 ? "n" : String(size)));
  return `[${[...sizes, ...(shape.length > 8 ? ["..."] : [])].join(", ")}]`;
}

interface Element {
  readonly make: (count: number) => TensorData;
  readonly wanted: string;
  /** The element as the array stores it, or undefined. */
  readonly read: (value: unknown) => number | bigint | undefined;
}

function integers(minimum: number, maximum: number): Element["read"] {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined;
}

/** Beyond 2^53 a JSON number has lost digits before it gets here, so such integers travel as decimal strings. */
function readInt64(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return undefined;
  return BigInt.asIntN(64, BigInt(value)) === BigInt(value) ? BigInt(value) : undefined;
}

const elements: Record<Dtype, Element> = {
  float32: {
    make: (count) => new Float32Array(count),
    wanted: "a number that float32 can hold",
    read: (value) => (typeof value === "number" && Number.isFinite(Math.fround(value)) ? value : undefined),
  },
  int32: {
    make: (count) => new Int32Array(count),
    wanted: "an integer of 32 bits",
    read: integers(-(2 ** 31), 2 ** 31 - 1),
  },
  uint8: { make: (count) => new Uint8Array(count), wanted: "an integer from 0 to 255", read: integers(0, 255) },
  bool: {
    make: (count) => new Uint8Array(count),
    wanted: "true or false",
    read: (value) => (typeof value === "boolean" ? Number(value) : undefined),
  },
  int64: {
    make: (count) => new BigInt64Array(count),
    wanted: "a safe integer, or a decimal string of 64 bits",
    read: readInt64,
  },
};

/**
 * Values, flat or nested like `shape`.
 *
 * @throws UsageError with the path of the value that is wrong
 */
export function readData(
  data: readonly unknown[],
  { name, dtype, shape, path }: { name: string; dtype: Dtype; shape: readonly number[]; path: Path },
): TensorData {
  const nested = Array.isArray(data[0]);
  // Sizes are compared before memory is asked for: a small body can claim a huge shape.
  if (nested) checkNesting(data, { shape, name, path });
  else if (data.length !== elementCount(shape)) {
    throw fault(
      `"${name}" must hold ${elementCount(shape)} values for shape ${showShape(shape)}, got ${data.length}`,
      path,
    );
  }
  const flat = nested ? (data.flat(shape.length - 1) as unknown[]) : data;
  const { make, read, wanted } = elements[dtype];
  const array = make(flat.length);
  for (let i = 0; i < flat.length; i++) {
    const value = read(flat[i]);
    if (value === undefined) {
      const where = nested ? indexOf(i, shape) : [i];
      const actual = typeof flat[i] === "number" ? String(flat[i]) : preview(flat[i]);
      throw fault(`"${name}" must hold ${wanted} at [${where.join(", ")}], got ${actual}`, [...path, ...where]);
    }
    array[i] = value;
  }
  return array;
}

function checkNesting(
  data: readonly unknown[],
  { shape, name, path }: { shape: readonly number[]; name: string; path: Path },
): void {
  const [size, ...inner] = shape;
  if (data.length !== size) {
    throw fault(`"${name}" must have ${size ?? "no"} entries at ${path.join(".")}, got ${data.length}`, path);
  }
  if (inner.length === 0) return; // elements that are arrays are refused one by one, with their place
  for (const [index, row] of data.entries()) {
    const at = [...path, index];
    if (!Array.isArray(row)) throw fault(`"${name}" must have an array at ${at.join(".")}, got ${typeof row}`, at);
    checkNesting(row, { shape: inner, name, path: at });
  }
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index;
}

/**
 * An output in JSON form, flat and row-major. float32 values keep every digit: they parse back to the same float32.
 *
 * @throws HttpError 422 for NaN or infinity, which JSON cannot say
 */
export function writeOutput(name: string, tensor: HostTensor): InferOutput & { data: (number | boolean | string)[] } {
  const { dtype, shape, data } = tensor;
  requireFinite(name, tensor);
  return { name, shape: [...shape], datatype: datatypeOf[dtype], data: writeData(dtype, data) };
}

/** @throws HttpError 422 that names the first value that JSON cannot say */
export function requireFinite(name: string, { dtype, shape, data }: HostTensor): void {
  if (dtype === "float32") {
    const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const where = indexOf(bad, shape).join(", ");
      throw new HttpError(
        `Cannot answer in JSON: output "${name}" must be finite, got ${data[bad]} at [${where}]; look for extreme inputs`,
        { status: 422, code: "non_finite_output", path: ["outputs", name] },
      );
    }
  }
}

function writeData(dtype: Dtype, data: TensorData): (number | boolean | string)[] {
  if (data instanceof BigInt64Array) {
    return Array.from(data, (value) => {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    });
  }
  return dtype === "bool" ? Array.from(data, (value) => value !== 0) : Array.from(data);
}
