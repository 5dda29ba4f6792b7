import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { addBatchNorm, batchNorm, type NormMode } from "./batch-norm.ts";
import { type MutableNetworks, parameter, uniformVariable } from "./parameters.ts";

/**
 * Fully connected classifier of the RINE authors: hidden layers with batch norm and ReLU, of which only the first has a
 * bias (the others' would be cancelled by the norm). Drawn as PyTorch draws `nn.Linear`: all within 1 / sqrt(fan-in).
 */
export const normMlp = {
  /** Variables `<prefix>.dense_1 ...` with `.kernel` and, first and last, `.bias`; `<prefix>.norm_1 ...`. */
  init(prefix: string, widths: { inputs: number; hidden: readonly number[]; outputs: number }, seed: number) {
    const made: MutableNetworks = {};
    const all = [widths.inputs, ...widths.hidden, widths.outputs];
    for (let i = 1; i < all.length; i++) {
      const [from, to] = [all[i - 1]!, all[i]!];
      const [name, bound] = [`${prefix}.dense_${i}`, 1 / Math.sqrt(from)];
      made[`${name}.kernel`] = uniformVariable(`${name}.kernel`, [from, to], bound, seed);
      const isLast = i === all.length - 1;
      if (i === 1 || isLast) made[`${name}.bias`] = uniformVariable(`${name}.bias`, [to], bound, seed);
      if (!isLast) addBatchNorm(made, `${prefix}.norm_${i}`, to);
    }
    return made;
  },

  /** @param x [batch, inputs] @returns logits [batch, outputs] */
  apply(networks: Networks, prefix: string, x: tf.Tensor2D, mode: NormMode): tf.Tensor2D {
    let h = x;
    for (let i = 1; `${prefix}.dense_${i}.kernel` in networks; i++) {
      const name = `${prefix}.dense_${i}`;
      h = tf.matMul(h, parameter<tf.Rank.R2>(networks, `${name}.kernel`));
      if (`${name}.bias` in networks) h = tf.add(h, parameter(networks, `${name}.bias`));
      if (`${prefix}.norm_${i}.scale` in networks) h = tf.relu(batchNorm(networks, `${prefix}.norm_${i}`, h, mode));
    }
    return h;
  },
};
