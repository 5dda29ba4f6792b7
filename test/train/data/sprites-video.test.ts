import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, describe, expect, test } from "vitest";
import type { SpritesVideoOptions } from "../../../schemas/data.ts";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { openSource } from "../../../train/data/open-source.ts";
import {
  cellOf,
  openSpriteSheets,
  partsOf,
  type SpriteSheets,
  spriteCharacters,
} from "../../../train/data/sprites-frames.ts";
import { pairSpriteFrames } from "../../../train/data/sprites-video.ts";
import { stream } from "../../../train/random.ts";
import { pngFile } from "../../files/png-file.ts";
import { testData } from "../../files/test-data.ts";

const made = mkdtempSync(join(tmpdir(), "cominfo-sprites-"));
afterAll(() => rmSync(made, { recursive: true }));
const PIXELS = 64 * 64 * 3;

// Artwork of our own: in each cell of a sheet the layer's own pixel is opaque and says (cell, item, layer), and pixel 9
// is half covered by every layer
const LAYERS = ["body", "bottomwear", "topwear", "hair", "shoes"];
for (const [layer, part] of LAYERS.entries()) {
  mkdirSync(join(made, part));
  for (const item of part === "shoes" ? [1] : [0, 1, 2, 3, 4, 5]) {
    const data = new Uint8Array(832 * 1344 * 4);
    for (let cell = 0; cell < 273; cell++) {
      const at = (Math.floor(cell / 13) * 64 * 832 + (cell % 13) * 64) * 4;
      data.set([cell, item, layer, 255], at + 4 * layer);
      data.set([200, 10 * layer, 0, 128], at + 4 * 9);
    }
    const rows = Array.from({ length: 1344 }, (_, row) => data.subarray(row * 832 * 4, (row + 1) * 832 * 4));
    writeFileSync(join(made, part, `${item}.png`), pngFile([832, 1344], [8, 6], rows));
  }
}

const sheets = openSpriteSheets(made, "test");

test("a frame lays body, bottomwear, topwear, hair and shoes of its cell over black", () => {
  const { compose } = sheets;
  const target = new Uint8Array(3 * PIXELS).fill(9);
  compose({ character: 1 * 216 + 2 * 36 + 3 * 6 + 4, action: 1, direction: 2, frame: 7 }, target, PIXELS);
  const frame = target.subarray(PIXELS, 2 * PIXELS);
  const cell = 45; // spellcard, right, frame 7
  expect([...frame.subarray(0, 15)]).toEqual([1, 2, 3, 4, 1].flatMap((item, layer) => [cell, item, layer]));
  const over = (below: number, above: number): number => Math.round((above * 128 + below * 127) / 255);
  const half = [0, 1, 2, 3, 4].reduce(([r, g], layer) => [over(r!, 200), over(g!, 10 * layer)], [0, 0]);
  expect([...frame.subarray(27, 30)]).toEqual([...half, 0]);
  expect(frame.subarray(30).some((value) => value !== 0)).toBe(false);
  expect(new Set([...target.subarray(0, PIXELS), ...target.subarray(2 * PIXELS)])).toEqual(new Set([9]));
});

// as the published script numbers them: actions walk, spellcard, slash; directions front, left, right
test.each([
  [0, 0, [138, 131, 132, 133, 134, 135, 136, 137]],
  [0, 1, [125, 118, 119, 120, 121, 122, 123, 124]],
  [0, 2, [151, 144, 145, 146, 147, 148, 149, 150]],
  [1, 0, [26, 27, 28, 29, 30, 31, 30, 32]],
  [1, 1, [13, 14, 15, 16, 17, 18, 17, 19]],
  [1, 2, [39, 40, 41, 42, 43, 44, 43, 45]],
  [2, 0, [182, 183, 184, 185, 186, 187, 186, 182]],
  [2, 1, [169, 170, 171, 172, 173, 174, 173, 169]],
  [2, 2, [195, 196, 197, 198, 199, 200, 199, 195]],
])("action %d in direction %d runs through cells %j", (action, direction, cells) => {
  expect(cells.map((_, frame) => cellOf({ action, direction, frame }))).toEqual(cells);
});

