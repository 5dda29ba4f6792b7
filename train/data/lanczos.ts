/**
 * Antialiased resizing of uint8 images by Lanczos's filter of 3 lobes, byte for byte what Pillow's `Image.LANCZOS` gives
 * (`ANTIALIAS` in older versions): the weights are fixed-point numbers of 22 bits, rows first, rounded after each pass.
 *
 * Source: Pillow, `src/libImaging/Resample.c`; the resizing of disentanglement_lib for SmallNORB and Cars3D
 */

export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const lobes = 3;
const precisionBits = 22;

/** Weights of the source pixels that one result pixel is made of. */
interface Taps {
  readonly first: number;
  readonly weights: Int32Array;
}

/** Makes images [from.height, from.width, channels] to [height, width, channels]. The function returned keeps its weights. */
export function createLanczos(
  from: ImageSize,
  to: { height: number; width: number },
): (image: Uint8Array) => Uint8Array {
  const across = tapsOf(from.width, to.width);
  const down = tapsOf(from.height, to.height);
  const { channels } = from;
  return (image) => {
    const narrow = new Uint8Array(from.height * to.width * channels);
    for (let y = 0; y < from.height; y++) {
      for (const [x, { first, weights }] of across.entries()) {
        for (let c = 0; c < channels; c++) {
          const at = (y * from.width + first) * channels + c;
          narrow[(y * to.width + x) * channels + c] = weighted(image, { at, step: channels, weights });
        }
      }
    }
    const small = new Uint8Array(to.height * to.width * channels);
    const line = to.width * channels;
    for (const [y, { first, weights }] of down.entries()) {
      for (let i = 0; i < line; i++)
        small[y * line + i] = weighted(narrow, { at: first * line + i, step: line, weights });
    }
    return small;
  };
}

function weighted(image: Uint8Array, { at, step, weights }: { at: number; step: number; weights: Int32Array }): number {
  let sum = 2 ** (precisionBits - 1);
  for (let k = 0; k < weights.length; k++) sum += image[at + k * step]! * weights[k]!;
  return Math.min(255, Math.max(0, sum >> precisionBits));
}

function tapsOf(from: number, to: number): readonly Taps[] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = lobes * stretch;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(from, Math.trunc(centre + support + 0.5));
    const raw = Float64Array.from({ length: last - first }, (_, k) => lanczos((k + first - centre + 0.5) / stretch));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    const weights = Int32Array.from(raw, (weight) => {
      const fixed = (weight / total) * 2 ** precisionBits;
      return Math.trunc(fixed + (fixed < 0 ? -0.5 : 0.5));
    });
    return { first, weights };
  });
}

function lanczos(x: number): number {
  return x >= -lobes && x < lobes ? sinc(x) * sinc(x / lobes) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
