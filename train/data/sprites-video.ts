import { createHash } from "node:crypto";
import type { SpritesVideoOptions } from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { Random } from "../random.ts";
import { type PairInformation, pairListInformation } from "./pair-information.ts";
import type { Factor, Labels, Minibatch, PairSource } from "./pair-source.ts";
import {
  type ComposeFrame,
  cellOf,
  openSpriteSheets,
  partsOf,
  SIDE,
  SPRITES_SIZES,
  type SpriteFrame,
  type SpriteSheets,
  spriteCharacters,
} from "./sprites-frames.ts";

const ACTION = `open data source "sprites-video"`;
const ACTIONS = SPRITES_SIZES.action;
const DIRECTIONS = SPRITES_SIZES.direction;

/**
 * Sprites videos composed from the artwork in a folder; see `pairSpriteFrames`.
 *
 * @param dataDir folder with the artwork sheets: body, bottomwear, topwear, hair, shoes
 * @throws UsageError if a sheet is missing; FailureError if one is damaged
 */
export function openSpritesVideo(options: SpritesVideoOptions, dataDir: string | undefined): PairSource {
  if (dataDir !== undefined) return pairSpriteFrames(options, openSpriteSheets(dataDir, ACTION));
  throw new UsageError(
    `Cannot ${ACTION}: it needs the artwork sheets (folders body, bottomwear, topwear, hair, shoes), got no data folder: use \`--data DIR\``,
    { code: "no_data" },
  );
}

/**
 * Two frames of one sequence of the Sprites videos, `delay` apart: uint8 [size, 64, 64, 3]. A sequence is a character
 * (of the split), an action and a direction, uniformly; its eight frames are composed from the artwork.
 * `start: "first"` pairs frame 0 with frame `delay`, as the published code of GK-VAE does; `"any"` with delay 1 pairs
 * consecutive frames, as its text says. The published code divides values by 256, not 255.
 *
 * Common and mutual information are those of the images, exact: every image of the split is composed once and compared
 * (1 to 4 s). They can be below the entropy of the sequence where frames look the same.
 */
export function pairSpriteFrames(options: SpritesVideoOptions, { compose, provenance }: SpriteSheets): PairSource {
  const characters = spriteCharacters(options.split);
  const starts = options.start === "first" ? 1 : SPRITES_SIZES.frame - options.delay;
  const { gacsKornerBits, mutualBits } = imageInformation(compose, characters, { starts, delay: options.delay });
  const pixels = SIDE * SIDE * 3;

  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * pixels), new Uint8Array(size * pixels)] as const;
    const labels = [emptyLabels(size), emptyLabels(size)] as const;
    for (let row = 0; row < size; row++) {
      const character = characters[random.integer(characters.length)]!;
      const [action, direction] = [random.integer(ACTIONS), random.integer(DIRECTIONS)];
      const start = random.integer(starts);
      for (const view of [0, 1] as const) {
        const frame = { character, action, direction, frame: start + view * options.delay };
        compose(frame, views[view], row * pixels);
        writeLabels(labels[view], row, frame);
      }
    }
    const shape = [size, SIDE, SIDE, 3];
    return {
      tensors: {
        view_1: { dtype: "uint8", shape, data: views[0] },
        view_2: { dtype: "uint8", shape, data: views[1] },
      },
      labels,
    };
  }

  const view = { height: SIDE, width: SIDE, channels: 3 };
  const sequenceBits = Math.log2(characters.length * ACTIONS * DIRECTIONS);
  const frames = options.start === "first" ? `frames 0 and ${options.delay}` : `frames ${options.delay} apart`;
  return {
    description: {
      name: "sprites-video",
      summary:
        `Sprites videos, ${frames} of one of ${characters.length * ACTIONS * DIRECTIONS} ${options.split} sequences ` +
        `(${sequenceBits.toFixed(3)} bits; ${gacsKornerBits.toFixed(3)} common to the images), common: character, action, direction`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors: Object.entries(SPRITES_SIZES).map(
        ([name, size]): Factor => ({ name, size, role: name === "frame" ? "unique" : "common" }),
      ),
      commonInformationBits: gacsKornerBits,
      mutualInformationBits: mutualBits,
      provenance,
    },
    draw,
  };
}

type WritableLabels = Record<keyof typeof SPRITES_SIZES, Int32Array>;

function emptyLabels(size: number): WritableLabels & Labels {
  const names = Object.keys(SPRITES_SIZES);
  return Object.fromEntries(names.map((name) => [name, new Int32Array(size)])) as WritableLabels;
}

function writeLabels(labels: WritableLabels, row: number, { character, action, direction, frame }: SpriteFrame): void {
  const [body, bottomwear, topwear, hair] = partsOf(character);
  const values = { body, bottomwear, topwear, hair, action, direction, frame };
  for (const [name, value] of Object.entries(values)) labels[name as keyof WritableLabels][row] = value;
}

/** Exact information between the images of a pair, over all pairs that can be drawn. */
function imageInformation(
  compose: ComposeFrame,
  characters: Int32Array,
  { starts, delay }: { starts: number; delay: number },
): PairInformation {
  const picture = new Uint8Array(SIDE * SIDE * 3);
  const numbers = new Map<string, number>();
  const pairs: [number, number][] = [];
  for (const character of characters) {
    const byCell = new Map<number, number>(); // frames of one cell are one image
    const numberOf = (frame: SpriteFrame): number => {
      const cell = cellOf(frame);
      const known = byCell.get(cell);
      if (known !== undefined) return known;
      compose(frame, picture, 0);
      const key = createHash("sha1").update(picture).digest("base64");
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      byCell.set(cell, number);
      return number;
    };
    for (let sequence = 0; sequence < ACTIONS * DIRECTIONS; sequence++) {
      const [action, direction] = [Math.floor(sequence / DIRECTIONS), sequence % DIRECTIONS];
      for (let frame = 0; frame < starts; frame++) {
        const first = { character, action, direction, frame };
        pairs.push([numberOf(first), numberOf({ ...first, frame: frame + delay })]);
      }
    }
  }
  return pairListInformation(pairs);
}
