import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { FailureError, UsageError } from "../schemas/errors.ts";

/** An array of the NORB data sets, last index fastest (row-major). */
export interface NorbArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int32Array;
}

/** Larger than any file of SmallNORB unpacked (448 MB). */
const MAX_BYTES = 2 ** 29;

const BYTE = 0x1e3d4c55;
const INT32 = 0x1e3d4c54;

/**
 * Reads a file of the NORB data sets' own "matrix" format (its names end in `.mat`, but it is not MATLAB's), plain or
 * gzip: magic number, number of dimensions, at least three sizes, data; all little-endian. Bytes and int32 only, which is
 * what SmallNORB has.
 *
 * Source: LeCun, Huang & Bottou 2004, https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/
 *
 * @throws UsageError if there is no such file; FailureError for another format, type or length
 */
export function readNorbMatrix(file: string): NorbArray {
  const action = `read NORB file "${file}"`;
  if (!existsSync(file))
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  const bytes = unpacked(readFileSync(file), action);
  const magic = bytes.length >= 8 ? bytes.readUInt32LE(0) : 0;
  if (magic !== BYTE && magic !== INT32) {
    const what = bytes.length < 8 ? `${bytes.length} bytes` : magic.toString(16).padStart(8, "0");
    throw bad(action, `it must begin with the magic number 1e3d4c55 (bytes) or 1e3d4c54 (int32), got ${what}`);
  }
  const rank = bytes.readInt32LE(4);
  const start = 8 + 4 * Math.max(3, rank); // three sizes are always there
  if (rank < 1 || rank > 8 || bytes.length < start) {
    throw bad(action, `it must have 1 to 8 dimensions and their sizes, got ${rank} in ${bytes.length} bytes`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => bytes.readInt32LE(8 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  const wanted = start + count * (magic === BYTE ? 1 : 4);
  if (!shape.every((size) => size >= 0) || bytes.length !== wanted) {
    throw bad(
      action,
      `shape [${shape.join(", ")}] needs ${wanted} bytes, got ${bytes.length}: it is damaged, fetch it again`,
    );
  }
  const data = Uint8Array.from(bytes.subarray(start));
  return { shape, data: magic === BYTE ? data : new Int32Array(data.buffer) };
}

function unpacked(stored: Buffer, action: string): Buffer {
  if (stored[0] !== 0x1f || stored[1] !== 0x8b) return stored;
  try {
    return gunzipSync(stored, { maxOutputLength: MAX_BYTES });
  } catch (cause) {
    throw new FailureError(
      `Cannot ${action}: its gzip data must be whole and below 512 MiB, got "${(cause as Error).message}"`,
      { code: "bad_data", cause },
    );
  }
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
