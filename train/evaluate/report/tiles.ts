import { encode } from "fast-png";
import type { HostTensor } from "../../../schemas/tensor.ts";

/** One image, rows of pixels of channels, intensity 0..255. */
export interface Tile {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Grey between tiles, seen on black and on white images, and on light and dark pages. */
const gap = 1;
const gapIntensity = 128;

/**
 * Images of a batch [rows, height, width, channels]: uint8 as they are, float32 as intensity 0..1.
 *
 * @returns undefined if the tensor holds no images
 */
export function tilesOf({ shape, data }: HostTensor): Tile[] | undefined {
  const [rows, height, width, channels] = shape;
  if (shape.length !== 4 || rows === undefined || height === undefined || width === undefined) return undefined;
  if (channels !== 1 && channels !== 3) return undefined;
  if (!(data instanceof Uint8Array || data instanceof Float32Array)) return undefined;
  const bytes =
    data instanceof Uint8Array
      ? data
      : Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  const size = height * width * channels;
  return Array.from({ length: rows }, (_, i) => ({
    height,
    width,
    channels,
    data: bytes.slice(i * size, (i + 1) * size),
  }));
}

/** Tiles of one size in rows as one PNG. */
export function drawTiles(rows: readonly (readonly Tile[])[]): { png: Uint8Array; width: number; height: number } {
  const { height: tileHeight, width: tileWidth, channels } = rows[0]![0]!;
  const columns = Math.max(...rows.map((row) => row.length));
  const width = columns * (tileWidth + gap) - gap;
  const height = rows.length * (tileHeight + gap) - gap;
  const data = new Uint8Array(width * height * channels).fill(gapIntensity);
  for (const [r, row] of rows.entries()) {
    for (const [c, tile] of row.entries()) {
      for (let y = 0; y < tileHeight; y++) {
        const line = tile.data.subarray(y * tileWidth * channels, (y + 1) * tileWidth * channels);
        data.set(line, ((r * (tileHeight + gap) + y) * width + c * (tileWidth + gap)) * channels);
      }
    }
  }
  return { png: encode({ width, height, channels, depth: 8, data }, { zlib: { level: 9 } }), width, height };
}

/** Pixels a side of a thumbnail at most. */
const thumbnailSize = 48;

/**
 * Halved, by means of four pixels, until it is small: a page of a hundred colour pictures at full size would have
 * several megabytes. Images of odd size stay as they are.
 */
export function thumbnail(tile: Tile): Tile {
  const { height, width, channels, data } = tile;
  if (Math.max(height, width) <= thumbnailSize || height % 2 === 1 || width % 2 === 1) return tile;
  const half = { height: height / 2, width: width / 2, channels };
  const small = new Uint8Array(half.height * half.width * channels);
  for (let i = 0; i < small.length; i++) {
    const c = i % channels;
    const x = Math.floor(i / channels) % half.width;
    const y = Math.floor(i / channels / half.width);
    const at = (2 * y * width + 2 * x) * channels + c;
    const below = at + width * channels;
    small[i] = Math.round((data[at]! + data[at + channels]! + data[below]! + data[below + channels]!) / 4);
  }
  return thumbnail({ ...half, data: small });
}

/** Mean over pixels of the difference of two images, as a share of full intensity. */
export function meanChange(first: Tile, second: Tile): number {
  const sum = first.data.reduce((total, value, i) => total + Math.abs(value - second.data[i]!), 0);
  return sum / first.data.length / 255;
}
