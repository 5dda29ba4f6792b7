import { encode } from "fast-png";
import { parsePng } from "../../files/png.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { HttpError } from "../http-error.ts";

/** Views that are images, between PNG and tensors. */

type Path = readonly (string | number)[];

interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Size of the images of a tensor [rows, height, width, channels] with 1, 3 or 4 channels; undefined: it holds none. */
function imageSize({ shape }: Pick<TensorSpec, "shape">): ImageSize | undefined {
  const [rows, height, width, channels] = shape;
  if (shape.length !== 4 || rows === undefined || height === undefined || width === undefined) return undefined;
  if (channels !== 1 && channels !== 3 && channels !== 4) return undefined;
  return height > 0 && width > 0 ? { height, width, channels } : undefined;
}

/** An input of 8-bit images: a PNG can be given for it. */
export function isImageInput(spec: TensorSpec): boolean {
  return spec.dtype === "uint8" && imageSize(spec) !== undefined;
}

/** An output of intensities 0..1, or of 8-bit images: a PNG can show it. */
export function isImageOutput(spec: TensorSpec): boolean {
  const shown = spec.dtype === "uint8" || (spec.dtype === "float32" && (spec.unit ?? "").startsWith("intensity"));
  return shown && imageSize(spec) !== undefined;
}

/**
 * Pixels of a PNG as an input wants them. Its size must be the input's: nothing is scaled or cropped. Grey becomes
 * colour; colour becomes grey where all its pixels are grey; full opacity may be left out.
 *
 * @returns [height x width x channels]
 * @throws HttpError 422 for anything else
 */
export function readImage(bytes: Uint8Array, { spec, path }: { spec: TensorSpec; path: Path }): Uint8Array {
  const { height, width, channels } = imageSize(spec)!;
  const refuse = (wanted: string): never => {
    throw new HttpError(`Cannot read image for "${spec.name}": ${wanted}`, { status: 422, code: "bad_image", path });
  };
  try {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const image = parsePng(buffer, {
      action: `read image for "${spec.name}"`,
      sides: { height, width },
      otherBytes: 16 * 1024, // what 20 KiB of PNG can unpack to is bounded, some tens of MiB
    });
    const [colours, alpha] = [image.channels >= 3 ? 3 : 1, image.channels % 2 === 0];
    const wantsAlpha = channels === 4;
    const pixels = new Uint8Array(height * width * channels);
    for (let at = 0; at < height * width; at++) {
      const pixel = image.data.subarray(at * image.channels, (at + 1) * image.channels);
      const opacity = alpha ? pixel[image.channels - 1]! : 255;
      if (!wantsAlpha && opacity !== 255) refuse("it must be opaque, got pixels that are not");
      const [red, green, blue] = colours === 3 ? [pixel[0]!, pixel[1]!, pixel[2]!] : [pixel[0]!, pixel[0]!, pixel[0]!];
      if (channels === 1) {
        if (red !== green || green !== blue) refuse("it must be grey, got colours");
        pixels[at] = red;
      } else {
        pixels.set(wantsAlpha ? [red, green, blue, opacity] : [red, green, blue], at * channels);
      }
    }
    return pixels;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    throw new HttpError(error.message, { status: 422, code: "bad_image", path });
  }
}

/** One image of a tensor as 8-bit pixels. */
export function pixelsOf({ dtype, shape, data }: HostTensor, row: number): Uint8Array {
  const size = shape.slice(1).reduce((product, side) => product * side, 1);
  const values = data.subarray(row * size, (row + 1) * size) as Float32Array | Uint8Array;
  return dtype === "uint8"
    ? (values as Uint8Array)
    : Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

/**
 * PNG of images in lines and columns, without a gap.
 *
 * @param lines of equal length, all images of one size
 */
export function writePng(
  lines: readonly (readonly Uint8Array[])[],
  { height, width, channels }: ImageSize,
): Uint8Array {
  const columns = lines[0]!.length;
  const data = new Uint8Array(lines.length * height * columns * width * channels);
  const step = width * channels;
  for (const [line, images] of lines.entries()) {
    for (const [column, image] of images.entries()) {
      for (let y = 0; y < height; y++) {
        const at = ((line * height + y) * columns + column) * step;
        data.set(image.subarray(y * step, (y + 1) * step), at);
      }
    }
  }
  return encode({ width: columns * width, height: lines.length * height, channels, depth: 8, data });
}

/** The size of an image output. */
export function sizeOf(tensor: HostTensor): ImageSize {
  return imageSize({ shape: [...tensor.shape] })!;
}
