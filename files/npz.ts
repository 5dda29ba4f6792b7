import { existsSync, readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { Inflate, zipSync } from "fflate";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { didYouMean } from "../schemas/nearest.ts";
import {
  decodeValues,
  MAX_ARRAY_BYTES,
  MAX_HEADER_BYTES,
  type NpyArray,
  type NpyData,
  type NpyHeader,
  parseNpy,
  parseNpyHeader,
  writeNpy,
} from "./npy.ts";
import { readZipDirectory } from "./zip-directory.ts";

/**
 * NumPy's archives: a zip file of `.npy` files, stored or deflated. An array is unpacked when it is asked for, so one
 * of pickled objects does no harm beside others.
 */
export interface NpzFile {
  /** Names of the arrays, without `.npy`. */
  readonly names: readonly string[];
  /** Shape and type, from the beginning of the array alone. */
  header(name: string): NpyHeader;
  /** A whole array of at most 2 GiB. */
  read(name: string): NpyArray;
  /**
   * Hands a row-major array on in blocks of rows (first axis), in order, and never holds it whole: for arrays that are
   * long unpacked. The block is the caller's.
   */
  eachBlock(name: string, onBlock: (rows: NpyData, firstRow: number) => void): void;
}

interface Entry {
  readonly deflated: boolean;
  readonly bytes: number;
  readonly crc: number;
  readonly packed: Buffer;
}

const INPUT_STEP = 65_536; // compressed bytes at a time: at most 1,032 times as many come out

/**
 * Opens an `.npz` file (zip64 too, up to 2 GiB packed).
 *
 * @throws UsageError if there is no such file or, later, no such array; FailureError for what cannot be read, lies about
 *   its size, or fails its checksum
 */
export function openNpz(file: string): NpzFile {
  const action = `read npz file "${file}"`;
  if (!existsSync(file))
    throw new UsageError(`Cannot ${action}: it must exist, got nothing there`, { code: "no_file" });
  const entries = readDirectory(readWhole(file, action), action);

  function entryOf(name: string): Entry {
    const entry = entries.get(name);
    if (entry !== undefined) return entry;
    const names = [...entries.keys()];
    throw new UsageError(
      `Cannot ${action}: array "${name}" must be one of ${names.join(", ") || "none"}${didYouMean(name, names)}`,
      { code: "no_array" },
    );
  }

  function header(name: string): NpyHeader {
    const head: Uint8Array[] = [];
    let bytes = 0;
    unpack(entryOf(name), `${action}, array "${name}"`, (chunk) => {
      head.push(chunk.slice(0, MAX_HEADER_BYTES - bytes));
      bytes += chunk.length;
      return bytes < MAX_HEADER_BYTES;
    });
    return parseNpyHeader(Buffer.concat(head), `${action}, array "${name}"`);
  }

  return {
    names: [...entries.keys()],
    header,
    read(name) {
      const entry = entryOf(name);
      const within = `${action}, array "${name}"`;
      const { start, bytes } = header(name); // refuses objects before all is unpacked
      if (entry.bytes > MAX_ARRAY_BYTES || start + bytes > MAX_ARRAY_BYTES) {
        throw bad(within, `it must take at most ${MAX_ARRAY_BYTES} bytes, got ${Math.max(entry.bytes, start + bytes)}`);
      }
      const whole = new Uint8Array(entry.bytes);
      let at = 0;
      unpack(entry, within, (chunk) => {
        whole.set(chunk, at);
        at += chunk.length;
        return true;
      });
      return parseNpy(whole, within);
    },
    eachBlock(name, onBlock) {
      const entry = entryOf(name);
      const within = `${action}, array "${name}"`;
      const found = header(name);
      if (found.fortran && found.shape.length > 1) throw bad(within, "it must be row-major, got fortran_order True");
      if (entry.bytes !== found.start + found.bytes) {
        throw bad(within, `its shape must take ${found.start + found.bytes} bytes with its header, got ${entry.bytes}`);
      }
      const rowBytes = found.bytes / Math.max(1, found.shape[0] ?? 1);
      let skip = found.start;
      let firstRow = 0;
      let rest = Buffer.alloc(0);
      unpack(entry, within, (chunk) => {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        const held = Buffer.concat([rest, fresh]);
        const rows = rowBytes === 0 ? 0 : Math.floor(held.length / rowBytes);
        if (rows > 0) onBlock(decodeValues(held.subarray(0, rows * rowBytes), found), firstRow);
        firstRow += rows;
        rest = Buffer.from(held.subarray(rows * rowBytes));
        return true;
      });
    },
  };
}

/** Bytes of an `.npz` file with these arrays, deflated. Equal arrays give equal bytes: times are not stored. */
export function writeNpz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)] as const);
  return zipSync(Object.fromEntries(files), { mtime: new Date(1980, 0, 1), level: 6 });
}

/**
 * Hands on what an entry unpacks to, until `take` answers false. Stops as soon as more comes out than the directory
 * says, so a small file cannot fill the memory.
 */
function unpack(entry: Entry, action: string, take: (chunk: Uint8Array) => boolean): void {
  let bytes = 0;
  let crc = 0;
  let wanted = true;
  const onChunk = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    if (bytes > entry.bytes) throw bad(action, `it must unpack to ${entry.bytes} bytes, got more: the file is damaged`);
    crc = crc32(chunk, crc);
    if (wanted) wanted = take(chunk);
  };
  if (entry.deflated) {
    const inflate = new Inflate(onChunk);
    for (let at = 0; at < entry.packed.length && wanted; at += INPUT_STEP) {
      const end = Math.min(at + INPUT_STEP, entry.packed.length);
      try {
        inflate.push(entry.packed.subarray(at, end), end === entry.packed.length);
      } catch (cause) {
        if (cause instanceof FailureError || cause instanceof UsageError) throw cause;
        throw bad(action, `its deflated data must be whole, got "${(cause as Error).message}": the file is damaged`);
      }
    }
  } else {
    onChunk(entry.packed);
  }
  if (!wanted) return;
  if (bytes < entry.bytes) throw bad(action, `it must unpack to ${entry.bytes} bytes, got ${bytes}: it is truncated`);
  if (crc !== entry.crc) throw bad(action, "its checksum must fit, got another: the file is damaged");
}

/** The `.npy` files of a zip archive. */
function readDirectory(archive: Buffer, action: string): Map<string, Entry> {
  const read = (start: number, length: number): Buffer => archive.subarray(start, start + length);
  const wanted = (name: string): boolean => name.endsWith(".npy");
  const members = readZipDirectory(read, { size: archive.length, action, wanted });
  return new Map(
    members.map(({ name, start, packedBytes, ...member }) => [
      name.slice(0, -4),
      { ...member, packed: archive.subarray(start, start + packedBytes) },
    ]),
  );
}

function readWhole(file: string, action: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new FailureError(`Cannot ${action}: ${(cause as Error).message}`, { code: "unreadable", cause });
  }
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
