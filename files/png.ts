import { readFileSync } from "node:fs";
import { decode } from "fast-png";
import { FailureError } from "../schemas/errors.ts";

/** 8-bit image, row-major; channels are grey, grey and alpha, RGB, or RGBA. */
export interface PngImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Largest side read; a header that promises more is refused before anything is unpacked. */
const MAX_SIDE = 16_384;
/** Room in a file beside its pixels: colour profiles, text. Bounds what a damaged or hostile file can unpack to. */
const MAX_OTHER_BYTES = 2 ** 20;

/**
 * Reads a PNG file of 1 to 8 bits a channel, grey, coloured or with a palette (which becomes RGB, or RGBA if it has
 * transparent colours).
 *
 * @throws FailureError if it cannot be read, is damaged, or has 16 bits a channel
 */
export function readPng(file: string): PngImage {
  const action = `read PNG file "${file}"`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new FailureError(`Cannot ${action}: ${(cause as Error).message}`, { code: "unreadable", cause });
  }
  return parsePng(bytes, { action });
}

/**
 * Reads a PNG image from its bytes, as `readPng` does.
 *
 * @param action begins the error message
 * @param sides the one size to take, where the caller knows it: any other is refused before anything is unpacked
 * @param otherBytes room beside the pixels; what a hostile image can unpack to grows with it
 */
export function parsePng(
  bytes: Buffer,
  {
    action,
    sides,
    otherBytes = MAX_OTHER_BYTES,
  }: { action: string; sides?: { height: number; width: number }; otherBytes?: number },
): PngImage {
  if (bytes.length < 33 || bytes.toString("latin1", 1, 4) !== "PNG" || bytes.toString("latin1", 12, 16) !== "IHDR") {
    throw bad(
      action,
      `it must begin with a PNG header, got ${bytes.toString("hex", 0, 8) || "nothing"}: it is no PNG file`,
    );
  }
  const [width, height, depth] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24]!];
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw bad(action, `its sides must be 1 to ${MAX_SIDE} pixels, got ${width}x${height}`);
  }
  if (sides !== undefined && (width !== sides.width || height !== sides.height)) {
    throw bad(action, `it must be ${sides.width}x${sides.height} pixels, got ${width}x${height}`);
  }
  if (depth > 8) throw bad(action, `it must have at most 8 bits a channel, got ${depth}: convert it first`);
  const limit = height * (4 * width + 1) + otherBytes;
  if (bytes.length > limit)
    throw bad(action, `${width}x${height} pixels must take at most ${limit} bytes, got ${bytes.length}`);
  try {
    const { palette, ...png } = decode(bytes, { checkCrc: true });
    const values = depth === 8 ? png.data : unpackBits(png.data, { depth, width, height });
    const most = 2 ** depth - 1;
    const data =
      palette !== undefined
        ? coloured(values, palette)
        : depth === 8
          ? values
          : values.map((value) => (value * 255) / most);
    const channels = palette === undefined ? png.channels : palette[0]!.length;
    if (data.length !== width * height * channels)
      throw new Error(`${data.length} values for ${width}x${height}x${channels}`);
    return { height, width, channels, data: new Uint8Array(data) };
  } catch (cause) {
    throw new FailureError(
      `Cannot ${action}: its data must be whole, got "${(cause as Error).message}": the file is damaged`,
      { code: "bad_data", cause },
    );
  }
}

/** One value a pixel; in the file pixels of less than 8 bits share bytes, each row beginning with a byte of its own. */
function unpackBits(
  data: ArrayLike<number>,
  { depth, width, height }: { depth: number; width: number; height: number },
): Uint8Array {
  const values = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  for (let pixel = 0; pixel < values.length; pixel++) {
    const bit = (pixel % width) * depth;
    const byte = data[Math.floor(pixel / width) * rowBytes + (bit >> 3)]!;
    values[pixel] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  }
  return values;
}

function coloured(indices: ArrayLike<number>, palette: readonly (readonly number[])[]): Uint8Array {
  const channels = palette[0]!.length;
  const colours = Uint8Array.from(palette.flat());
  const data = new Uint8Array(indices.length * channels);
  for (let pixel = 0; pixel < indices.length; pixel++) {
    const index = indices[pixel]!;
    if (index >= palette.length) throw new Error(`colour ${index} of a palette of ${palette.length}`);
    for (let channel = 0; channel < channels; channel++)
      data[pixel * channels + channel] = colours[index * channels + channel]!;
  }
  return data;
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
