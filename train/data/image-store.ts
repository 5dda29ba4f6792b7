import { FailureError } from "../../schemas/errors.ts";

/** Images of one size that a source draws from by number. */
export interface ImageStore {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Writes image `row`, row-major NHWC uint8, over `target[offset .. offset + height * width * channels - 1]`. */
  copy(row: number, target: Uint8Array, offset: number): void;
}

interface ImageShape {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Store that is filled by blocks of rows in order. */
export interface ImageStoreBuilder {
  /** @param rows whole images, one after the other */
  add(rows: Uint8Array): void;
  done(): ImageStore;
}

/** Keeps images of two values, 0 and 1, as bits: 512 bytes a 64x64 image. They come out as 0 and 255. */
export function binaryImages(shape: ImageShape, action: string): ImageStoreBuilder {
  const { count, height, width, channels } = shape;
  const pixels = height * width * channels;
  const rowBytes = Math.ceil(pixels / 8);
  const bits = new Uint8Array(count * rowBytes);
  let filled = 0;
  return {
    add(rows) {
      for (let from = 0; from < rows.length; from += pixels, filled++) {
        const at = filled * rowBytes;
        for (let i = 0; i < pixels; i++) {
          const value = rows[from + i]!;
          if (value > 1) throw bad(action, `image ${filled} must hold 0 and 1 only, got ${value}`);
          bits[at + (i >> 3)]! |= value << (i & 7);
        }
      }
    },
    done() {
      requireCount(filled, count, action);
      return {
        ...shape,
        copy(row, target, offset) {
          const at = row * rowBytes;
          for (let i = 0; i < pixels; i++) target[offset + i] = (bits[at + (i >> 3)]! >> (i & 7)) & 1 ? 255 : 0;
        },
      };
    },
  };
}

const BLOCK_BYTES = 2 ** 26; // one array of all images might be longer than an array may be

/** Keeps images as they are, in arrays of at most `blockBytes`. */
export function plainImages(shape: ImageShape, action: string, blockBytes = BLOCK_BYTES): ImageStoreBuilder {
  const { count, height, width, channels } = shape;
  const pixels = height * width * channels;
  const perBlock = Math.max(1, Math.floor(blockBytes / pixels));
  const blocks: Uint8Array[] = [];
  let filled = 0;
  return {
    add(rows) {
      for (let from = 0; from < rows.length; ) {
        const within = filled % perBlock;
        if (within === 0) blocks.push(new Uint8Array(Math.min(perBlock, count - filled) * pixels));
        const images = Math.min(perBlock - within, (rows.length - from) / pixels);
        blocks[blocks.length - 1]!.set(rows.subarray(from, from + images * pixels), within * pixels);
        from += images * pixels;
        filled += images;
      }
    },
    done() {
      requireCount(filled, count, action);
      return {
        ...shape,
        copy(row, target, offset) {
          const at = (row % perBlock) * pixels;
          target.set(blocks[Math.floor(row / perBlock)]!.subarray(at, at + pixels), offset);
        },
      };
    },
  };
}

function requireCount(filled: number, count: number, action: string): void {
  if (filled !== count) throw bad(action, `there must be ${count} images, got ${filled}`);
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
