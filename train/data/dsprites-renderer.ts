/**
 * Draws the images of dSprites (Matthey et al. 2017, https://github.com/google-deepmind/dsprites-dataset) from their
 * factors. The geometry below was worked out from published images and gives them back pixel by pixel:
 * 99.9 % of images are equal (figures in README.md), the rest differ where a vertex falls on a rounding tie.
 *
 * Drawn as a graphics card does without anti-aliasing: the outline is a polygon whose vertices are rounded to
 * 1/256 pixel, and a pixel is lit if its centre is inside (a centre on a left or top edge counts as inside).
 */

export const DSPRITES_SIZES = { shape: 3, scale: 6, orientation: 40, position_x: 32, position_y: 32 } as const;

/** Raise when an image changes: results name it. */
export const DSPRITES_RENDERER = "cominfo-dsprites-1";

/** Factor indices of one image, each 0 .. size - 1; shapes are square, ellipse, heart. */
export interface Sprite {
  readonly shape: number;
  readonly scale: number;
  readonly orientation: number;
  readonly x: number;
  readonly y: number;
}

/** Writes one image, 0 or 255 a pixel, row-major, over `target[offset .. offset + size * size - 1]`. */
export type DspritesRenderer = (sprite: Sprite, target: Uint8Array, offset: number) => void;

type Outline = readonly (readonly [x: number, y: number])[];

const HALF = 9.6; // half the side of the largest square, in pixels of a 64 x 64 image
const STRETCH = 1.33; // of the ellipse: its area is that of a circle of radius HALF
const SUBPIXELS = 256;

/** Largest square, ellipse and heart around the anchor, upright, y down, in pixels of a 64 x 64 image. */
const OUTLINES: readonly Outline[] = [
  [
    [-HALF, -HALF],
    [HALF, -HALF],
    [HALF, HALF],
    [-HALF, HALF],
  ],
  ring(100, (t) => [HALF * STRETCH * Math.cos(t), (HALF / STRETCH) * Math.sin(t)]),
  ring(150, (t) => [
    HALF * Math.sin(t) ** 3,
    -HALF * (0.15 + (13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t)) / 14.5),
  ]),
];

function ring(corners: number, at: (t: number) => readonly [number, number]): Outline {
  return Array.from({ length: corners }, (_, k) => at((2 * Math.PI * k) / corners));
}

/**
 * Renderer for square images of `size` pixels. It keeps the turned outlines of all 720 combinations of shape, scale
 * and orientation: 61,000 vertices, 1 MB, the only memory it holds.
 */
export function createDspritesRenderer(size: 32 | 64): DspritesRenderer {
  const unit = (size / 64) * SUBPIXELS;
  const turned = OUTLINES.map((outline) =>
    Array.from({ length: DSPRITES_SIZES.scale * DSPRITES_SIZES.orientation }, (_, index) =>
      turn(
        outline,
        unit * (0.5 + 0.1 * Math.floor(index / DSPRITES_SIZES.orientation)),
        // both ends of 0 .. 2 pi are on the grid: orientations 0 and 39 are the same image
        (2 * Math.PI * (index % DSPRITES_SIZES.orientation)) / (DSPRITES_SIZES.orientation - 1),
      ),
    ),
  );

  return function render({ shape, scale, orientation, x, y }, target, offset) {
    const outline = turned[shape]![scale * DSPRITES_SIZES.orientation + orientation]!;
    const centreX = unit * (16 + (32 * x) / (DSPRITES_SIZES.position_x - 1));
    const centreY = unit * (16 + (32 * y) / (DSPRITES_SIZES.position_y - 1));
    target.fill(0, offset, offset + size * size);
    fillPolygon(outline, centreX, centreY, { target, offset, size });
  };
}

/** Scaled and turned counter-clockwise as seen (y is down); x and y of one vertex after the other. */
function turn(outline: Outline, scale: number, angle: number): Float64Array {
  const c = scale * Math.cos(angle);
  const s = scale * Math.sin(angle);
  return Float64Array.from(outline.flatMap(([x, y]) => [x * c + y * s, y * c - x * s]));
}

/**
 * Even-odd scanline fill. Coordinates are whole numbers of subpixels, so every comparison is exact. No sprite
 * reaches the border (centre 16 to 48, radius below 14, of 64), so nothing is clipped.
 */
function fillPolygon(
  outline: Float64Array,
  centreX: number,
  centreY: number,
  { target, offset, size }: { target: Uint8Array; offset: number; size: number },
): void {
  const half = SUBPIXELS / 2;
  let top = size;
  let bottom = 0;
  let fromX = Math.round(centreX + outline[outline.length - 2]!);
  let fromY = Math.round(centreY + outline[outline.length - 1]!);
  for (let k = 0; k < outline.length; k += 2) {
    const toX = Math.round(centreX + outline[k]!);
    const toY = Math.round(centreY + outline[k + 1]!);
    const first = Math.ceil((Math.min(fromY, toY) - half) / SUBPIXELS);
    const end = Math.ceil((Math.max(fromY, toY) - half) / SUBPIXELS);
    const height = toY - fromY;
    for (let row = first; row < end; row++) {
      const below = row * SUBPIXELS + half - fromY;
      const column = Math.ceil(((fromX - half) * height + below * (toX - fromX)) / (SUBPIXELS * height));
      target[offset + row * size + column]! ^= 255;
    }
    if (first < top) top = first;
    if (end > bottom) bottom = end;
    fromX = toX;
    fromY = toY;
  }
  for (let row = top; row < bottom; row++) {
    let lit = 0;
    for (let at = offset + row * size, last = at + size; at < last; at++) {
      lit ^= target[at]!;
      target[at] = lit;
    }
  }
}
