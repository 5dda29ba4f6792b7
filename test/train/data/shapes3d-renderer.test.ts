import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createShapes3dRenderer, drawGeometry, type Shapes3dImage } from "../../../train/data/shapes3d-renderer.ts";
import { lookInto, REGIONS, type Scene } from "../../../train/data/shapes3d-scene.ts";

const SCENES: readonly Scene[] = Array.from({ length: 480 }, (_, k) => ({
  scale: k % 8,
  shape: (k >> 3) % 4,
  orientation: Math.floor(k / 32),
}));
const geometries = {
  32: SCENES.map((scene) => drawGeometry(scene, 32)),
  64: SCENES.map((scene) => drawGeometry(scene, 64)),
};
const MIDDLE: Scene = { scale: 4, shape: 0, orientation: 7 };

/** The one region that the pixel shows, or -1 for a blend. */
function purePart(geometry: Uint8Array, pixel: number): number {
  const [floor, wall, object] = [geometry[3 * pixel]!, geometry[3 * pixel + 1]!, geometry[3 * pixel + 2]!];
  if (floor > 0) return wall + object === 0 ? 0 : -1;
  return wall > 0 ? (object === 0 ? 1 : -1) : 2;
}

function image(size: 32 | 64, what: Partial<Shapes3dImage>): Uint8Array {
  const target = new Uint8Array(size * size * 3);
  createShapes3dRenderer(size)({ floorHue: 0, wallHue: 0, objectHue: 0, ...MIDDLE, ...what }, target, 0);
  return target;
}

/** Pixels that show some of the region. */
const area = (geometry: Uint8Array, region: number): number => {
  let sum = 0;
  for (let at = region; at < geometry.length; at += 3) sum += geometry[at]! > 0 ? 1 : 0;
  return sum;
};

// Together the next two tests prove that all 480,000 images differ: the brightest channel of a pixel of one region is
// its weight whatever its hue, as every hue has one full channel. So two geometries that differ in the weight of a pixel
// that is pure in both never give the same image; and hues can be read off a pure pixel.
test.each([32, 64] as const)("at %d pixels any two of the 480 geometries differ whatever the hues", (size) => {
  const brightness = geometries[size].map((geometry) =>
    Uint8Array.from({ length: size * size }, (_, pixel) => {
      const region = purePart(geometry, pixel);
      return region < 0 ? 0 : geometry[3 * pixel + region]!;
    }),
  );
  let alike = 0;
  for (const [i, first] of brightness.entries()) {
    for (const second of brightness.slice(i + 1)) {
      let pixel = size * size - 1;
      while (pixel >= 0 && (first[pixel] === second[pixel] || first[pixel] === 0 || second[pixel] === 0)) pixel -= 1;
      alike += pixel < 0 ? 1 : 0;
    }
  }
  expect(alike).toBe(0);
});

test.each([32, 64] as const)("at %d pixels the three hues of every geometry can be read off its pixels", (size) => {
  const render = createShapes3dRenderer(size);
  const target = new Uint8Array(size * size * 3);
  for (const [k, geometry] of geometries[size].entries()) {
    const brightest = [-1, -1, -1];
    for (let pixel = 0; pixel < size * size; pixel++) {
      const region = purePart(geometry, pixel);
      const best = brightest[region];
      if (best === undefined) continue;
      if (best < 0 || geometry[3 * pixel + region]! > geometry[3 * best + region]!) brightest[region] = pixel;
    }
    expect(Math.min(...brightest)).toBeGreaterThanOrEqual(0);
    for (let hue = k % 5; hue < 10; hue += 5) {
      const hues = [hue, (hue + 3) % 10, (hue + k) % 10] as const;
      render({ ...SCENES[k]!, floorHue: hues[0], wallHue: hues[1], objectHue: hues[2] }, target, 0);
      expect(brightest.map((pixel) => hueOf(target.subarray(3 * pixel, 3 * pixel + 3)))).toEqual(hues);
    }
    // the ten colours of such a pixel differ if its weight is enough to keep fifths apart
    expect(Math.min(...brightest.map((pixel, region) => geometry[3 * pixel + region]!))).toBeGreaterThan(100);
  }
});

/** Tenths of the colour circle, from red. */
function hueOf([red, green, blue]: Uint8Array): number {
  const [r, g, b] = [red!, green!, blue!];
  const most = Math.max(r, g, b);
  const span = most - Math.min(r, g, b);
  const sixths = most === r ? (g - b) / span : most === g ? 2 + (b - r) / span : 4 + (r - g) / span;
  return (Math.round((sixths * 10) / 6) + 10) % 10;
}

