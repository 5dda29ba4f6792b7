/** Stored members of a zip archive, written one after another (APPNOTE.TXT 6.3.10; zip64 in every header). */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  readonly crc: number;
  /** Where its local header begins. */
  readonly start: number;
}

const VERSION = 45; // zip64
const DATE = (1980 - 1980) * 512 + 1 * 32 + 1; // times are not kept: equal contents give equal bytes
const FULL = 0xffffffff;

/** What comes before the member's bytes. */
export function zipLocalHeader({ name, bytes, crc }: ZipEntry): Uint8Array {
  const label = Buffer.from(name, "utf8");
  const header = Buffer.alloc(30 + label.length + 20);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, { crc, label });
  header.writeUInt16LE(20, 28);
  label.copy(header, 30);
  writeLong(header, 30 + label.length, [bytes, bytes]);
  return header;
}

/** Directory and end of an archive whose members take `start` bytes. */
export function zipEnd(entries: readonly ZipEntry[], start: number): Uint8Array {
  const directory = Buffer.concat(entries.map(directoryEntry));
  const long = Buffer.alloc(56 + 20);
  long.writeUInt32LE(0x06064b50, 0);
  long.writeBigUInt64LE(44n, 4);
  long.writeUInt16LE(VERSION, 12);
  long.writeUInt16LE(VERSION, 14);
  long.writeBigUInt64LE(BigInt(entries.length), 24);
  long.writeBigUInt64LE(BigInt(entries.length), 32);
  long.writeBigUInt64LE(BigInt(directory.length), 40);
  long.writeBigUInt64LE(BigInt(start), 48);
  long.writeUInt32LE(0x07064b50, 56);
  long.writeBigUInt64LE(BigInt(start + directory.length), 64);
  long.writeUInt32LE(1, 72);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Math.min(directory.length, FULL), 12);
  end.writeUInt32LE(Math.min(start, FULL), 16);
  return Buffer.concat([directory, long, end]);
}

function directoryEntry({ name, bytes, crc, start }: ZipEntry): Buffer {
  const label = Buffer.from(name, "utf8");
  const entry = Buffer.alloc(46 + label.length + 28);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(VERSION, 4);
  writeCommon(entry, 6, { crc, label });
  entry.writeUInt16LE(28, 30);
  entry.writeUInt32LE(FULL, 42);
  label.copy(entry, 46);
  writeLong(entry, 46 + label.length, [bytes, bytes, start]);
  return entry;
}

/** Version needed, flags, method, time, date, checksum, two sizes (in the zip64 field) and the length of the name. */
function writeCommon(target: Buffer, at: number, { crc, label }: { crc: number; label: Buffer }): void {
  target.writeUInt16LE(VERSION, at);
  target.writeUInt16LE(DATE, at + 8);
  target.writeUInt32LE(crc, at + 10);
  target.writeUInt32LE(FULL, at + 14);
  target.writeUInt32LE(FULL, at + 18);
  target.writeUInt16LE(label.length, at + 22);
}

function writeLong(target: Buffer, at: number, values: readonly number[]): void {
  target.writeUInt16LE(1, at);
  target.writeUInt16LE(8 * values.length, at + 2);
  for (const [k, value] of values.entries()) target.writeBigUInt64LE(BigInt(value), at + 4 + 8 * k);
}
