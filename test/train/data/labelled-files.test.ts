import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as h5wasm from "h5wasm/node";
import { afterAll, expect, test } from "vitest";
import { loadHdf5 } from "../../../files/hdf5.ts";
import { openNpz, writeNpz } from "../../../files/npz.ts";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { createDspritesRenderer } from "../../../train/data/dsprites-renderer.ts";
import { loadSource, openSource } from "../../../train/data/open-source.ts";
import type { PairSource } from "../../../train/data/pair-source.ts";
import { createShapes3dRenderer } from "../../../train/data/shapes3d-renderer.ts";
import { stream } from "../../../train/random.ts";
import { testData } from "../../files/test-data.ts";

const folder = mkdtempSync(join(tmpdir(), "cominfo-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
await h5wasm.ready;

interface Table {
  readonly path: string;
  readonly shape: number[];
  readonly data: Uint8Array | BigInt64Array | Float64Array;
  readonly chunks?: number[];
}

function writeH5(name: string, tables: readonly Table[]): void {
  const file = new h5wasm.File(join(folder, name), "w");
  for (const { path, shape, data, chunks } of tables) {
    const [first, second] = path.split("/");
    const group = second === undefined ? file : file.create_group(first!);
    const compressed = chunks === undefined ? {} : { chunks, compression: 4 };
    group.create_dataset({ name: second ?? first!, data, shape, ...compressed });
  }
  file.close();
}

// A part of dSprites: 2 shapes, scale 5, 3 orientations, positions 8 and 24; ellipses of orientation 0 at one place only
const sprites = [0, 1].flatMap((shape) =>
  [0, 5, 11].flatMap((orientation) =>
    [8, 24].flatMap((x) =>
      shape === 1 && orientation === 0 && x === 24 ? [] : [{ shape, scale: 5, orientation, x, y: 16 }],
    ),
  ),
);
const renderSprite = createDspritesRenderer(64);
const imgs = new Uint8Array(sprites.length * 4096);
for (const [k, sprite] of sprites.entries()) renderSprite(sprite, imgs, k * 4096);
const lit = imgs.map((value) => value / 255);
const classes = BigInt64Array.from(
  sprites.flatMap(({ shape, scale, orientation, x, y }) => [0, shape, scale, orientation, x, y]).map(BigInt),
);
const count = sprites.length;

writeFileSync(
  join(folder, "part.npz"),
  writeNpz({
    imgs: { dtype: "uint8", shape: [count, 64, 64], data: lit },
    latents_classes: { dtype: "int64", shape: [count, 6], data: classes },
  }),
);
writeH5("part.hdf5", [
  { path: "imgs", shape: [count, 64, 64], data: lit, chunks: [4, 64, 64] },
  { path: "latents/classes", shape: [count, 6], data: classes },
]);
const dspritesFile = (options: Record<string, unknown> = {}): Promise<PairSource> =>
  loadSource({ source: "dsprites-file", file: "part.npz", ...options }, { dataDir: folder });

test("a part of dSprites has the classes that occur, and the entropy of its common combinations", async () => {
  const { description } = await dspritesFile();
  expect(description.factors).toEqual([
    { name: "shape", size: 2, role: "common" },
    { name: "scale", size: 1, role: "common" },
    { name: "orientation", size: 3, role: "common" },
    { name: "position_x", size: 2, role: "unique" },
    { name: "position_y", size: 1, role: "unique" },
  ]);
  // six combinations, five of two images and one of one
  const bits = (5 * 2 * Math.log2(11 / 2) + Math.log2(11)) / 11;
  expect(description.commonInformationBits).toBeCloseTo(bits, 12);
  expect(description.mutualInformationBits).toBeCloseTo(bits, 12);
  expect(description.views).toEqual(["view_1", "view_2"].map((name) => ({ name, height: 64, width: 64, channels: 1 })));
  expect(Object.entries(description.provenance)).toEqual([["part.npz", expect.stringMatching(/^[0-9a-f]{64}$/)]]);
  expect(description.summary).toContain("11 images, common: shape, scale, orientation (6 combinations");
});

test("npz and HDF5 of the same images are the same source", async () => {
  const [npz, hdf5] = [await dspritesFile(), await dspritesFile({ file: "part.hdf5" })];
  expect(hdf5.description.factors).toEqual(npz.description.factors);
  expect(hdf5.draw(20, stream(4, "batch"))).toEqual(npz.draw(20, stream(4, "batch")));
});

test("every pair is two images of the part with equal common factors, and every such pair occurs at its frequency", async () => {
  const { tensors, labels } = (await dspritesFile()).draw(4000, stream(1, "batch"));
  const numbers = [0, 1].map((view) => {
    const { data } = tensors[`view_${view + 1}`]!;
    return Array.from({ length: 4000 }, (_, row) => {
      const image = data.subarray(row * 4096, (row + 1) * 4096) as Uint8Array;
      const number = sprites.findIndex((_, k) => Buffer.compare(image, imgs.subarray(k * 4096, (k + 1) * 4096)) === 0);
      const { shape, orientation, x } = sprites[number]!; // fails where the image is none of the part's
      const label = (name: string): number => labels[view as 0 | 1][name]![row]!;
      expect([label("shape"), label("scale"), label("orientation"), label("position_x"), label("position_y")]).toEqual([
        shape,
        0,
        [0, 5, 11].indexOf(orientation),
        [8, 24].indexOf(x),
        0,
      ]);
      return number;
    });
  });
  const pairs = new Map<string, number>();
  for (const [row, first] of numbers[0]!.entries()) {
    const second = numbers[1]![row]!;
    expect([sprites[first]!.shape, sprites[first]!.orientation]).toEqual([
      sprites[second]!.shape,
      sprites[second]!.orientation,
    ]);
    pairs.set(`${first} ${second}`, (pairs.get(`${first} ${second}`) ?? 0) + 1);
  }
  // 5 combinations of 2 x 2 pairs, each 1/22 of all; the lone image meets itself, 1/11
  expect(pairs.size).toBe(21);
  const lone = sprites.findIndex(({ shape, orientation }) => shape === 1 && orientation === 0);
  for (const [pair, times] of pairs) {
    const wanted = 4000 / (pair === `${lone} ${lone}` ? 11 : 22);
    expect(Math.abs(times - wanted)).toBeLessThan(4.5 * Math.sqrt(wanted)); // 4.5 standard deviations
  }
});

test("roles may be given; with nothing common there is no common information", async () => {
  const bitsOf = async (options: Record<string, unknown>): Promise<number | undefined> =>
    (await dspritesFile(options)).description.commonInformationBits;
  expect(await bitsOf({ common: [] })).toBe(0);
  expect(await bitsOf({ unique: [] })).toBeCloseTo(Math.log2(11), 12);
  expect(await bitsOf({ common: ["shape"] })).toBeCloseTo((6 * Math.log2(11 / 6) + 5 * Math.log2(11 / 5)) / 11, 12);
});

// 3dshapes: hues as tenths, scales 0.75 .. 1.25, shapes 0 .. 3, degrees -30 .. 30
const rooms = Array.from({ length: 24 }, (_, k) => ({
  floorHue: k % 2 === 0 ? 1 : 4,
  wallHue: 9,
  objectHue: (k >> 1) % 3,
  scale: 7,
  shape: k >= 12 ? 3 : 0,
  orientation: (k >> 2) % 3 === 0 ? 14 : 2,
}));
const roomPixels = new Uint8Array(24 * 12288);
for (const [k, room] of rooms.entries()) createShapes3dRenderer(64)(room, roomPixels, k * 12288);
const roomLabels = Float64Array.from(
  rooms.flatMap((room) => [
    room.floorHue / 10,
    room.wallHue / 10,
    room.objectHue / 10,
    0.75 + (0.5 * room.scale) / 7,
    room.shape,
    -30 + (60 * room.orientation) / 14,
  ]),
);
writeH5("3dshapes.h5", [
  { path: "images", shape: [24, 64, 64, 3], data: roomPixels, chunks: [5, 64, 64, 3] },
  { path: "labels", shape: [24, 6], data: roomLabels },
]);
const shapes3dFile = (options: Record<string, unknown> = {}): Promise<PairSource> =>
  loadSource({ source: "shapes3d-file", ...options }, { dataDir: folder });

test("a 3dshapes file is read with its labels as classes; from memory and from the file it is the same", async () => {
  const source = await shapes3dFile();
  expect(source.description.factors).toEqual([
    { name: "floor_hue", size: 2, role: "unique" },
    { name: "wall_hue", size: 1, role: "unique" },
    { name: "object_hue", size: 3, role: "unique" },
    { name: "scale", size: 1, role: "common" },
    { name: "shape", size: 2, role: "common" },
    { name: "orientation", size: 2, role: "common" },
  ]);
  const thirds = Math.log2(3) - 2 / 3; // orientation 14 in one third of the rows of each shape
  expect(source.description.commonInformationBits).toBeCloseTo(1 + thirds, 12);
  const batch = source.draw(30, stream(2, "batch"));
  for (let row = 0; row < 30; row++) {
    const image = batch.tensors.view_2!.data.subarray(row * 12288, (row + 1) * 12288) as Uint8Array;
    const number = rooms.findIndex(
      (_, k) => Buffer.compare(image, roomPixels.subarray(k * 12288, (k + 1) * 12288)) === 0,
    );
    expect(batch.labels[1].shape![row]).toBe(rooms[number]!.shape === 3 ? 1 : 0);
    expect(batch.labels[1].object_hue![row]).toBe(rooms[number]!.objectHue);
    expect(batch.labels[1].orientation![row]).toBe(rooms[number]!.orientation === 14 ? 1 : 0);
  }
  const stored = (await shapes3dFile({ stored: "file" })).draw(30, stream(2, "batch"));
  expect(stored.labels).toEqual(batch.labels);
  for (const view of ["view_1", "view_2"]) {
    expect(Buffer.compare(stored.tensors[view]!.data as Uint8Array, batch.tensors[view]!.data as Uint8Array)).toBe(0);
  }
});

const small = { dtype: "uint8", shape: [2, 1, 8], data: new Uint8Array(16) } as const;
const two = { dtype: "int64", shape: [2, 5], data: new BigInt64Array(10) } as const;
test.each([
  ["no images", { latents_classes: two }, UsageError, 'array "imgs" must be one of latents_classes'],
  [
    "images of more values",
    { imgs: { ...small, data: new Uint8Array(16).fill(255) }, latents_classes: two },
    FailureError,
    "image 0 must hold 0 and 1 only, got 255",
  ],
  [
    "images of another type",
    { imgs: { ...small, dtype: "float32", data: new Float32Array(16) }, latents_classes: two },
    FailureError,
    "imgs must be uint8, got Float32Array",
  ],
  [
    "flat images",
    { imgs: { ...small, shape: [2, 8], data: new Uint8Array(16) }, latents_classes: two },
    FailureError,
    "imgs must have shape [count, height, width], got [2, 8]",
  ],
  [
    "labels of another count",
    { imgs: small, latents_classes: { ...two, shape: [1, 5], data: new BigInt64Array(5) } },
    FailureError,
    'factor "shape" must have 2 labels, one for each image, got 1',
  ],
  [
    "too few factors",
    { imgs: small, latents_classes: { ...two, shape: [2, 4], data: new BigInt64Array(8) } },
    FailureError,
    "latents_classes must have shape [count, 5], got [2, 4]",
  ],
  [
    "several colours",
    {
      imgs: small,
      latents_classes: {
        dtype: "int64",
        shape: [2, 6],
        data: BigInt64Array.from([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0].map(BigInt)),
      },
    },
    FailureError,
    "column 0 (color) must be constant, got 2 values",
  ],
  [
    "labels that are no numbers",
    { imgs: small, latents_classes: { dtype: "float64", shape: [2, 5], data: new Float64Array(10).fill(Number.NaN) } },
    FailureError,
    "column 0 (shape) must hold at most 1000 numbers",
  ],
  [
    "no rows",
    {
      imgs: { ...small, shape: [0, 1, 8], data: new Uint8Array(0) },
      latents_classes: { ...two, shape: [0, 5], data: new BigInt64Array(0) },
    },
    FailureError,
    "at least one image, got 0",
  ],
] as const)("an npz file with %s is refused", async (_, arrays, kind, message) => {
  writeFileSync(join(folder, "bad.npz"), writeNpz(arrays as Parameters<typeof writeNpz>[0]));
  const attempt = dspritesFile({ file: "bad.npz" });
  await expect(attempt).rejects.toThrow(kind);
  await expect(attempt).rejects.toThrow(message);
});

test("a missing file, folder or reader is said in one line", async () => {
  await expect(dspritesFile({ file: "none.npz" })).rejects.toThrow(`it needs "none.npz", got no "none.npz" in`);
  await expect(loadSource({ source: "shapes3d-file" })).rejects.toThrow("got no data folder: use `--data DIR`");
  await expect(loadSource({ source: "shapes3d-file" }, { dataDir: "nowhere" })).rejects.toThrow(
    'got no folder "nowhere"',
  );
  expect(() => openSource({ source: "shapes3d-file" }, { dataDir: folder })).toThrow(
    "open the source with loadSource()",
  );
});

test("damaged HDF5 files are told in one line, with the library's own reason, and nothing is printed", async () => {
  const { open } = await loadHdf5();
  const whole = readFileSync(join(folder, "3dshapes.h5"));
  let files = 0;
  const faultOf = (bytes: Uint8Array, dataset = "images"): string => {
    const file = join(folder, `bad-${files++}.h5`); // HDF5 does not look twice at a file that is open
    writeFileSync(file, bytes);
    try {
      open(file).dataset(dataset).rows(0, 24);
    } catch (error) {
      expect(error instanceof FailureError || error instanceof UsageError).toBe(true);
      expect((error as Error).message).not.toContain("\n");
      return (error as Error).message;
    }
    return "no fault";
  };
  expect(faultOf(whole)).toBe("no fault");
  expect(faultOf(whole.subarray(0, -500))).toContain("truncated file: eof =");
  expect(faultOf(Buffer.from("no such format"))).toContain("file signature not found");
  expect(faultOf(whole, "image")).toContain('dataset "image" must be one of images, labels, did you mean "images"?');
  expect(() => open(join(folder, "none.h5"))).toThrow("it must exist, got nothing there");
  // a byte inside a compressed chunk: its deflated data no longer unpacks
  const chunk = whole.indexOf(Buffer.from([0x78, 0x5e]));
  const changed = Buffer.from(whole);
  changed.fill(0xff, chunk + 20, chunk + 60);
  expect(chunk).toBeGreaterThan(0);
  expect(faultOf(changed)).toContain("the HDF5 library says");
});

const real = testData("dsprites");
test.skipIf(real.missing)(`the published grid is a source: 46,080 images, 7.492 bits ${real.title}`, async () => {
  const source = await loadSource(
    { source: "dsprites-file", file: "dsprites_downsampled.npz" },
    { dataDir: real.folder },
  );
  expect(source.description.factors.map(({ size }) => size)).toEqual([3, 6, 10, 16, 16]);
  expect(source.description.commonInformationBits).toBeCloseTo(Math.log2(180), 9);
  const npz = openNpz(join(real.folder, "dsprites_downsampled.npz"));
  const classesOf = npz.read("latents_classes").data as BigInt64Array;
  const originals = npz.read("original_dataset_indices").data as BigInt64Array;
  const keyOf = (values: readonly number[]): string => values.join();
  const originalOf = new Map(
    Array.from(originals, (index, row) => [
      keyOf(Array.from(classesOf.subarray(5 * row, 5 * row + 5), Number)),
      Number(index),
    ]),
  );
  const { tensors, labels } = source.draw(50, stream(1, "grid"));
  const drawn = new Uint8Array(4096);
  let equal = 0;
  for (let row = 0; row < 50; row++) {
    const factors = ["shape", "scale", "orientation", "position_x", "position_y"];
    const index = originalOf.get(keyOf(factors.map((name) => labels[1][name]![row]!)))!;
    const [y, x] = [index % 32, (index >> 5) % 32];
    const turn = index >> 10;
    renderSprite(
      { shape: Math.floor(turn / 240), scale: Math.floor(turn / 40) % 6, orientation: turn % 40, x, y },
      drawn,
      0,
    );
    const image = tensors.view_2!.data.subarray(row * 4096, (row + 1) * 4096) as Uint8Array;
    equal += Buffer.compare(image, drawn) === 0 ? 1 : 0;
  }
  expect(equal).toBeGreaterThan(47); // the renderer draws 99.9 % of them exactly
});
