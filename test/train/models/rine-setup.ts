import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { type RineConfig, rineConfigSchema } from "../../../schemas/rine-config.ts";
import { validate } from "../../../schemas/validate.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { stream } from "../../../train/random.ts";

/** Small RINE models on numbers and on images, and batches for them. */

const sgd = { kind: "sgd", learningRate: 0.01, momentum: 0.9, weightDecay: 0.005 };

export function numbersConfig(changes: object = {}): RineConfig {
  return validate(
    rineConfigSchema,
    {
      problems: [{ name: "P", classes: 3 }],
      input: { kind: "numbers", size: 2 },
      network: { kind: "mlp", hidden: [5, 4] },
      betas: [0, 15],
      epochSteps: 10,
      optimiser: { ...sgd },
      ...changes,
    },
    "configure the test",
  );
}

export function imagesConfig(changes: object = {}): RineConfig {
  return numbersConfig({
    problems: [{ name: "crop", classes: 3, parts: [{ columns: [4, 8] }, { columns: [0, 4], channels: [1] }] }],
    input: { kind: "images", size: 8, mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.2, 0.25] },
    network: { kind: "resnet", stemStride: 1, filters: [3, 4], blocks: 1 },
    joint: true,
    ...changes,
  });
}

export const rows = 7;

export const labels = (classes = 3): tf.Tensor =>
  tf.tensor1d(
    Array.from({ length: rows }, (_, i) => i % classes),
    "int32",
  );

export function numbers(sources = 2): Tensors {
  const random = stream(7, "rine numbers");
  const x = (): tf.Tensor =>
    tf.tensor2d(
      Float32Array.from({ length: rows * 2 }, () => random.normal()),
      [rows, 2],
    );
  return { ...Object.fromEntries(Array.from({ length: sources }, (_, i) => [`x${i + 1}`, x()])), y: labels() };
}

export function pixels(name: string): Uint8Array {
  const random = stream(8, "rine pixels", name);
  return Uint8Array.from({ length: rows * 8 * 8 * 3 }, () => random.integer(256));
}

export const picture = (data: Uint8Array): tf.Tensor => tf.tensor(Int32Array.from(data), [rows, 8, 8, 3], "int32");

/** Moves every average and variance away from its start, so that inference differs from what is fresh. */
export function disturb(networks: Networks): void {
  const random = stream(9, "rine buffers");
  for (const [name, variable] of Object.entries(networks)) {
    if (variable.trainable) continue;
    const least = name.endsWith(".mean") ? -0.5 : 0.5; // averages about 0, or every unit might be off
    const values = Float32Array.from({ length: variable.size }, () => least + random.uniform());
    variable.assign(tf.tensor(values, variable.shape));
  }
}
