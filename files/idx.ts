import { existsSync, readFileSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { elementCount, type HostTensor } from "../schemas/tensor.ts";

/** Largest tensor read from one file. MNIST's largest is 47 MB. */
const LIMIT_BYTES = 2 ** 31 - 1;

interface ElementType {
  readonly name: string;
  readonly bytes: number;
  /** Decodes big-endian values; int8 and int16 are widened to int32, which loses nothing. */
  decode(payload: Buffer, count: number): Pick<HostTensor, "dtype" | "data">;
}

const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  [0x08, { name: "uint8", bytes: 1, decode: (from) => ({ dtype: "uint8", data: bytesOf(from) }) }],
  [0x09, { name: "int8", bytes: 1, decode: (from, n) => int32(n, (i) => from.readInt8(i)) }],
  [0x0b, { name: "int16", bytes: 2, decode: (from, n) => int32(n, (i) => from.readInt16BE(2 * i)) }],
  [0x0c, { name: "int32", bytes: 4, decode: (from, n) => int32(n, (i) => from.readInt32BE(4 * i)) }],
  [0x0d, { name: "float32", bytes: 4, decode: (from, n) => float32(n, (i) => from.readFloatBE(4 * i)) }],
]);

function bytesOf(from: Buffer): Uint8Array {
  return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
}

function int32(count: number, at: (i: number) => number): Pick<HostTensor, "dtype" | "data"> {
  return { dtype: "int32", data: Int32Array.from({ length: count }, (_, i) => at(i)) };
}

function float32(count: number, at: (i: number) => number): Pick<HostTensor, "dtype" | "data"> {
  return { dtype: "float32", data: Float32Array.from({ length: count }, (_, i) => at(i)) };
}

/**
 * Reads an IDX file, plain or gzip (told apart by their first bytes, not by name).
 * Format: two zero bytes, element type, number of dimensions, each dimension as big-endian uint32, then the values.
 * Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
 *
 * @returns shape as in the file; uint8, int32 (also for int8 and int16) or float32
 * @throws UsageError if there is no such file; FailureError if it is not IDX, damaged, truncated, or too long
 */
export function readIdx(file: string): HostTensor {
  const action = `read IDX file "${file}"`;
  if (!existsSync(file)) {
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  }
  const stored = readFile(file, action);
  const packed = stored[0] === 0x1f && stored[1] === 0x8b;
  const header = parseIdxHeader(packed ? unpackStart(stored, action) : stored, action);
  const { type, shape, start } = header;
  const wanted = start + header.bytes;
  if (!(wanted <= LIMIT_BYTES)) {
    throw new FailureError(
      `Cannot ${action}: its tensor must take at most ${LIMIT_BYTES} bytes, got shape [${shape.join(", ")}] of ${type} in the header: the file is damaged or no IDX file`,
      { code: "bad_data" },
    );
  }
  const mismatch = (fault: string, actual: number | string): FailureError =>
    new FailureError(
      `Cannot ${action}: shape [${shape.join(", ")}] of ${type} must take ${wanted} bytes with its header, got ${actual}: the file is ${fault}, fetch it again`,
      { code: "bad_data" },
    );
  const bytes = packed ? unpack(stored, wanted, { action, mismatch }) : stored;
  if (bytes.length < wanted) throw mismatch("truncated", bytes.length);
  if (bytes.length > wanted) throw mismatch("followed by other bytes", bytes.length);
  return { shape, ...decodeIdx(bytes.subarray(start), header) };
}

export interface IdxHeader {
  /** The file's name of its element type. */
  readonly type: string;
  /** What the values become: int8 and int16 are widened. */
  readonly dtype: "uint8" | "int32" | "float32";
  readonly shape: readonly number[];
  /** Where the values begin, in bytes. */
  readonly start: number;
  /** Bytes of all values. */
  readonly bytes: number;
}

/** A header of 255 dimensions, the most there can be. */
export const MAX_IDX_HEADER_BYTES = 4 + 4 * 255;

/** Some values of a file, in this machine's order of bytes; uint8 is a view, not a copy. */
export function decodeIdx(bytes: Uint8Array, { type }: IdxHeader): Pick<HostTensor, "dtype" | "data"> {
  const element = [...ELEMENT_TYPES.values()].find(({ name }) => name === type)!;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return element.decode(view, bytes.byteLength / element.bytes);
}

/** Header of an IDX file; `head` may be only its beginning. @throws FailureError if it is no IDX file */
export function parseIdxHeader(head: Buffer, action: string): IdxHeader {
  const magic = head.subarray(0, 4).toString("hex");
  const rank = head[3] ?? 0;
  const start = 4 + 4 * rank;
  if (head.length < 4 || head[0] !== 0 || head[1] !== 0 || rank === 0) {
    throw new FailureError(
      `Cannot ${action}: it must begin with bytes 00 00, element type, number of dimensions, got ${magic || "an empty file"}: it is no IDX file`,
      { code: "bad_data" },
    );
  }
  const type = ELEMENT_TYPES.get(head[2]!);
  if (type === undefined) {
    throw new FailureError(
      `Cannot ${action}: its element type must be 08 (uint8), 09 (int8), 0b (int16), 0c (int32) or 0d (float32), got ${magic.slice(4, 6)}${head[2] === 0x0e ? " (float64)" : ""}`,
      { code: "bad_data" },
    );
  }
  if (head.length < start) {
    throw new FailureError(
      `Cannot ${action}: a header of ${rank} dimensions must take ${start} bytes, got ${head.length}: the file is truncated, fetch it again`,
      { code: "bad_data" },
    );
  }
  const shape = Array.from({ length: rank }, (_, axis) => head.readUInt32BE(4 + 4 * axis));
  const dtype = type.name === "float32" || type.name === "uint8" ? type.name : "int32";
  return { type: type.name, dtype, shape, start, bytes: elementCount(shape) * type.bytes };
}

/** The beginning of the unpacked file: enough for any header, so that the size is known before all is unpacked. */
function unpackStart(stored: Buffer, action: string): Buffer {
  try {
    return gunzipSync(stored.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw damaged(action, cause);
  }
}

/** Unpacks no more than `wanted`, so that a small file cannot fill the memory. */
function unpack(
  stored: Buffer,
  wanted: number,
  { action, mismatch }: { action: string; mismatch: (fault: string, actual: number | string) => FailureError },
): Buffer {
  try {
    return gunzipSync(stored, { maxOutputLength: wanted });
  } catch (cause) {
    if (codeOf(cause) === "ERR_BUFFER_TOO_LARGE") throw mismatch("followed by other bytes", "more");
    if (codeOf(cause) === "Z_BUF_ERROR") throw mismatch("truncated", "a gzip stream that ends early");
    throw damaged(action, cause);
  }
}

function readFile(file: string, action: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new FailureError(`Cannot ${action}: ${(cause as Error).message}`, { code: "unreadable", cause });
  }
}

function damaged(action: string, cause: unknown): FailureError {
  return new FailureError(
    `Cannot ${action}: its gzip data must be whole, got "${(cause as Error).message}": the file is damaged, fetch it again`,
    { code: "bad_data", cause },
  );
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
