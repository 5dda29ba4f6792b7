import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { mersenne } from "pure-rand/generator/mersenne";
import { readPng } from "../../files/png.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";

/**
 * Frames of the Sprites videos (Li & Mandt 2018, "Disentangled Sequential Autoencoder", https://arxiv.org/abs/1803.02991)
 * from the artwork that they are made of (https://github.com/YingzhenLi/Sprites).
 */

export const SPRITES_SIZES = {
  body: 6,
  bottomwear: 6,
  topwear: 6,
  hair: 6,
  action: 3,
  direction: 3,
  frame: 8,
} as const;

export const SIDE = 64;
const CHARACTERS = 6 ** 4;
const TRAINING_CHARACTERS = 1000;
const PARTS = ["body", "bottomwear", "topwear", "hair"] as const;
const SHOES = 1; // every character wears the same
const SHEET = { width: 832, height: 1344, columns: 13 } as const;

/** First cell of the sheet by action (walk, spellcard, slash) and direction (front, left, right, as the labels count). */
const FIRST_CELLS = [
  [131, 118, 144],
  [26, 13, 39],
  [182, 169, 195],
] as const;
/** Cells from the first on, by action and frame. */
const STEPS = [
  [7, 0, 1, 2, 3, 4, 5, 6],
  [0, 1, 2, 3, 4, 5, 4, 6],
  [0, 1, 2, 3, 4, 5, 4, 0],
] as const;

/** Factor indices of one frame, each 0 .. size - 1; actions are walk, spellcard, slash; directions front, left, right. */
export interface SpriteFrame {
  /** 0 .. 1,295: body, bottomwear, topwear and hair as digits in base 6. */
  readonly character: number;
  readonly action: number;
  readonly direction: number;
  readonly frame: number;
}

/** Writes one frame, RGB, row-major, over `target[offset .. offset + 64 * 64 * 3 - 1]`. */
export type ComposeFrame = (frame: SpriteFrame, target: Uint8Array, offset: number) => void;

export interface SpriteSheets {
  readonly compose: ComposeFrame;
  /** sha256 of the sheets' pixels, and the name of the composition. */
  readonly provenance: Readonly<Record<string, string>>;
}

/** The pixels of a layer's cell that are not fully transparent: a tenth of all. */
interface Layer {
  readonly places: Uint16Array;
  /** RGBA of each place. */
  readonly colours: Uint8Array;
}

/**
 * Reads the 25 sheets that the videos use and returns what composes frames of them.
 *
 * @param folder with folders body, bottomwear, topwear, hair and shoes of PNG sheets, 832 x 1,344, cells of 64 x 64
 * @throws UsageError if a sheet is missing; FailureError if it is damaged or of another size
 */
export function openSpriteSheets(folder: string, action: string): SpriteSheets {
  const hash = createHash("sha256");
  const cellsOf = (part: string, item: number): ReadonlyMap<number, Layer> => {
    const file = join(folder, part, `${item}.png`);
    if (!existsSync(file)) {
      throw new UsageError(`Cannot ${action}: it needs the artwork sheet "${file}", got none there`, {
        code: "no_data",
      });
    }
    const sheet = readPng(file);
    if (sheet.width !== SHEET.width || sheet.height !== SHEET.height || sheet.channels !== 4) {
      throw new FailureError(
        `Cannot ${action}: "${file}" must be ${SHEET.width}x${SHEET.height} with transparency, got ${sheet.width}x${sheet.height} of ${sheet.channels} channels`,
        { code: "bad_data" },
      );
    }
    hash.update(sheet.data);
    return new Map(usedCells().map((cell) => [cell, cut(sheet.data, cell)]));
  };
  const sheets = PARTS.map((part) => Array.from({ length: SPRITES_SIZES[part] }, (_, item) => cellsOf(part, item)));
  const shoes = cellsOf("shoes", SHOES);

  function compose({ character, action, direction, frame }: SpriteFrame, target: Uint8Array, offset: number): void {
    const cell = cellOf({ action, direction, frame });
    target.fill(0, offset, offset + SIDE * SIDE * 3);
    for (const [k, item] of partsOf(character).entries()) lay(sheets[k]![item]!.get(cell)!, target, offset);
    lay(shoes.get(cell)!, target, offset);
  }
  return { compose, provenance: { artwork: hash.digest("hex"), composition: "cominfo-sprites-1" } };
}

/** Number of the cell in the sheet, row by row from 0. */
export function cellOf({ action, direction, frame }: Omit<SpriteFrame, "character">): number {
  return FIRST_CELLS[action]![direction]! + STEPS[action]![frame]!;
}

/** Item of body, bottomwear, topwear and hair. */
export function partsOf(character: number): [body: number, bottomwear: number, topwear: number, hair: number] {
  return [Math.floor(character / 216), Math.floor(character / 36) % 6, Math.floor(character / 6) % 6, character % 6];
}

function usedCells(): number[] {
  const cells = STEPS.flatMap((steps, action) =>
    FIRST_CELLS[action]!.flatMap((first) => steps.map((step) => first + step)),
  );
  return [...new Set(cells)];
}

function cut(sheet: Uint8Array, cell: number): Layer {
  const [left, top] = [(cell % SHEET.columns) * SIDE, Math.floor(cell / SHEET.columns) * SIDE];
  const inSheet = (place: number): number =>
    ((top + Math.floor(place / SIDE)) * SHEET.width + left + (place % SIDE)) * 4;
  const all = Uint16Array.from({ length: SIDE * SIDE }, (_, place) => place);
  const places = all.filter((place) => sheet[inSheet(place) + 3]! > 0);
  const colours = new Uint8Array(4 * places.length);
  for (const [k, place] of places.entries()) colours.set(sheet.subarray(inSheet(place), inSheet(place) + 4), 4 * k);
  return { places, colours };
}

/** Lays a layer over an opaque picture, rounding as Pillow's `alpha_composite` does. */
function lay({ places, colours }: Layer, target: Uint8Array, offset: number): void {
  for (let k = 0; k < places.length; k++) {
    const at = offset + 3 * places[k]!;
    const alpha = colours[4 * k + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const sum = colours[4 * k + channel]! * alpha + target[at + channel]! * (255 - alpha) + 128;
      target[at + channel] = ((sum >> 8) + sum) >> 8;
    }
  }
}

/**
 * The characters of the original split: NumPy's `random.seed(423)`, `permutation(1296)`, the first 1,000 of it for
 * training. That is MT19937 and a shuffle from the end whose indices are drawn under the smallest mask of ones.
 */
export function spriteCharacters(split: "train" | "test"): Int32Array {
  const twister = mersenne(423);
  const order = Int32Array.from({ length: CHARACTERS }, (_, character) => character);
  for (let last = CHARACTERS - 1; last > 0; last--) {
    const mask = 2 ** (32 - Math.clz32(last)) - 1;
    let other = twister.next() & mask;
    while (other > last) other = twister.next() & mask;
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return split === "train" ? order.slice(0, TRAINING_CHARACTERS) : order.slice(TRAINING_CHARACTERS);
}
