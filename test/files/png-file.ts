import { crc32, deflateSync } from "node:zlib";

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** Bytes of a PNG file without filters. Types: 0 grey, 2 RGB, 3 palette, 6 RGBA. Quick, for tests with large pictures. */
export function pngFile(
  [width, height]: readonly [number, number],
  [depth, type]: readonly [number, number],
  rows: readonly Uint8Array[],
  extra: readonly Buffer[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, type], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...extra,
    pngChunk("IDAT", deflateSync(Buffer.concat(rows.flatMap((row) => [Buffer.of(0), row])), { level: 1 })),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}
