import * as tf from "@tensorflow/tfjs-core";
import { type GkVaeConfig, gkVaeConfigSchema } from "../../../schemas/gk-vae-config.ts";
import { validate } from "../../../schemas/validate.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { gkVae } from "../../../train/models/gk-vae.ts";
import { stream } from "../../../train/random.ts";
import { type PlainNetworks, plain } from "../networks/plain-burgess.ts";
import type { PlainPair, PlainSettings } from "./plain-gk-vae.ts";

/** A GK-VAE small enough for the tfjs cpu backend, with two image channels and blocks of unlike sizes. */

export function smallConfig(changes: Record<string, unknown> = {}): GkVaeConfig {
  const config = {
    image: { size: 32, channels: 2 },
    latents: { common: 3, unique: 2 },
    networks: { filters: 2, hidden: 6 },
    ...changes,
  };
  return validate(gkVaeConfigSchema, config, "read a test's configuration");
}

/** Weights of the size that training gives them: at initialisation every rate is next to 0 and would hide errors. */
export function smallNetworks(config: GkVaeConfig, seed = 1): Networks {
  const networks = gkVae.networks(config, seed);
  for (const view of [1, 2]) {
    const random = stream(seed, "test bias", view);
    const bias = networks[`encoder_${view}.dense_3.bias`]!;
    const { size } = bias;
    bias.assign(tf.tensor1d(Float32Array.from({ length: size }, (_, i) => random.normal() * (i < size / 2 ? 1 : 0.5))));
  }
  for (const [name, variable] of Object.entries(networks)) {
    if (!name.startsWith("prior.")) continue;
    const random = stream(seed, name);
    variable.assign(
      tf.tensor(
        Float32Array.from({ length: variable.size }, () => 0.4 * random.normal()),
        variable.shape,
      ),
    );
  }
  return networks;
}

export function randomImages(config: GkVaeConfig, rows: number, name: string): tf.Tensor4D {
  const { size, channels } = config.image;
  const random = stream(2, "image", name);
  const pixels = Int32Array.from({ length: rows * size * size * channels }, () => random.integer(256));
  return tf.tensor4d(pixels, [rows, size, size, channels], "int32");
}

export function randomNormal(shape: readonly number[], name: string): tf.Tensor {
  const random = stream(3, "noise", name);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal()),
    [...shape],
  );
}

export interface Inputs {
  readonly batch: { readonly view_1: tf.Tensor4D; readonly view_2: tf.Tensor4D };
  readonly noise: Tensors;
  readonly scalars: Tensors;
}

export function randomInputs(config: GkVaeConfig, rows: number, coin: number): Inputs {
  const noise: Record<string, tf.Tensor> = {};
  for (const [name, spec] of Object.entries(gkVae.noise(config, rows))) {
    noise[name] = spec.distribution === "normal" ? randomNormal(spec.shape, name) : tf.scalar(coin);
  }
  return {
    batch: { view_1: randomImages(config, rows, "1"), view_2: randomImages(config, rows, "2") },
    noise,
    scalars: {},
  };
}

export function toPlain(networks: Networks): PlainNetworks {
  return Object.fromEntries(Object.entries(networks).map(([name, v]) => [name, plain(v.shape, v.dataSync())]));
}

export function toPlainPairs({ batch, noise }: Inputs): PlainPair[] {
  const rows = batch.view_1.shape[0];
  const row = (tensor: tf.Tensor, i: number) => {
    const one = tf.gather(tensor, i);
    return plain(one.shape, one.dataSync());
  };
  return Array.from({ length: rows }, (_, i) => ({
    view_1: row(batch.view_1, i),
    view_2: row(batch.view_2, i),
    noise: {
      unique_1: row(noise.noise_unique_1!, i).values,
      unique_2: row(noise.noise_unique_2!, i).values,
      common_1: row(noise.noise_common_1!, i).values,
      common_2: row(noise.noise_common_2!, i).values,
    },
  }));
}

export function toPlainSettings(config: GkVaeConfig): PlainSettings {
  return {
    size: config.image.size,
    ...config.latents,
    decoders: config.decoders,
    reduction: config.matchingReduction,
    gamma: config.weights.prior,
    betaUnique: config.weights.unique,
    betaCommon: config.weights.common,
    lambda: config.weights.matching,
    floor: config.freeNats,
  };
}

/** Every loss term as a number. */
export function lossesOf(
  networks: Networks,
  config: GkVaeConfig,
  inputs: Inputs,
  microBatch = 0,
): Record<string, number> {
  return tf.tidy(() => {
    const terms = gkVae.phases(config)[0]!.losses(networks, { ...inputs, microBatch });
    return Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, term.arraySync()]));
  });
}
