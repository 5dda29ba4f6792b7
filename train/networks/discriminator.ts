import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { addDense, dense } from "./locatello.ts";
import type { MutableNetworks } from "./parameters.ts";

/** Slope of the leaky ReLU below 0. */
const slope = 0.2;

/**
 * Dense network with two logits: whether a code was drawn whole or put together from several rows.
 *
 * Source: Kim & Mnih 2018, https://arxiv.org/abs/1802.05983, appendix A; disentanglement_lib (`fc_discriminator`)
 */
export const discriminator = {
  /** Variables `<prefix>.dense_1 ..<layers>` and `<prefix>.logits`. */
  init(
    prefix: string,
    { latents, layers, width, seed }: { latents: number; layers: number; width: number; seed: number },
  ): MutableNetworks {
    const made: MutableNetworks = {};
    for (let i = 1; i <= layers; i++)
      addDense(made, `${prefix}.dense_${i}`, { from: i === 1 ? latents : width, to: width, seed });
    addDense(made, `${prefix}.logits`, { from: width, to: 2, seed });
    return made;
  },

  /** @param z [batch, latents] @returns logits [batch, 2]: drawn whole, put together */
  apply(networks: Networks, prefix: string, z: tf.Tensor2D): tf.Tensor2D {
    let x = z;
    for (let i = 1; `${prefix}.dense_${i}.kernel` in networks; i++) {
      x = tf.leakyRelu(dense(networks, `${prefix}.dense_${i}`, x), slope);
    }
    return dense(networks, `${prefix}.logits`, x);
  },
};
