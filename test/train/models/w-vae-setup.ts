import * as tf from "@tensorflow/tfjs-core";
import { validate } from "../../../schemas/validate.ts";
import { type WVaeConfig, wVaeConfigSchema } from "../../../schemas/w-vae-config.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { wVae } from "../../../train/models/w-vae.ts";
import { stream } from "../../../train/random.ts";

/** A W-VAE small enough for the tfjs cpu backend, with blocks of unlike sizes. */

export function smallConfig(changes: Record<string, unknown> = {}): WVaeConfig {
  const config = {
    image: { size: 32, channels: 1 },
    latents: {
      kind: "categorical",
      common: { variables: 1, values: 4 },
      unique: { variables: 2, values: 3 },
    },
    autoencoder: { filters: 2, features: 5 },
    networks: { layers: 2, hidden: 6 },
    ...changes,
  };
  return validate(wVaeConfigSchema, config, "read a test's configuration");
}

/** Fresh networks with outputs of the size that training gives them: at initialisation rates are next to 0. */
export function smallNetworks(config: WVaeConfig): Networks {
  const networks = wVae.networks(config, 1);
  for (const [name, variable] of Object.entries(networks)) {
    if (!/^(joint|marginal).*dense_3\.bias$/.test(name)) continue;
    variable.assign(normal([variable.size], name));
  }
  return networks;
}

export function normal(shape: readonly number[], name: string): tf.Tensor {
  const random = stream(3, "normal", name);
  const data = Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal());
  return tf.tensor(data, [...shape]);
}

export function images(rows: number, name: string): tf.Tensor4D {
  const random = stream(2, "image", name);
  return tf.tensor4d(
    Int32Array.from({ length: rows * 1024 }, () => random.integer(256)),
    [rows, 32, 32, 1],
    "int32",
  );
}

/** Of the local rates in the tests of the objective: not 1, so that forgetting it shows. */
export const localWeight = 1.5;

export function inputsOf(config: WVaeConfig, rows: number) {
  const noise: Record<string, tf.Tensor> = {};
  for (const [name, { shape }] of Object.entries(wVae.noise(config, rows))) noise[name] = normal(shape, name);
  const batch: Tensors = { view_1: images(rows, "1"), view_2: images(rows, "2") };
  return { batch, noise, scalars: { temperature: tf.scalar(0.7), local_weight: tf.scalar(localWeight) } as Tensors };
}

/** Every term of a phase as a number. */
export function termsOf(networks: Networks, config: WVaeConfig, phase: string, microBatch = 0): Record<string, number> {
  return tf.tidy(() => {
    const { losses } = wVae.phases(config).find(({ name }) => name === phase)!;
    const terms = losses(networks, { ...inputsOf(config, 4), microBatch });
    return Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, term.arraySync()]));
  });
}

/** A network by loops in float64. */
export function plainMlp(networks: Networks, name: string, input: readonly number[]): number[] {
  let values = [...input];
  for (let layer = 1; `${name}.dense_${layer}.kernel` in networks; layer++) {
    const kernel = networks[`${name}.dense_${layer}.kernel`]!.arraySync() as number[][];
    const bias = networks[`${name}.dense_${layer}.bias`]!.arraySync() as number[];
    const read = layer === 1 ? values : values.map((value) => Math.max(0, value));
    values = bias.map((b, j) => read.reduce((sum, value, i) => sum + value * kernel[i]![j]!, b));
  }
  return values;
}

/** Probabilities of variables of `values` values each. */
export function softmaxParts(logits: readonly number[], values: number): number[] {
  return logits.map((value, i) => {
    const start = Math.floor(i / values) * values;
    return Math.exp(value) / logits.slice(start, start + values).reduce((sum, one) => sum + Math.exp(one), 0);
  });
}
