import * as tf from "@tensorflow/tfjs-core";
import "../../../export/tfjs-setup.ts";
import { afterEach, expect, test } from "vitest";
import { discriminator } from "../../../train/networks/discriminator.ts";
import { locatelloDecoder, locatelloEncoder } from "../../../train/networks/locatello.ts";
import { countParameters } from "../../../train/networks/parameters.ts";

afterEach(() => tf.disposeVariables());

const published = { latents: 10, hidden: 256, seed: 1 };

// What disentanglement_lib's layers add up to.
test.each([
  { channels: 1, encoder: 309_204, decoder: 381_313 },
  { channels: 3, encoder: 310_228, decoder: 382_339 },
])("with $channels channels the encoder has $encoder parameters and the decoder $decoder", (wanted) => {
  const shape = { size: 64, channels: wanted.channels, filters: 32 } as const;
  expect(countParameters(locatelloEncoder.init("encoder", shape, published))).toBe(wanted.encoder);
  expect(countParameters(locatelloDecoder.init("decoder", shape, published))).toBe(wanted.decoder);
});

test("the discriminator of FactorVAE has 5,018,002 parameters", () => {
  const made = discriminator.init("d", { latents: 10, layers: 6, width: 1000, seed: 1 });
  expect(countParameters(made)).toBe(5_018_002);
});

test("weights fill Glorot's interval and biases begin at 0", () => {
  const made = locatelloEncoder.init("encoder", { size: 64, channels: 1, filters: 32 }, published);
  const bounds = {
    "encoder.conv_2.kernel": Math.sqrt(6 / (16 * 32 + 16 * 32)),
    "encoder.conv_3.kernel": Math.sqrt(6 / (4 * 32 + 4 * 64)),
    "encoder.dense_1.kernel": Math.sqrt(6 / (1024 + 256)),
    "encoder.logvar.kernel": Math.sqrt(6 / (256 + 10)),
  };
  for (const [name, bound] of Object.entries(bounds)) {
    const largest = (made[name]!.dataSync() as Float32Array).reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      0,
    );
    expect(largest, name).toBeLessThanOrEqual(bound);
    expect(largest, name).toBeGreaterThan(0.98 * bound);
  }
  for (const [name, variable] of Object.entries(made)) {
    if (name.endsWith(".bias")) expect(variable.dataSync().every((value) => value === 0)).toBe(true);
  }
});

test.each([32, 64] as const)("an image of %i pixels comes back at its size, for any number of channels", (size) => {
  const shape = { size, channels: 2, filters: 2 };
  const encoder = locatelloEncoder.init("e", shape, { latents: 3, hidden: 4, seed: 1 });
  const decoder = locatelloDecoder.init("d", shape, { latents: 3, seed: 1 });
  const { mean, logvar } = locatelloEncoder.apply(encoder, "e", tf.ones([5, size, size, 2]));
  expect([mean.shape, logvar.shape]).toEqual([
    [5, 3],
    [5, 3],
  ]);
  expect(locatelloDecoder.apply(decoder, "d", mean as tf.Tensor2D).shape).toEqual([5, size, size, 2]);
});

test("the logits of a decoder are not cut off at 0", () => {
  const decoder = locatelloDecoder.init("d", { size: 32, channels: 1, filters: 2 }, { latents: 3, seed: 1 });
  const logits = locatelloDecoder.apply(decoder, "d", tf.fill([1, 3], 5) as tf.Tensor2D).dataSync();
  expect(Math.min(...logits)).toBeLessThan(0);
});