test("the ten hues are tenths of the colour circle at full saturation", () => {
  // a pixel of floor in the bottom row: its colour over its brightness
  const colours = Array.from({ length: 10 }, (_, floorHue) => {
    const [r, g, b] = image(64, { floorHue }).subarray(-3);
    const most = Math.max(r!, g!, b!);
    return [r!, g!, b!].map((value) => Math.round((5 * value) / most));
  });
  expect(colours).toEqual([
    [5, 0, 0],
    [5, 3, 0],
    [4, 5, 0],
    [1, 5, 0],
    [0, 5, 2],
    [0, 5, 5],
    [0, 2, 5],
    [1, 0, 5],
    [4, 0, 5],
    [5, 0, 3],
  ]);
});

test("a hue colours its own region and no pixel elsewhere", () => {
  const plain = image(64, {});
  const geometry = drawGeometry(MIDDLE, 64);
  for (const [name, region] of [
    ["floorHue", 0],
    ["wallHue", 1],
    ["objectHue", 2],
  ] as const) {
    const changed = image(64, { [name]: 5 });
    for (let pixel = 0; pixel < 4096; pixel++) {
      const same = [0, 1, 2].every((channel) => changed[3 * pixel + channel] === plain[3 * pixel + channel]);
      expect(same).toBe(geometry[3 * pixel + region] === 0);
    }
  }
});

test("the object stands whole within every picture, the floor below and the wall above it", () => {
  for (const size of [32, 64] as const) {
    const along = Array.from({ length: size }, (_, i) => i);
    for (const geometry of geometries[size]) {
      const sides = along.flatMap((i) => [i * size, i * size + size - 1]);
      expect(sides.some((pixel) => geometry[3 * pixel + REGIONS.object]! > 0)).toBe(false);
      expect(along.every((i) => purePart(geometry, i) === REGIONS.wall)).toBe(true);
      expect(along.every((i) => purePart(geometry, size * (size - 1) + i) === REGIONS.floor)).toBe(true);
    }
  }
});

test("every step of scale makes the object larger by at least a twentieth of its area", () => {
  for (let shape = 0; shape < 4; shape++) {
    for (let orientation = 0; orientation < 15; orientation++) {
      for (let scale = 1; scale < 8; scale++) {
        const [small, large] = [scale - 1, scale].map((step) => area(drawGeometryOf(shape, step, orientation), 2));
        expect(large! / small!).toBeGreaterThan(1.05);
      }
    }
  }
});

const drawGeometryOf = (shape: number, scale: number, orientation: number): Uint8Array =>
  geometries[64][
    SCENES.findIndex((scene) => scene.shape === shape && scene.scale === scale && scene.orientation === orientation)
  ]!;

test("every step of orientation moves the corner of the room to the right by one to four pixels", () => {
  const corners = Array.from({ length: 15 }, (_, orientation) => {
    const look = lookInto({ ...MIDDLE, orientation });
    return Array.from({ length: 640 }, (_, k) => look(k / 320 - 1, 0.99).face).indexOf(1) / 10;
  });
  for (const [k, corner] of corners.slice(1).entries()) {
    expect(corner - corners[k]!).toBeGreaterThan(1);
    expect(corner - corners[k]!).toBeLessThan(4);
  }
  expect(corners[7]).toBeCloseTo(32, 0);
});

// Two pictures of one scene: a pixel of the small one is four of the large one.
test("the 32-pixel geometry is the 64-pixel one at half size up to its edges", () => {
  for (const [k, large] of geometries[64].entries()) {
    if (k % 7 > 0) continue;
    let far = 0;
    for (let at = 0; at < 32 * 32 * 3; at++) {
      const [pixel, region] = [Math.floor(at / 3), at % 3];
      const corner = Math.floor(pixel / 32) * 128 + (pixel % 32) * 2;
      const four = [0, 1, 64, 65].map((step) => large[3 * (corner + step) + region]!);
      far += Math.abs(four.reduce((sum, weight) => sum + weight, 0) / 4 - geometries[32][k]![at]!) > 12 ? 1 : 0;
    }
    expect(far).toBeLessThan(0.01 * 32 * 32 * 3);
  }
});

test("an image is drawn over what was there, and nowhere else", () => {
  const target = new Uint8Array(3 * 12288).fill(9);
  const what = { ...MIDDLE, floorHue: 1, wallHue: 2, objectHue: 3 };
  createShapes3dRenderer(64)(what, target, 12288);
  expect(target.subarray(12288, 24576)).toEqual(image(64, what));
  expect(new Set([...target.subarray(0, 12288), ...target.subarray(24576)])).toEqual(new Set([9]));
});

test("images are those of renderer cominfo-shapes3d-1: a change of any needs a new name", () => {
  const hash = createHash("sha256");
  for (let k = 0; k < 480; k += 7) {
    hash.update(image(64, { ...SCENES[k]!, floorHue: k % 10, wallHue: (k * 3) % 10, objectHue: (k * 7 + 1) % 10 }));
  }
  expect(hash.digest("hex")).toBe("ea962f67d2a3f79cb18b2a3813cdad24b86b470baf7d980c280abbdccf34d00c");
});
