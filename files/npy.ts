import { existsSync, readFileSync } from "node:fs";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { elementCount } from "../schemas/tensor.ts";

/** NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3. */

/** Element types by NumPy's name; `bool` is one byte an element (0 or 1), as in a HostTensor. */
const TYPES = {
  bool: { code: "b1", make: Uint8Array },
  uint8: { code: "u1", make: Uint8Array },
  int8: { code: "i1", make: Int8Array },
  uint16: { code: "u2", make: Uint16Array },
  int16: { code: "i2", make: Int16Array },
  uint32: { code: "u4", make: Uint32Array },
  int32: { code: "i4", make: Int32Array },
  uint64: { code: "u8", make: BigUint64Array },
  int64: { code: "i8", make: BigInt64Array },
  float32: { code: "f4", make: Float32Array },
  float64: { code: "f8", make: Float64Array },
} as const;

export type NpyDtype = keyof typeof TYPES;
export type NpyData = InstanceType<(typeof TYPES)[NpyDtype]["make"]>;

/** Row-major array, whatever the order in the file was. */
export interface NpyArray {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  readonly data: NpyData;
}

export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: readonly number[];
  /** Whether the file's values are column-major. */
  readonly fortran: boolean;
  /** Whether the file's values are big-endian. */
  readonly bigEndian: boolean;
  /** Where the values begin, in bytes. */
  readonly start: number;
  /** Bytes of all values. */
  readonly bytes: number;
}

/** No header that NumPy writes is longer; it says where the values begin, so a false one must not move them far. */
export const MAX_HEADER_BYTES = 65_536;
/** Largest array read at once; longer ones are read in rows. */
export const MAX_ARRAY_BYTES = 2 ** 31 - 1;

/**
 * Reads a `.npy` file.
 *
 * @throws UsageError if there is no such file; FailureError if it is damaged, too long, or holds pickled objects
 */
export function readNpy(file: string): NpyArray {
  const action = `read npy file "${file}"`;
  if (!existsSync(file))
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new FailureError(`Cannot ${action}: ${(cause as Error).message}`, { code: "unreadable", cause });
  }
  return parseNpy(bytes, action);
}

/** Array in the bytes of a `.npy` file. The data is a copy. `action` begins the messages of errors. */
export function parseNpy(bytes: Uint8Array, action: string): NpyArray {
  const header = parseNpyHeader(bytes, action);
  if (bytes.length !== header.start + header.bytes) {
    const fault = bytes.length < header.start + header.bytes ? "truncated" : "followed by other bytes";
    throw bad(
      action,
      `shape (${header.shape.join(", ")}) of ${header.dtype} must take ${header.start + header.bytes} bytes with its header, got ${bytes.length}: the file is ${fault}`,
    );
  }
  return { dtype: header.dtype, shape: header.shape, data: decodeValues(bytes.subarray(header.start), header) };
}

/**
 * Header of a `.npy` file; `bytes` may be only its beginning.
 *
 * @throws FailureError if it is no npy file, or one of objects (a pickle, which could run code when it is read)
 */
export function parseNpyHeader(bytes: Uint8Array, action: string): NpyHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.toString("latin1", 0, 6) !== "\x93NUMPY") {
    throw bad(
      action,
      `it must begin with 93 "NUMPY", got ${view.toString("hex", 0, 6) || "nothing"}: it is no npy file`,
    );
  }
  const version = view[6] ?? 0;
  if (version < 1 || version > 3) throw bad(action, `its format version must be 1, 2 or 3, got ${version}`);
  const wide = version > 1;
  if (view.length < 12)
    throw bad(action, `its header must take at least 12 bytes, got ${view.length}: it is truncated`);
  const start = wide ? 12 + view.readUInt32LE(8) : 10 + view.readUInt16LE(8);
  if (start > MAX_HEADER_BYTES)
    throw bad(action, `its header must take at most ${MAX_HEADER_BYTES} bytes, got ${start}`);
  if (view.length < start) {
    throw bad(action, `its header must take ${start} bytes, got ${view.length}: the file is truncated`);
  }
  const text = view.toString(version === 3 ? "utf8" : "latin1", wide ? 12 : 10, start);
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw bad(action, `its header must name descr (one plain type), fortran_order and shape, got ${text.trim()}`);
  }
  const { dtype, bigEndian } = typeOf(descr, action);
  const sizes = [...shape.matchAll(/\d+/g)].map(Number);
  const bytesOfAll = elementCount(sizes) * TYPES[dtype].make.BYTES_PER_ELEMENT;
  if (!Number.isSafeInteger(bytesOfAll)) {
    throw bad(action, `its shape must be one that fits a file, got (${sizes.join(", ")})`);
  }
  return { dtype, shape: sizes, fortran: order === "True", bigEndian, start, bytes: bytesOfAll };
}

function typeOf(descr: string, action: string): { dtype: NpyDtype; bigEndian: boolean } {
  if (descr.includes("O")) {
    throw bad(
      action,
      "its elements must be numbers, got Python objects (a pickle): they are never read, as they can run code",
    );
  }
  const [order, code] = [descr[0]!, descr.slice(1)];
  for (const [dtype, type] of Object.entries(TYPES)) {
    if ("<>=|".includes(order) && type.code === code) return { dtype: dtype as NpyDtype, bigEndian: order === ">" };
  }
  throw bad(action, `its type must be one of ${Object.keys(TYPES).join(", ")}, got "${descr}"`);
}

/** Values of whole arrays or, where they are row-major, of some of their rows, in this machine's order of bytes. */
export function decodeValues(bytes: Uint8Array, { dtype, shape, fortran, bigEndian }: NpyHeader): NpyData {
  const { make } = TYPES[dtype];
  const copy = new Uint8Array(bytes); // at an address that fits the elements
  if (bigEndian) swapBytes(copy, make.BYTES_PER_ELEMENT);
  const data = new make(copy.buffer);
  return fortran && shape.length > 1 ? toRowMajor(data, shape) : data;
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

function toRowMajor<T extends NpyData>(data: T, shape: readonly number[]): T {
  const result = data.slice() as T;
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Bytes of a `.npy` file, version 1 (2 where the header is long), row-major, little-endian. */
export function writeNpy({ dtype, shape, data }: NpyArray): Uint8Array {
  if (elementCount(shape) !== data.length) {
    throw new RangeError(`Cannot write npy: shape [${shape.join(", ")}] must have ${data.length} elements`);
  }
  const { code, make } = TYPES[dtype];
  const header = npyHeader(`${make.BYTES_PER_ELEMENT === 1 ? "|" : "<"}${code}`, shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** What comes before the values: `descr` is NumPy's name of the type, `<f4`. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const wide = text.length + 80 > 65_535;
  const fixed = wide ? 12 : 10;
  const start = Math.ceil((fixed + text.length + 1) / 64) * 64; // values at a multiple of 64, as NumPy has them
  const bytes = Buffer.alloc(start);
  bytes.write("\x93NUMPY", "latin1");
  bytes[6] = wide ? 2 : 1;
  if (wide) bytes.writeUInt32LE(start - fixed, 8);
  else bytes.writeUInt16LE(start - fixed, 8);
  bytes.write(`${text.padEnd(start - fixed - 1)}\n`, fixed, "latin1");
  return bytes;
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
