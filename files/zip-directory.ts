import { FailureError } from "../schemas/errors.ts";

/** One member of a zip archive: where its bytes lie and what they unpack to. */
export interface ZipMember {
  readonly name: string;
  readonly deflated: boolean;
  /** Unpacked. */
  readonly bytes: number;
  readonly packedBytes: number;
  /** Where the packed bytes begin in the archive. */
  readonly start: number;
  readonly crc: number;
}

/** Bytes `start .. start + length - 1` of the archive, fewer at its end. */
export type ReadAt = (start: number, length: number) => Buffer;

const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const FULL = 0xffffffff; // "see the zip64 field"

/**
 * Members of a zip archive, from the directory at its end (APPNOTE.TXT 6.3.10, sections 4.3 and 4.5; zip64 too). Only
 * the directory and the members' headers are read, whatever the archive's length.
 *
 * @param wanted whether a member is of interest: what the others look like does not matter
 * @throws FailureError for what is no zip archive, truncated, encrypted, or compressed by anything but deflate
 */
export function readZipDirectory(
  read: ReadAt,
  { size, action, wanted }: { size: number; action: string; wanted: (name: string) => boolean },
): ZipMember[] {
  const head = read(0, 4);
  if (head.toString("latin1", 0, 2) !== "PK") {
    throw bad(action, `it must begin with "PK", got ${head.toString("hex", 0, 4) || "nothing"}: it is no zip file`);
  }
  const { offset, entries, end } = findDirectory(read, size, action);
  const directory = read(offset, end - offset);
  const members: ZipMember[] = [];
  let at = 0;
  for (let left = entries; left > 0; left--) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw bad(action, "its directory is damaged");
    }
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const name = directory.toString("utf8", at + 46, nameEnd);
    if (wanted(name)) {
      const extra = directory.subarray(nameEnd, extraEnd);
      members.push(readMember(read, { entry: directory.subarray(at), extra, name, size, action }));
    }
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return members;
}

function findDirectory(read: ReadAt, size: number, action: string): { offset: number; entries: number; end: number } {
  const tailStart = Math.max(0, size - END_BYTES - LONGEST_COMMENT);
  const tail = read(tailStart, size - tailStart);
  const at = tail.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (at < 0 || at + END_BYTES > tail.length) {
    throw bad(action, "its directory must be at its end: the file is truncated");
  }
  const short = { offset: tail.readUInt32LE(at + 16), entries: tail.readUInt16LE(at + 10), end: tailStart + at };
  const isShort = short.offset !== FULL && short.entries !== 0xffff;
  const locator = read(Math.max(0, short.end - 20), 20);
  if (isShort || locator.length < 20 || locator.readUInt32LE(0) !== 0x07064b50) return short;
  const longAt = Number(locator.readBigUInt64LE(8));
  const long = read(longAt, 56);
  if (long.length < 56 || long.readUInt32LE(0) !== 0x06064b50) throw bad(action, "its zip64 directory is damaged");
  return { offset: Number(long.readBigUInt64LE(48)), entries: Number(long.readBigUInt64LE(32)), end: longAt };
}

function readMember(
  read: ReadAt,
  { entry, extra, name, size, action }: { entry: Buffer; extra: Buffer; name: string; size: number; action: string },
): ZipMember {
  const method = entry.readUInt16LE(10);
  if (entry.readUInt16LE(8) & 1) throw bad(action, `"${name}" must not be encrypted`);
  if (method !== 0 && method !== 8) throw bad(action, `"${name}" must be stored or deflated, got zip method ${method}`);
  const long = longSizes(extra); // in this order, each only where the short field is full
  const field = (offset: number): number => {
    const short = entry.readUInt32LE(offset);
    return short === FULL ? (long.shift() ?? short) : short;
  };
  const bytes = field(24);
  const packedBytes = field(20);
  const local = field(42);
  const header = read(local, 30);
  if (header.length < 30) {
    throw bad(action, `"${name}" must begin inside the file: it is truncated or damaged`);
  }
  const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packedBytes > size) {
    const actual = Math.max(0, size - start);
    throw bad(action, `"${name}" must take ${packedBytes} bytes, got ${actual}: it is truncated`);
  }
  return { name, deflated: method === 8, bytes, packedBytes, start, crc: entry.readUInt32LE(16) };
}

function longSizes(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const count = Math.floor(Math.min(extra.readUInt16LE(at + 2), extra.length - at - 4) / 8);
    return Array.from({ length: count }, (_, k) => Number(extra.readBigUInt64LE(at + 4 + 8 * k)));
  }
  return [];
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
