import { existsSync, readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { FailureError, UsageError } from "../schemas/errors.ts";

/** A numeric array of a MATLAB file, first index fastest (column-major), in the type that it is stored in. */
export interface MatArray {
  readonly shape: readonly number[];
  readonly data:
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | Float32Array
    | Float64Array;
}

const HEADER_BYTES = 128;
/** More than any array of the field's data sets, so that a small file cannot fill the memory. */
const MAX_ARRAY_BYTES = 2 ** 30;

const COMPRESSED = 15;
const MATRIX = 14;
/** Array classes of plain numbers: double, single and the integers up to 32 bits. */
const NUMERIC_CLASSES = { from: 6, to: 13 };

/** By the number of a data element's type. */
const TYPES: ReadonlyMap<number, { bytes: number; from(buffer: ArrayBuffer): MatArray["data"] }> = new Map([
  [1, { bytes: 1, from: (buffer) => new Int8Array(buffer) }],
  [2, { bytes: 1, from: (buffer) => new Uint8Array(buffer) }],
  [3, { bytes: 2, from: (buffer) => new Int16Array(buffer) }],
  [4, { bytes: 2, from: (buffer) => new Uint16Array(buffer) }],
  [5, { bytes: 4, from: (buffer) => new Int32Array(buffer) }],
  [6, { bytes: 4, from: (buffer) => new Uint32Array(buffer) }],
  [7, { bytes: 4, from: (buffer) => new Float32Array(buffer) }],
  [9, { bytes: 8, from: (buffer) => new Float64Array(buffer) }],
]);

/**
 * One array of a MATLAB 5 file (`save -v6`, `-v7`), compressed or not, little-endian as every computer of today writes
 * it. Arrays of other names are skipped by their size, whatever they hold.
 *
 * Source: MathWorks, "MAT-File Format", version 5
 *
 * @throws UsageError if there is no such file; FailureError if it is no such file, is damaged, or has no such array of
 *   plain numbers
 */
export function readMat5(file: string, name: string): MatArray {
  const action = `read MATLAB file "${file}"`;
  if (!existsSync(file))
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  const bytes = readFileSync(file);
  requireHeader(bytes, action);
  const names: string[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const element = elementAt(bytes, at, action);
    at = element.next;
    const matrix = element.type === COMPRESSED ? unpacked(element.data, action) : element;
    if (matrix.type !== MATRIX) continue;
    const found = readMatrix(matrix.data, { wanted: name, action });
    if (typeof found !== "string") return found;
    names.push(found);
  }
  throw bad(action, `it must hold an array "${name}", got ${names.join(", ") || "none"}`);
}

interface Element {
  readonly type: number;
  readonly data: Buffer;
  /** Where the next one begins. */
  readonly next: number;
}

function requireHeader(bytes: Buffer, action: string): void {
  const text = bytes.subarray(0, 19).toString("latin1");
  if (
    bytes.length >= HEADER_BYTES &&
    text.startsWith("MATLAB 5.0 MAT-file") &&
    bytes.toString("latin1", 126, 128) === "IM"
  )
    return;
  const what = text.startsWith("MATLAB 7.3") ? "version 7.3, which is HDF5" : `"${text.replace(/[^ -~]/g, "?")}"`;
  throw bad(action, `it must begin as a little-endian MATLAB 5.0 MAT-file, got ${what}`);
}

/** Two forms: type and length of 4 bytes each, data padded to 8 (not where compressed); or 2 bytes each and 4 of data. */
function elementAt(bytes: Buffer, at: number, action: string): Element {
  if (at + 8 > bytes.length)
    throw bad(action, `an element must have 8 bytes or more, got ${bytes.length - at} at the end`);
  const first = bytes.readUInt32LE(at);
  const short = first >>> 16;
  const [type, length, start] =
    short > 0 ? [first & 0xffff, short, at + 4] : [first, bytes.readUInt32LE(at + 4), at + 8];
  const end = start + length;
  if (end > bytes.length)
    throw bad(action, `it must hold the ${length} bytes of an element, got ${bytes.length - start}: it is truncated`);
  const next = short > 0 ? at + 8 : type === COMPRESSED ? end : at + 8 + 8 * Math.ceil(length / 8);
  return { type, data: bytes.subarray(start, end), next };
}

function unpacked(data: Buffer, action: string): Element {
  let plain: Buffer;
  try {
    plain = inflateSync(data, { maxOutputLength: MAX_ARRAY_BYTES });
  } catch (cause) {
    throw new FailureError(
      `Cannot ${action}: its compressed data must be whole and below 1 GiB, got "${(cause as Error).message}"`,
      { code: "bad_data", cause },
    );
  }
  return elementAt(plain, 0, action);
}

/** @returns the name of an array that is not the wanted one */
function readMatrix(bytes: Buffer, { wanted, action }: { wanted: string; action: string }): MatArray | string {
  const flags = elementAt(bytes, 0, action);
  const dimensions = elementAt(bytes, flags.next, action);
  const name = elementAt(bytes, dimensions.next, action);
  const title = name.data.toString("latin1");
  if (title !== wanted) return title;
  const kind = flags.data.length === 0 ? 0 : flags.data[0]!;
  const isComplex = flags.data.length > 1 && (flags.data[1]! & 8) !== 0;
  if (kind < NUMERIC_CLASSES.from || kind > NUMERIC_CLASSES.to || isComplex) {
    throw bad(action, `array "${wanted}" must hold real numbers of at most 32 bits or double, got class ${kind}`);
  }
  const shape = Array.from({ length: dimensions.data.length / 4 }, (_, axis) => dimensions.data.readInt32LE(4 * axis));
  const { type, data } = elementAt(bytes, name.next, action);
  const stored = TYPES.get(type);
  const count = shape.reduce((product, size) => product * size, 1);
  if (stored === undefined || data.length !== count * stored.bytes) {
    throw bad(
      action,
      `array "${wanted}" of shape [${shape.join(", ")}] must have ${count} numbers, got ${data.length} bytes of type ${type}`,
    );
  }
  // A copy: typed arrays want their data aligned.
  return { shape, data: stored.from(Uint8Array.from(data).buffer) };
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
