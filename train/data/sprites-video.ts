import type { SpritesVideoOptions } from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { Random } from "../random.ts";
import type { Factor, Labels, Minibatch, PairSource } from "./pair-source.ts";
import {
  openSpriteSheets,
  partsOf,
  SIDE,
  SPRITES_SIZES,
  type SpriteFrame,
  type SpriteSheets,
  spriteCharacters,
} from "./sprites-frames.ts";
import { frameInformation } from "./sprites-information.ts";

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

/** A sequence: a character (of the split), an action and a direction. Numbers run over all of them. */
interface Sequence {
  readonly character: number;
  readonly action: number;
  readonly direction: number;
}

/**
 * Two frames of one sequence of the Sprites videos, `delay` apart: uint8 [size, 64, 64, 3]. A sequence is a character
 * (of the split), an action and a direction, uniformly; its eight frames are composed from the artwork.
 * `start: "first"` pairs frame 0 with frame `delay`, as the published code of GK-VAE does; `"any"` with delay 1 pairs
 * consecutive frames, as its text says. The published code divides values by 256, not 255.
 *
 * With `redrawn` (ours) the sequence changes on its way: before frame k its k-th attribute is drawn anew, among the
 * sequences of the split that agree in all that has not been. Frames t apart share what is left, so that the common
 * information falls with the delay by a known amount.
 *
 * Common and mutual information are those of the images, exact: every image of the split is composed once and compared
 * (1 to 4 s). They can be below the entropy of what stays where frames look the same.
 *
 * @throws UsageError for `redrawn` with a start other than the first frame
 */
export function pairSpriteFrames(options: SpritesVideoOptions, { compose, provenance }: SpriteSheets): PairSource {
  const { delay, start, split, redrawn = [] } = options;
  if (redrawn.length > 0 && start !== "first") {
    throw new UsageError(`Cannot ${ACTION}: with "redrawn" start must be "first", got "${start}"`, {
      path: ["data", "start"],
    });
  }
  const changed = new Set<string>(redrawn.slice(0, delay));
  const characters = spriteCharacters(split);
  const sequences = sequencesOf(characters);
  const starts = start === "first" ? 1 : SPRITES_SIZES.frame - delay;
  const groups = changed.size === 0 ? undefined : groupsOf(sequences, changed);
  const { gacsKornerBits, mutualBits } = frameInformation(
    compose,
    sequences.flatMap((sequence, number) =>
      Array.from({ length: starts }, (_, frame) => ({
        key: groups === undefined ? number * starts + frame : groups.keys[number]!,
        frames: [
          { ...sequence, frame },
          { ...sequence, frame: frame + delay },
        ] as const,
      })),
    ),
  );
  const pixels = SIDE * SIDE * 3;

  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * pixels), new Uint8Array(size * pixels)] as const;
    const labels = [emptyLabels(size), emptyLabels(size)] as const;
    for (let row = 0; row < size; row++) {
      const character = random.integer(characters.length);
      const number = (character * ACTIONS + random.integer(ACTIONS)) * DIRECTIONS + random.integer(DIRECTIONS);
      const first = random.integer(starts);
      const other = groups === undefined ? number : groups.draw(number, random);
      for (const view of [0, 1] as const) {
        const frame = { ...sequences[view === 0 ? number : other]!, frame: first + view * delay };
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
  const sequenceBits = Math.log2(sequences.length);
  const frames = start === "first" ? `frames 0 and ${delay}` : `frames ${delay} apart`;
  const isCommon = (name: string): boolean => name !== "frame" && !changed.has(name);
  const anew = changed.size === 0 ? "" : `; drawn anew on the way: ${[...changed].join(", ")}`;
  return {
    description: {
      name: "sprites-video",
      summary:
        `Sprites videos, ${frames} of one of ${sequences.length} ${split} sequences ` +
        `(${sequenceBits.toFixed(3)} bits; ${gacsKornerBits.toFixed(3)} common to the images), common: character, action, direction${anew}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors: Object.entries(SPRITES_SIZES).map(
        ([name, size]): Factor => ({ name, size, role: isCommon(name) ? "common" : "unique" }),
      ),
      commonInformationBits: gacsKornerBits,
      mutualInformationBits: mutualBits,
      provenance,
    },
    draw,
  };
}

function sequencesOf(characters: Int32Array): Sequence[] {
  return Array.from({ length: characters.length * ACTIONS * DIRECTIONS }, (_, number) => ({
    character: characters[Math.floor(number / (ACTIONS * DIRECTIONS))]!,
    action: Math.floor(number / DIRECTIONS) % ACTIONS,
    direction: number % DIRECTIONS,
  }));
}

interface Groups {
  /** Of each sequence. */
  readonly keys: Int32Array;
  /** Any sequence of the same group, uniformly. */
  draw(number: number, random: Random): number;
}

/** Sequences that agree in all attributes but the changed ones. */
function groupsOf(sequences: readonly Sequence[], changed: ReadonlySet<string>): Groups {
  const numbers = new Map<string, number>();
  const keys = new Int32Array(sequences.length);
  for (const [number, sequence] of sequences.entries()) {
    const left = Object.entries(attributesOf(sequence)).filter(([name]) => !changed.has(name));
    const name = left.map(([, value]) => value).join(" ");
    const key = numbers.get(name) ?? numbers.size;
    numbers.set(name, key);
    keys[number] = key;
  }
  const members = Array.from(numbers, (): number[] => []);
  for (const [number, key] of keys.entries()) members[key]!.push(number);
  return {
    keys,
    draw(number, random) {
      const group = members[keys[number]!]!;
      return group[random.integer(group.length)]!;
    },
  };
}

function attributesOf({ character, action, direction }: Sequence) {
  const [body, bottomwear, topwear, hair] = partsOf(character);
  return { body, bottomwear, topwear, hair, action, direction };
}

type WritableLabels = Record<keyof typeof SPRITES_SIZES, Int32Array>;

function emptyLabels(size: number): WritableLabels & Labels {
  const names = Object.keys(SPRITES_SIZES);
  return Object.fromEntries(names.map((name) => [name, new Int32Array(size)])) as WritableLabels;
}

function writeLabels(labels: WritableLabels, row: number, frame: SpriteFrame): void {
  const values = { ...attributesOf(frame), frame: frame.frame };
  for (const [name, value] of Object.entries(values)) labels[name as keyof WritableLabels][row] = value;
}
