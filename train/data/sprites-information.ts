import { createHash } from "node:crypto";
import { cellInformation, type PairCell, type PairInformation } from "./pair-information.ts";
import { type ComposeFrame, cellOf, SIDE, type SpriteFrame } from "./sprites-frames.ts";

/** Two frames of one sequence, and what stays in it from one to the other: sequences of one `key` share just that. */
export interface FramePair {
  readonly key: number;
  readonly frames: readonly [SpriteFrame, SpriteFrame];
}

/**
 * Exact information between the images of a pair: view 1 is the first frame of any of `pairs`, view 2 the second frame
 * of any with the same key, both uniformly. Every image is composed once and compared (1 to 4 s for 9,000 sequences).
 *
 * Images that tell the same of the key count as one: given the key the views are independent, so no more is shared.
 */
export function frameInformation(compose: ComposeFrame, pairs: readonly FramePair[]): PairInformation {
  const numberOf = imageNumbers(compose);
  const sizes = new Map<number, number>();
  for (const { key } of pairs) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  const [first, second] = ([0, 1] as const).map((view) =>
    classesOf(pairs.map(({ key, frames }) => ({ key, image: numberOf(frames[view]) }))),
  ) as [KeyClasses, KeyClasses];
  const cells = new Map<string, PairCell>();
  for (const [key, size] of sizes) {
    for (const [one, ones] of first.get(key)!) {
      for (const [other, others] of second.get(key)!) {
        const name = `${one} ${other}`;
        const mass = (ones * others) / size / pairs.length + (cells.get(name)?.mass ?? 0);
        cells.set(name, { first: one, second: other, mass });
      }
    }
  }
  return cellInformation([...cells.values()]);
}

/** By key: how many of its pairs have an image of each class. */
type KeyClasses = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** Classes of images of one view, by the share of each key in their pairs. */
function classesOf(seen: readonly { key: number; image: number }[]): KeyClasses {
  const byImage = new Map<number, Map<number, number>>();
  for (const { key, image } of seen) {
    const counts = byImage.get(image) ?? new Map<number, number>();
    counts.set(key, (counts.get(key) ?? 0) + 1);
    byImage.set(image, counts);
  }
  const numbers = new Map<string, number>();
  const classes = new Map<number, Map<number, number>>();
  for (const counts of byImage.values()) {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const shares = [...counts].sort(([a], [b]) => a - b).map(([key, count]) => `${key}:${count / total}`);
    const name = shares.join(" ");
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    for (const [key, count] of counts) {
      const ofKey = classes.get(key) ?? new Map<number, number>();
      ofKey.set(number, (ofKey.get(number) ?? 0) + count);
      classes.set(key, ofKey);
    }
  }
  return classes;
}

/** Equal images have equal numbers. */
function imageNumbers(compose: ComposeFrame): (frame: SpriteFrame) => number {
  const picture = new Uint8Array(SIDE * SIDE * 3);
  const numbers = new Map<string, number>();
  const byCell = new Map<string, number>(); // frames of one cell are one image
  return (frame) => {
    const place = `${frame.character} ${cellOf(frame)}`;
    const known = byCell.get(place);
    if (known !== undefined) return known;
    compose(frame, picture, 0);
    const key = createHash("sha1").update(picture).digest("base64");
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    byCell.set(place, number);
    return number;
  };
}
