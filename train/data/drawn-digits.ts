import type { DrawnDigitsOptions } from "../../schemas/data.ts";
import type { Random } from "../random.ts";
import { next } from "./add-one-digits.ts";
import { digitStrokes, type Point } from "./digit-strokes.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";

const SIDE = 32;
const CLASSES = 10;

/** Raise when an image changes: results name it. */
const RENDERER = "cominfo-drawn-digits-1";

/** Style of one digit, each drawn alone and uniform in its range, cut into equal bins for the label. */
const styles = [
  { name: "slant", bins: 8, from: -0.45, to: 0.45 }, // sideways shift over the height
  { name: "thickness", bins: 5, from: 0.9, to: 2.2 }, // half the width of a stroke, pixels
  { name: "height", bins: 5, from: 13, to: 20 }, // pixels
  { name: "width", bins: 5, from: 8, to: 16 }, // pixels
] as const;

/** Standard deviation of what shakes each corner of a stroke, as a share of the digit's box. */
const shake = 0.02;
/** Pixels that the middle may be off at most, in either direction. */
const offCentre = 1;

/**
 * Digits drawn with a pen of random slant, thickness and size, for machines without MNIST: the add-one pairs of the
 * W-VAE paper with every style factor known. Each image is drawn anew. Views: uint8 [size, 32, 32, 1].
 *
 * Given the class the views are independent, and either tells the class: log2 10 bits are common.
 */
export function createDrawnDigits(_options: DrawnDigitsOptions): PairSource {
  function draw(size: number, random: Random): Minibatch {
    const views = [new Uint8Array(size * SIDE * SIDE), new Uint8Array(size * SIDE * SIDE)] as const;
    const label = new Int32Array(size);
    const bins = views.map(() => Object.fromEntries(styles.map(({ name }) => [name, new Int32Array(size)])));
    for (let row = 0; row < size; row++) {
      const digit = random.integer(CLASSES);
      label[row] = digit;
      for (const [view, shown] of [digit, next(digit)].entries()) {
        const shares = styles.map(() => random.uniform());
        for (const [k, { name, bins: count }] of styles.entries()) {
          bins[view]![name]![row] = Math.floor(shares[k]! * count);
        }
        const [slant, thickness, height, width] = styles.map(({ from, to }, k) => from + shares[k]! * (to - from));
        const style = { slant: slant!, thickness: thickness!, height: height!, width: width! };
        drawDigit(shown, style, random, views[view]!.subarray(row * SIDE * SIDE, (row + 1) * SIDE * SIDE));
      }
    }
    const shape = [size, SIDE, SIDE, 1];
    return {
      tensors: {
        view_1: { dtype: "uint8", shape, data: views[0] },
        view_2: { dtype: "uint8", shape, data: views[1] },
      },
      labels: [
        { label, ...bins[0] },
        { label, ...bins[1] },
      ],
    };
  }

  const view = { height: SIDE, width: SIDE, channels: 1 };
  return {
    description: {
      name: "drawn-digits",
      summary: `digits drawn with a pen of random style, the digit of view 2 being that of view 1 plus one, 9 followed by 0; ${SIDE}x${SIDE}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors: [
        { name: "label", size: CLASSES, role: "common" },
        ...styles.map(({ name, bins }) => ({ name, size: bins, role: "unique" as const })),
      ],
      commonInformationBits: Math.log2(CLASSES),
      mutualInformationBits: Math.log2(CLASSES),
      provenance: { renderer: RENDERER },
    },
    draw,
  };
}

export interface DigitStyle {
  readonly slant: number;
  readonly thickness: number;
  readonly height: number;
  readonly width: number;
}

/** Draws `digit` in white over black `target` [32 x 32]; edges are one pixel soft. */
export function drawDigit(digit: number, style: DigitStyle, random: Random, target: Uint8Array): void {
  const middle: Point = [
    SIDE / 2 + offCentre * (2 * random.uniform() - 1),
    SIDE / 2 + offCentre * (2 * random.uniform() - 1),
  ];
  const place = ([x, y]: Point): Point => {
    const across = x - 0.5 + shake * random.normal();
    const down = y - 0.5 + shake * random.normal();
    return [middle[0] + across * style.width - down * style.slant * style.height, middle[1] + down * style.height];
  };
  for (const stroke of digitStrokes[digit]!) {
    const corners = stroke.map(place);
    for (let i = 1; i < corners.length; i++) drawLine(corners[i - 1]!, corners[i]!, style.thickness, target);
  }
}

function drawLine(a: Point, b: Point, thickness: number, target: Uint8Array): void {
  const reach = thickness + 1;
  const range = (p: number, q: number): [number, number] => [
    Math.max(0, Math.floor(Math.min(p, q) - reach)),
    Math.min(SIDE - 1, Math.ceil(Math.max(p, q) + reach)),
  ];
  const [left, right] = range(a[0], b[0]);
  const [top, bottom] = range(a[1], b[1]);
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x + 0.5 - a[0], y + 0.5 - a[1]];
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const distance = Math.hypot(px - along * dx, py - along * dy);
      const value = Math.round(255 * Math.min(1, Math.max(0, thickness + 0.5 - distance)));
      const at = y * SIDE + x;
      if (value > target[at]!) target[at] = value;
    }
  }
}
