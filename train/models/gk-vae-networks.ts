import * as tf from "@tensorflow/tfjs-core";
import type { GkVaeConfig } from "../../schemas/gk-vae-config.ts";
import { burgessDecoder, burgessEncoder } from "../networks/burgess.ts";
import type { Gaussian } from "../networks/gaussian.ts";
import { namedVariable, parameter } from "../networks/parameters.ts";
import type { Networks } from "./family.ts";

/** Networks of the GK-VAE: two encoders, two decoders, no shared weights, and the prior where it is learned. */

export type View = 1 | 2;
export type BlockName = "unique_1" | "common" | "unique_2";

/** Order of the blocks in the code that the decoders read, the paper's (u1, c, u2). */
export const blockNames: readonly BlockName[] = ["unique_1", "common", "unique_2"];

export function blockSize(config: GkVaeConfig, block: BlockName): number {
  return block === "common" ? config.latents.common : config.latents.unique;
}

/** Code of one pair: [batch, dims] each. */
export interface Code {
  readonly unique_1: tf.Tensor;
  readonly common: tf.Tensor;
  readonly unique_2: tf.Tensor;
}

export function gkVaeNetworks(config: GkVaeConfig, seed: number): Networks {
  const { common, unique } = config.latents;
  const shape = { ...config.image, ...config.networks };
  const read = config.decoders === "all-latents" ? common + 2 * unique : common + unique;
  return {
    ...burgessEncoder.init("encoder_1", shape, 2 * (unique + common), seed),
    ...burgessEncoder.init("encoder_2", shape, 2 * (unique + common), seed),
    ...burgessDecoder.init("decoder_1", shape, read, seed),
    ...burgessDecoder.init("decoder_2", shape, read, seed),
    ...(config.prior === "learned" ? standardNormalPriors(config) : {}),
  };
}

function standardNormalPriors(config: GkVaeConfig): Record<string, tf.Variable> {
  const variables: Record<string, tf.Variable> = {};
  for (const block of blockNames) {
    for (const moment of ["mean", "logvar"]) {
      const name = `prior.${block}.${moment}`;
      variables[name] = namedVariable(name, () => tf.zeros([blockSize(config, block)]));
    }
  }
  return variables;
}

/** p(z) of `block`: its trained moments, or undefined where it is fixed to the standard normal. */
export function priorOf(networks: Networks, block: BlockName): Gaussian | undefined {
  if (!(`prior.${block}.mean` in networks)) return undefined;
  return {
    mean: parameter(networks, `prior.${block}.mean`),
    logvar: parameter(networks, `prior.${block}.logvar`),
  };
}

/** Images as they come (0..255) to the intensity 0..1 that the networks work in. */
export function toIntensity(image: tf.Tensor): tf.Tensor4D {
  return tf.div(tf.cast(image, "float32"), 255) as tf.Tensor4D;
}

/** @param image 0..255 [batch, size, size, channels] @returns [batch, 2 (unique + common)]: what `splitMoments` takes apart */
export function encoderMoments(networks: Networks, view: View, image: tf.Tensor): tf.Tensor2D {
  return burgessEncoder.apply(networks, `encoder_${view}`, toIntensity(image));
}

/**
 * The encoder's output is all means, then all log-variances, and in either the unique block comes first, then the
 * common one. (The authors' nets interleave mean and log-variance; it matters only to an import of their weights.)
 */
export function splitMoments(config: GkVaeConfig, moments: tf.Tensor2D): { unique: Gaussian; common: Gaussian } {
  const { common, unique } = config.latents;
  const batch = moments.shape[0];
  const part = (start: number, size: number) => tf.slice2d(moments, [0, start], [batch, size]);
  const half = unique + common;
  return {
    unique: { mean: part(0, unique), logvar: part(half, unique) },
    common: { mean: part(unique, common), logvar: part(half + unique, common) },
  };
}

export function encodeView(networks: Networks, config: GkVaeConfig, view: View, image: tf.Tensor) {
  return splitMoments(config, encoderMoments(networks, view, image));
}

/** @returns logits of `view`, [batch, size, size, channels] */
export function decodeView(networks: Networks, config: GkVaeConfig, view: View, code: Code): tf.Tensor4D {
  const perView = view === 1 ? [code.unique_1, code.common] : [code.common, code.unique_2];
  const read = config.decoders === "per-view" ? perView : blockNames.map((block) => code[block]);
  return burgessDecoder.apply(networks, `decoder_${view}`, tf.concat(read, 1) as tf.Tensor2D);
}
