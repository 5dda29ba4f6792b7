import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { addLayer, type MutableNetworks, parameter } from "./parameters.ts";

export interface MlpShape {
  readonly inputs: number;
  /** Hidden layers. */
  readonly layers: number;
  /** Width of each. */
  readonly hidden: number;
  readonly outputs: number;
}

/** Fully connected network with ReLU between its layers. */
export const mlp = {
  /** Variables `<prefix>.dense_1 ...`, each with `.kernel` and `.bias`. */
  init(prefix: string, { inputs, layers, hidden, outputs }: MlpShape, seed: number): MutableNetworks {
    const made: MutableNetworks = {};
    const widths = [inputs, ...new Array<number>(layers).fill(hidden), outputs];
    for (let i = 1; i < widths.length; i++) {
      const [from, to] = [widths[i - 1]!, widths[i]!];
      addLayer(made, `${prefix}.dense_${i}`, { kernel: [from, to], bias: to, fanIn: from, seed });
    }
    return made;
  },

  /** @param x [batch, inputs] @returns [batch, outputs] */
  apply(networks: Networks, prefix: string, x: tf.Tensor2D): tf.Tensor2D {
    let value = x;
    for (let i = 1; `${prefix}.dense_${i}.kernel` in networks; i++) {
      const next = dense(networks, `${prefix}.dense_${i}`, i === 1 ? value : tf.relu(value));
      value = next;
    }
    return value;
  },
};

/** @param x [batch, from] @returns [batch, to] by `<name>.kernel` and `<name>.bias` */
export function dense(networks: Networks, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const kernel = parameter<tf.Rank.R2>(networks, `${name}.kernel`);
  return tf.add(tf.matMul(x, kernel), parameter(networks, `${name}.bias`));
}
