import type { Numbers } from "./tables/table.ts";

/**
 * Resizes 8-bit pictures [height, width, channels] by a triangle filter, as wide as the shrinking where they shrink:
 * Pillow's `resize(BILINEAR)`. Columns first, each of the two passes rounded to 8 bits, as it does.
 */
export function createResizer(
  from: readonly [number, number],
  to: readonly [number, number],
  channels: number,
): (image: Numbers, at: number, target: Uint8Array, offset: number) => void {
  const [height, width] = from;
  const [rows, columns] = to;
  const across = weights(width, columns);
  const down = weights(height, rows);
  const wide = new Uint8Array(height * columns * channels);

  return (image, at, target, offset) => {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < columns; x++) {
        const { first, shares } = across[x]!;
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let k = 0; k < shares.length; k++) {
            sum += Number(image[at + (y * width + first + k) * channels + c]) * shares[k]!;
          }
          wide[(y * columns + x) * channels + c] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
        }
      }
    }
    const stride = columns * channels;
    for (let y = 0; y < rows; y++) {
      const { first, shares } = down[y]!;
      for (let i = 0; i < stride; i++) {
        let sum = 0;
        for (let k = 0; k < shares.length; k++) sum += wide[(first + k) * stride + i]! * shares[k]!;
        target[offset + y * stride + i] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
      }
    }
  };
}

/** For each output position: the first input it takes and the shares of it and those that follow, which sum to 1. */
function weights(from: number, to: number): { first: number; shares: Float64Array }[] {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    const raw = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / support)),
    );
    const sum = raw.reduce((total, share) => total + share, 0);
    return { first, shares: raw.map((share) => share / sum) };
  });
}
