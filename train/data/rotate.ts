/** Turns a square grey image and enlarges it: writes over `target[offset .. offset + side * side - 1]`. */
export type Rotator = (image: Uint8Array, degrees: number, target: Uint8Array, offset: number) => void;

/**
 * Rotation of `from` x `from` images about their middle, bilinear, black outside, then a bilinear resize to
 * `to` x `to` with half-pixel centres and clamped borders. Positive angles turn counter-clockwise.
 *
 * Every pass is stored in 8 bits, the rotation cut off and the two resize passes rounded: byte for byte what Pillow
 * 9.4 makes of `image.rotate(degrees, BILINEAR).resize((to, to), BILINEAR)`, the published code's transform, to >= from.
 */
export function createRotator(from: number, to: number): Rotator {
  const turned = new Uint8Array(from * from);
  const wide = new Uint8Array(from * to);
  const taps = resizeTaps(from, to);

  return function rotate(image, degrees, target, offset) {
    turn(image, (degrees * Math.PI) / 180, turned, from);
    for (let row = 0; row < from; row++) {
      for (let x = 0; x < to; x++) {
        const at = row * from;
        const first = turned[at + taps.low[x]!]!;
        wide[row * to + x] = first + (turned[at + taps.high[x]!]! - first) * taps.share[x]! + 0.5;
      }
    }
    for (let y = 0; y < to; y++) {
      const [low, high, share] = [taps.low[y]! * to, taps.high[y]! * to, taps.share[y]!];
      for (let x = 0; x < to; x++) {
        const first = wide[low + x]!;
        target[offset + y * to + x] = first + (wide[high + x]! - first) * share + 0.5;
      }
    }
  };
}

/** Each output pixel centre is looked up where it came from; a place outside the image is black. */
function turn(image: Uint8Array, angle: number, turned: Uint8Array, side: number): void {
  const middle = side / 2;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  for (let row = 0; row < side; row++) {
    const down = row + 0.5 - middle;
    for (let column = 0; column < side; column++) {
      const right = column + 0.5 - middle;
      const x = c * right - s * down + middle;
      const y = s * right + c * down + middle;
      turned[row * side + column] =
        x >= 0 && x < side && y >= 0 && y < side ? bilinear(image, x - 0.5, y - 0.5, side) : 0;
    }
  }
}

/** Between pixel centres; neighbours beyond the border are the border's own pixels. */
function bilinear(image: Uint8Array, x: number, y: number, side: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const x0 = Math.max(left, 0);
  const x1 = Math.min(left + 1, side - 1);
  const upper = Math.max(top, 0) * side;
  const lower = Math.min(top + 1, side - 1) * side;
  const above = image[upper + x0]! + (image[upper + x1]! - image[upper + x0]!) * (x - left);
  const below = image[lower + x0]! + (image[lower + x1]! - image[lower + x0]!) * (x - left);
  return above + (below - above) * (y - top);
}

/** For each output position: its two neighbours and the share of the second. */
function resizeTaps(from: number, to: number): { low: Int32Array; high: Int32Array; share: Float32Array } {
  const places = Array.from({ length: to }, (_, i) => Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1));
  return {
    low: Int32Array.from(places, Math.floor),
    high: Int32Array.from(places, (place) => Math.min(Math.floor(place) + 1, from - 1)),
    share: Float32Array.from(places, (place) => place - Math.floor(place)),
  };
}
