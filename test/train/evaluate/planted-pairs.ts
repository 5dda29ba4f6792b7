import type { PairSource } from "../../../train/data/pair-source.ts";
import type { Encode } from "../../../train/evaluate/encode-pairs.ts";
import { stream } from "../../../train/random.ts";

/** A source whose one-pixel "images" are their labels, and an encoder that plants them in known blocks. */

export const plantedFactors = [
  { name: "class", size: 4, role: "common" },
  { name: "turn", size: 8, role: "unique" },
] as const;

export const plantedSource: PairSource = {
  description: {
    name: "planted",
    summary: "labels as pixels",
    views: [],
    factors: plantedFactors,
    commonInformationBits: 2,
    provenance: {},
  },
  draw(size, random) {
    const draw = (classes: number) => Int32Array.from({ length: size }, () => random.integer(classes));
    const shared = draw(4);
    const turns = [draw(8), draw(8)] as const;
    const view = (turn: Int32Array) => {
      const data = new Uint8Array(size * 2);
      for (let i = 0; i < size; i++) data.set([shared[i]!, turn[i]!], 2 * i);
      return { dtype: "uint8", shape: [size, 1, 1, 2], data } as const;
    };
    return {
      tensors: { view_1: view(turns[0]), view_2: view(turns[1]) },
      labels: [
        { class: shared, turn: turns[0] },
        { class: shared, turn: turns[1] },
      ],
    };
  },
};

/**
 * Every block is a circle that shows one label, with noise of `spread`. The posteriors' variances are 1 in the common
 * blocks and 1/4 in the unique ones, and encoder 2 puts the common mean `shift` away from encoder 1's.
 */
export function plantedEncoder({ shift = 0, spread = 0.02 } = {}): Encode {
  const noise = stream(9, "planted encoder");
  return async (views) => {
    const rows = views.view_1!.shape[0]!;
    const circle = (view: "view_1" | "view_2", at: 0 | 1, classes: number, offset = 0) => {
      const data = new Float32Array(rows * 2);
      for (let i = 0; i < rows; i++) {
        const angle = (2 * Math.PI * Number(views[view]!.data[2 * i + at]!)) / classes;
        data[2 * i] = Math.cos(angle) + offset + spread * noise.normal();
        data[2 * i + 1] = Math.sin(angle) + spread * noise.normal();
      }
      return { dtype: "float32", shape: [rows, 2], data } as const;
    };
    const logvar = (value: number) =>
      ({ dtype: "float32", shape: [rows, 2], data: new Float32Array(rows * 2).fill(value) }) as const;
    const common1 = circle("view_1", 0, 4);
    const second = new Float32Array(common1.data);
    for (let i = 0; i < rows; i++) second[2 * i]! += shift;
    return {
      common_mean: common1,
      common_logvar: logvar(0),
      common_1_mean: common1,
      common_1_logvar: logvar(0),
      common_2_mean: { ...common1, data: second },
      common_2_logvar: logvar(0),
      unique_1_mean: circle("view_1", 1, 8),
      unique_1_logvar: logvar(-2 * Math.LN2),
      unique_2_mean: circle("view_2", 1, 8),
      unique_2_logvar: logvar(-2 * Math.LN2),
    };
  };
}