// numpy.random.seed(423); numpy.random.permutation(1296), NumPy 1.24 (legacy generator, the same since 1.0)
test("characters are split as in the published data: 1,000 and the other 296", () => {
  const [train, test] = [spriteCharacters("train"), spriteCharacters("test")];
  expect([...train.subarray(0, 12)]).toEqual([1116, 1135, 17, 469, 1293, 491, 869, 961, 91, 793, 696, 466]);
  expect([train.length, train[999], test.length, test[0]]).toEqual([1000, 1043, 296, 884]);
  expect([...test.subarray(-4)]).toEqual([623, 26, 56, 1262]);
  expect(new Set([...train, ...test]).size).toBe(1296);
  expect(partsOf(1295)).toEqual([5, 5, 5, 5]);
  expect(partsOf(1116)).toEqual([5, 1, 0, 0]);
});

const pairs = (options: Partial<SpritesVideoOptions> & { delay: number }, from: SpriteSheets = sheets) =>
  pairSpriteFrames({ source: "sprites-video", split: "test", start: "first", ...options }, from);
const open = (options: Record<string, unknown>, dataDir: string) =>
  openSource({ source: "sprites-video", split: "test", ...options }, { dataDir });

test("in artwork whose cells all differ, the sequence is the common information, whatever the delay", () => {
  const bits = Math.log2(296 * 9);
  for (const delay of [0, 7]) {
    const { description } = pairs({ delay });
    expect(description.commonInformationBits).toBeCloseTo(bits, 9);
    expect(description.mutualInformationBits).toBeCloseTo(bits, 9);
  }
});

test("with any start the frame of view 1 tells that of view 2, up to frames that are drawn twice", () => {
  // delay 1: pairs of cells. walk: 7 pairs a sequence, all apart. spellcard: cells 0-1-2-3-4-5-4-6: the first cells 3 and
  // 5 join at 4, cell 4 leads to 5 and 6: pairs 01 12 23 (34, 54) (45, 46). slash: 0-1-2-3-4-5-4-0: 01 12 23 (34 54) (45 40)
  const { description } = pairs({ delay: 1, start: "any" });
  const frames = (7 * Math.log2(7) + 2 * (3 * Math.log2(7) + 4 * Math.log2(7 / 2))) / 21;
  expect(description.commonInformationBits).toBeCloseTo(Math.log2(296 * 9) + frames, 9);
});

test("a batch has the frames that its labels say, of the split's characters, delay apart", () => {
  const source = pairs({ delay: 3, start: "any" });
  const { tensors, labels } = source.draw(200, stream(1, "batch"));
  const { compose } = sheets;
  const expected = new Uint8Array(PIXELS);
  const characters = new Set(spriteCharacters("test"));
  const starts = new Set<number>();
  for (let row = 0; row < 200; row++) {
    for (const view of [0, 1] as const) {
      const at = (name: string): number => labels[view][name]![row]!;
      const character = ["body", "bottomwear", "topwear", "hair"].reduce((index, name) => 6 * index + at(name), 0);
      expect(characters.has(character)).toBe(true);
      compose({ character, action: at("action"), direction: at("direction"), frame: at("frame") }, expected, 0);
      const image = tensors[`view_${view + 1}`]!.data.subarray(row * PIXELS, (row + 1) * PIXELS) as Uint8Array;
      expect(Buffer.compare(image, expected)).toBe(0);
    }
    starts.add(labels[0].frame![row]!);
    expect(labels[1].frame![row]).toBe(labels[0].frame![row]! + 3);
  }
  expect(starts).toEqual(new Set([0, 1, 2, 3, 4]));
  for (const name of ["body", "bottomwear", "topwear", "hair", "action", "direction"]) {
    expect(labels[0][name]).toEqual(labels[1][name]);
  }
  expect(source.draw(20, stream(1, "batch")).labels[1].hair).toEqual(labels[1].hair!.subarray(0, 20));
});

