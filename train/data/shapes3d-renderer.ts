import { type Look, lookInto, type Scene, SHAPES3D_SIZES } from "./shapes3d-scene.ts";

/** Raise when an image changes: results name it. */
export const SHAPES3D_RENDERER = "cominfo-shapes3d-1";

/** Factor indices of one image, each 0 .. size - 1. Hue h is h tenths of the colour circle, 0 is red, 3 green. */
export interface Shapes3dImage extends Scene {
  readonly floorHue: number;
  readonly wallHue: number;
  readonly objectHue: number;
}

/** Writes one image, RGB, row-major, over `target[offset .. offset + size * size * 3 - 1]`. */
export type Shapes3dRenderer = (image: Shapes3dImage, target: Uint8Array, offset: number) => void;

const GEOMETRIES = SHAPES3D_SIZES.scale * SHAPES3D_SIZES.shape * SHAPES3D_SIZES.orientation;
const FINE = 4; // samples along each side of a pixel that an edge runs through

/**
 * Renderer for square images of `size` pixels. An image is a geometry (scale, shape, orientation) coloured by three
 * hues; each of the 480 geometries is drawn when first asked for and kept as three weights a pixel (3 * size * size
 * bytes; 5.9 MB for all at 64).
 */
export function createShapes3dRenderer(size: 32 | 64): Shapes3dRenderer {
  const geometries: (Uint8Array | undefined)[] = new Array(GEOMETRIES);

  return function render(image, target, offset) {
    const number = (image.scale * SHAPES3D_SIZES.shape + image.shape) * SHAPES3D_SIZES.orientation + image.orientation;
    const weights = geometries[number] ?? drawGeometry(image, size);
    geometries[number] = weights;
    colour(weights, [image.floorHue, image.wallHue, image.objectHue], target, offset);
  };
}

/**
 * Weights of floor, wall and object of each pixel: [size, size, 3], share of the pixel times shade, 255 is all and
 * bright. Their sum is at most 255. Most pixels have one weight; edges are blends.
 */
export function drawGeometry(scene: Scene, size: number): Uint8Array {
  const look = lookInto(scene);
  const weights = new Uint8Array(size * size * 3);
  const place = (pixel: number): number => (2 * pixel) / size - 1;
  let above = facesAlong(look, size, -1);
  for (let row = 0; row < size; row++) {
    const below = facesAlong(look, size, place(row + 1));
    for (let column = 0; column < size; column++) {
      const corners = [above[column], above[column + 1], below[column], below[column + 1]];
      const samples = corners.every((face) => face === corners[0]) ? 1 : FINE;
      const sums = [0, 0, 0];
      for (let k = 0; k < samples * samples; k++) {
        const x = place(column + ((k % samples) + 0.5) / samples);
        const y = place(row + (Math.floor(k / samples) + 0.5) / samples);
        const { region, shade } = look(x, -y);
        sums[region]! += shade / (samples * samples);
      }
      weights.set(
        sums.map((share) => Math.floor(255 * share)),
        (row * size + column) * 3,
      ); // down: the sum stays within 255
    }
    above = below;
  }
  return weights;
}

/** Faces seen at the corners of the pixels of one row, from left to right. */
function facesAlong(look: Look, size: number, down: number): number[] {
  return Array.from({ length: size + 1 }, (_, column) => look((2 * column) / size - 1, -down).face);
}

/** Colours of the ten hues, [10, 3], 0 .. 1: HSV with saturation and value 1. */
const HUES = Float64Array.from(
  Array.from({ length: SHAPES3D_SIZES.floor_hue }, (_, hue) =>
    [5, 3, 1].map((start) => {
      const turn = (start + (6 * hue) / SHAPES3D_SIZES.floor_hue) % 6;
      return 1 - Math.max(0, Math.min(turn, 4 - turn, 1));
    }),
  ).flat(),
);

function colour(
  weights: Uint8Array,
  hues: readonly [number, number, number],
  target: Uint8Array,
  offset: number,
): void {
  const [floor, wall, object] = hues.map((hue) => 3 * hue) as [number, number, number];
  for (let at = 0; at < weights.length; at += 3) {
    const [a, b, c] = [weights[at]!, weights[at + 1]!, weights[at + 2]!];
    for (let channel = 0; channel < 3; channel++) {
      target[offset + at + channel] =
        a * HUES[floor + channel]! + b * HUES[wall + channel]! + c * HUES[object + channel]! + 0.5;
    }
  }
}