describe("attributes that are drawn anew on the way", () => {
  const redrawn: SpritesVideoOptions["redrawn"] = ["hair", "topwear", "bottomwear", "body", "direction", "action"];

  test("are not common any more: what is left of the sequence is, exactly, at each delay", () => {
    const sequences = [...spriteCharacters("test")].flatMap((character) =>
      [0, 1, 2].flatMap((action) => [0, 1, 2].map((direction) => [...partsOf(character).reverse(), direction, action])),
    );
    for (const delay of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const counts = new Map<string, number>();
      for (const sequence of sequences) {
        const left = sequence.slice(delay).join();
        counts.set(left, (counts.get(left) ?? 0) + 1);
      }
      const bits = [...counts.values()].reduce((sum, count) => {
        const mass = count / sequences.length;
        return sum - mass * Math.log2(mass);
      }, 0);
      const { description } = pairs({ delay, redrawn });
      expect(description.commonInformationBits).toBeCloseTo(bits, 9);
      expect(description.mutualInformationBits).toBeCloseTo(bits, 9);
      const common = description.factors.filter(({ role }) => role === "common").map(({ name }) => name);
      expect(new Set(common)).toEqual(new Set(redrawn!.slice(delay)));
    }
  });

  test("are so among the characters of the split, and the others stay", () => {
    const { labels } = pairs({ delay: 2, redrawn }).draw(300, stream(2, "batch"));
    const characters = new Set(spriteCharacters("test"));
    const changes = { hair: 0, topwear: 0 };
    for (let row = 0; row < 300; row++) {
      const at = (view: 0 | 1, name: string): number => labels[view][name]![row]!;
      for (const name of ["body", "bottomwear", "action", "direction"]) expect(at(1, name)).toBe(at(0, name));
      for (const name of ["hair", "topwear"] as const) changes[name] += at(1, name) === at(0, name) ? 0 : 1;
      const character = ["body", "bottomwear", "topwear", "hair"].reduce((sum, name) => 6 * sum + at(1, name), 0);
      expect(characters.has(character)).toBe(true);
    }
    for (const count of Object.values(changes)) expect(count).toBeGreaterThan(180); // 5 in 6 where all are in the split
  });

  test("need the first frame as start", () => {
    const start = () => pairs({ delay: 1, start: "any", redrawn });
    expect(start).toThrow('with "redrawn" start must be "first", got "any"');
  });
});

test("missing, damaged or wrong sheets are named", () => {
  expect(() => open({}, join(made, "nowhere"))).toThrow(UsageError);
  expect(() => open({}, join(made, "nowhere"))).toThrow(/it needs the artwork sheet ".*body.0\.png", got none there/);
  expect(() => openSource({ source: "sprites-video" })).toThrow("it needs the artwork sheets (folders body");
  expect(() => open({ delay: 8 }, made)).toThrow('"delay" must be <= 7, got 8');
  const wrong = join(made, "wrong");
  mkdirSync(join(wrong, "body"), { recursive: true });
  writeFileSync(
    join(wrong, "body", "0.png"),
    encode({ width: 2, height: 1, channels: 3, depth: 8, data: new Uint8Array(6) }),
  );
  expect(() => open({}, wrong)).toThrow(FailureError);
  expect(() => open({}, wrong)).toThrow("must be 832x1344 with transparency, got 2x1 of 3 channels");
});

const real = testData("sprites");

// sha256 of eight frames, made by the published script's steps with Pillow 9.4 (99 sequences were compared, all equal)
test.skipIf(real.missing)(
  `frames are byte for byte those of the published script, and some sequences look the same ${real.title}`,
  () => {
    const artwork = openSpriteSheets(real.folder, "test");
    const published = [
      [0, 0, 0, "67f0355ee3366d36"],
      [300, 2, 1, "3685f8e763640274"],
      [555, 1, 0, "b7616525c4c55aae"],
      [700, 1, 1, "3da923a6de96f9ab"],
      [1043, 2, 2, "ee7f9141916e5df7"],
      [1295, 0, 1, "dd930ba27eab182a"],
    ] as const;
    for (const [character, action, direction, digest] of published) {
      const frames = new Uint8Array(8 * PIXELS);
      for (let frame = 0; frame < 8; frame++) {
        artwork.compose({ character, action, direction, frame }, frames, frame * PIXELS);
      }
      expect(createHash("sha256").update(frames).digest("hex").slice(0, 16)).toBe(digest);
    }
    // of log2(296 * 9) = 11.379 bits of sequences; merged by equal images
    const { description } = pairs({ delay: 4 }, artwork);
    expect(description.commonInformationBits).toBeCloseTo(11.303, 3);
    expect(description.mutualInformationBits).toBeCloseTo(11.303, 3);
    expect(description.factors.map(({ name, size, role }) => `${name} ${size} ${role}`)).toEqual([
      "body 6 common",
      "bottomwear 6 common",
      "topwear 6 common",
      "hair 6 common",
      "action 3 common",
      "direction 3 common",
      "frame 8 unique",
    ]);
  },
);

test.skipIf(real.missing)(`the source opens the artwork by its folder ${real.title}`, () => {
  const { description } = open({ delay: 0 }, real.folder);
  expect(description.summary).toContain(
    "frames 0 and 0 of one of 2664 test sequences (11.379 bits; 11.303 common to the images)",
  );
  expect(description.provenance).toEqual({
    artwork: expect.stringMatching(/^[0-9a-f]{64}$/),
    composition: "cominfo-sprites-1",
  });
});
