import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import type { GkVaeConfig } from "../../../schemas/gk-vae-config.ts";
import { gkVae } from "../../../train/models/gk-vae.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import {
  type Inputs,
  lossesOf,
  randomInputs,
  smallConfig,
  smallNetworks,
  toPlain,
  toPlainPairs,
  toPlainSettings,
} from "./gk-vae-setup.ts";
import { plainLosses } from "./plain-gk-vae.ts";

afterEach(() => tf.disposeVariables());

test("the paper's three models have the published parameter counts", () => {
  const cases = [
    { size: 64, channels: 1, common: 3, unique: 2, parameters: 997_334 },
    { size: 64, channels: 3, common: 3, unique: 3, parameters: 1_003_486 },
    { size: 32, channels: 1, common: 4, unique: 2, parameters: 933_210 },
  ];
  for (const { size, channels, common, unique, parameters } of cases) {
    const config = smallConfig({ image: { size, channels }, latents: { common, unique }, networks: {} });
    expect(countParameters(gkVae.networks(config, 1))).toBe(parameters);
    tf.disposeVariables();
  }
});

describe("every term agrees with loops in float64", () => {
  const weights = { prior: 0.7, unique: 3, common: 0.4, matching: 1.3 };
  for (const decoders of ["all-latents", "per-view"]) {
    for (const prior of ["fixed", "learned"]) {
      for (const matchingReduction of ["sum", "mean"]) {
        test(`${decoders}, ${prior} prior, matching ${matchingReduction}`, () => {
          const config = smallConfig({ decoders, prior, matchingReduction, weights, freeNats: 0.3 });
          const networks = smallNetworks(config);
          for (const coin of [0.2, 0.8]) {
            const inputs = randomInputs(config, 3, coin);
            const got = lossesOf(networks, config, inputs);
            const wanted = reference(toPlain(networks), config, inputs, coin);
            expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
            for (const [name, value] of Object.entries(wanted)) {
              expect(Math.abs(got[name]! - value) / Math.max(1, Math.abs(value)), name).toBeLessThan(1e-5);
            }
            expect(wanted.clamped_rate_common_1! - wanted.rate_common_1!).toBeGreaterThanOrEqual(0);
          }
        });
      }
    }
  }
});

test("gradients agree with finite differences of the float64 reference, through every network and the prior", () => {
  const config = smallConfig({ prior: "learned", weights: { prior: 1, unique: 2, common: 0.5, matching: 3 } });
  const networks = smallNetworks(config);
  const coin = 0.3;
  const inputs = randomInputs(config, 3, coin);
  const { grads } = tf.variableGrads(
    () => gkVae.phases(config)[0]!.losses(networks, inputs).loss!,
    Object.values(networks),
  );
  const names = [
    "encoder_1.conv_1.kernel",
    "encoder_1.dense_3.kernel",
    "encoder_2.conv_3.bias",
    "encoder_2.dense_3.bias",
    "decoder_1.dense_1.kernel",
    "decoder_1.deconv_3.bias",
    "decoder_2.deconv_1.kernel",
    "decoder_2.deconv_3.kernel",
    "prior.common.mean",
    "prior.unique_2.logvar",
  ];
  const point = toPlain(networks);
  for (const name of names) {
    const gradient = Array.from(grads[name]!.dataSync());
    const largest = gradient.reduce((at, value, i) => (Math.abs(value) > Math.abs(gradient[at]!) ? i : at), 0);
    for (const at of new Set([0, largest])) {
      const move = (by: number) => {
        const values = Float64Array.from(point[name]!.values);
        values[at]! += by;
        return reference({ ...point, [name]: { ...point[name]!, values } }, config, inputs, coin).loss!;
      };
      const h = 1e-5;
      const wanted = (move(h) - move(-h)) / (2 * h);
      expect(Math.abs(gradient[at]! - wanted), `${name}[${at}]`).toBeLessThan(2e-4 * Math.max(1, Math.abs(wanted)));
    }
    expect(Math.abs(gradient[largest]!), name).toBeGreaterThan(1e-4);
  }
});

test("a posterior equal to the prior has rate 0 and pays the floor in every dimension", () => {
  for (const prior of ["fixed", "learned"]) {
    const config = smallConfig({ prior });
    const networks = gkVae.networks(config, 1);
    for (const view of [1, 2]) {
      for (const part of ["kernel", "bias"]) {
        const variable = networks[`encoder_${view}.dense_3.${part}`]!;
        variable.assign(tf.zerosLike(variable));
      }
    }
    const got = lossesOf(networks, config, randomInputs(config, 2, 0.1));
    for (const block of ["common_1", "common_2", "unique_1", "unique_2"]) {
      expect(got[`rate_${block}`]).toBeCloseTo(0, 9);
      const dims = block.startsWith("common") ? 3 : 2;
      expect(got[`clamped_rate_${block}`]).toBeCloseTo(0.1 * dims, 6);
    }
    expect(got.matching).toBeCloseTo(0, 5);
    tf.disposeVariables();
  }
});

test("the floor acts on the batch mean of one dimension: neither on single pairs nor on the block's sum", () => {
  const config = smallConfig({ freeNats: 0.5 });
  const networks = gkVae.networks(config, 1);
  const kernel = networks["encoder_1.dense_3.kernel"]!;
  kernel.assign(tf.zerosLike(kernel));
  // unique_1 has means 2 and 0 with unit variance: 2 nats and 0 nats, whatever the image.
  networks["encoder_1.dense_3.bias"]!.assign(tf.tensor1d([2, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  const got = lossesOf(networks, config, randomInputs(config, 2, 0.1));
  expect(got.rate_unique_1).toBeCloseTo(2, 6);
  expect(got.clamped_rate_unique_1).toBeCloseTo(2.5, 6);
});

test("the coin chooses whose common code is decoded, for the whole batch", () => {
  const config = smallConfig();
  const networks = smallNetworks(config);
  const reconstruction = (coin: number, louder: string) => {
    const inputs = randomInputs(config, 3, coin);
    const noise = { ...inputs.noise, [louder]: tf.add(inputs.noise[louder]!, 1) };
    return lossesOf(networks, config, { ...inputs, noise }).reconstruction!;
  };
  const plain = (coin: number) => lossesOf(networks, config, randomInputs(config, 3, coin)).reconstruction!;
  expect(reconstruction(0.4999, "noise_common_2")).toBe(plain(0.4999));
  expect(reconstruction(0.4999, "noise_common_1")).not.toBe(plain(0.4999));
  expect(reconstruction(0.5, "noise_common_1")).toBe(plain(0.5));
  expect(reconstruction(0.5, "noise_common_2")).not.toBe(plain(0.5));
  expect(plain(0)).toBe(plain(0.4999));
});

test("the summed matching term is the mean one with the weight times the batch", () => {
  const rows = 4;
  const summed = smallConfig({ matchingReduction: "sum", weights: { matching: 0.1 } });
  const mean = smallConfig({ matchingReduction: "mean", weights: { matching: 0.1 * rows } });
  const networks = smallNetworks(summed);
  const inputs = randomInputs(summed, rows, 0.9);
  const a = lossesOf(networks, summed, inputs);
  const b = lossesOf(networks, mean, inputs);
  expect(Math.abs(a.loss! - b.loss!)).toBeLessThan(1e-6 * a.loss!);
  expect(a.matching).toBe(b.matching);
});

test("with the mean reduction a batch that repeats its pairs has the same loss; with the sum it has not", () => {
  for (const matchingReduction of ["mean", "sum"]) {
    const config = smallConfig({ matchingReduction });
    const networks = smallNetworks(config);
    const once = randomInputs(config, 2, 0.9);
    const twice = (tensor: tf.Tensor) => (tensor.rank === 0 ? tensor : tf.concat([tensor, tensor], 0));
    const inputs = {
      batch: { view_1: twice(once.batch.view_1) as tf.Tensor4D, view_2: twice(once.batch.view_2) as tf.Tensor4D },
      noise: Object.fromEntries(Object.entries(once.noise).map(([name, tensor]) => [name, twice(tensor)])),
      scalars: {},
    };
    const ratio = lossesOf(networks, config, inputs).loss! / lossesOf(networks, config, once).loss!;
    if (matchingReduction === "mean") expect(ratio).toBeCloseTo(1, 5);
    else expect(ratio).toBeGreaterThan(1.01);
    tf.disposeVariables();
  }
});

test("micro-batches change neither terms nor gradients", () => {
  const config = smallConfig();
  const networks = smallNetworks(config);
  const inputs = randomInputs(config, 5, 0.2);
  const whole = lossesOf(networks, config, inputs);
  const parts = lossesOf(networks, config, inputs, 2);
  for (const [name, value] of Object.entries(whole)) {
    expect(Math.abs(parts[name]! - value), name).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
  }
  const gradient = (microBatch: number) =>
    tf.variableGrads(() => gkVae.phases(config)[0]!.losses(networks, { ...inputs, microBatch }).loss!).grads;
  const first = gradient(0);
  const second = gradient(2);
  for (const [name, tensor] of Object.entries(first)) {
    const gap = tf.max(tf.abs(tf.sub(tensor, second[name]!))).arraySync() as number;
    const scale = tf.max(tf.abs(tensor)).arraySync() as number;
    expect(gap, name).toBeLessThan(1e-5 * Math.max(scale, 1e-3));
  }
});

test("the ramp starts the matching weight at 0 and reaches it after the given steps", () => {
  const config = smallConfig({ matchingRampSteps: 100 });
  const [phase] = gkVae.phases(config);
  const ramp = phase!.scalars.matching_ramp!;
  expect([0, 25, 100, 1000].map(ramp)).toEqual([0, 0.25, 1, 1]);
  const networks = smallNetworks(config);
  const inputs = randomInputs(config, 2, 0.1);
  const at = (value: number) => lossesOf(networks, config, { ...inputs, scalars: { matching_ramp: tf.scalar(value) } });
  const cost = 12.8 * at(0).matching!;
  expect(Math.abs(at(0.5).loss! - at(0).loss! - cost / 2)).toBeLessThan(1e-3);
  expect(Object.keys(gkVae.phases(smallConfig())[0]!.scalars)).toEqual([]);
});

test("the learning rate stays where nothing is said, as in the paper, or falls exponentially to its end", () => {
  const [phase] = gkVae.phases(smallConfig({ learningRateEnd: 0.01 }));
  const rate = phase!.scalars["learning_rate.model"]!;
  const at = (step: number): number => rate(step, 101);
  expect(at(0)).toBe(1);
  expect(at(50)).toBeCloseTo(0.1, 12);
  expect(at(100)).toBeCloseTo(0.01, 12);
});

test("the unique rates cost what the warm-up says at the start and the paper's weight from its share on", () => {
  const config = smallConfig({ uniqueWarmUp: { weight: 16, share: 0.5 } });
  const [phase] = gkVae.phases(config);
  const factor = phase!.scalars.unique_weight!;
  expect([0, 25, 50, 99].map((step) => factor(step, 100))).toEqual([16, 4, 1, 1]);
  const networks = smallNetworks(config);
  const inputs = randomInputs(config, 2, 0.1);
  const at = (value: number) => lossesOf(networks, config, { ...inputs, scalars: { unique_weight: tf.scalar(value) } });
  const paper = at(1);
  expect(paper.loss).toBe(lossesOf(networks, config, inputs).loss);
  const rates = paper.clamped_rate_unique_1! + paper.clamped_rate_unique_2!;
  const gap = at(16).loss! - paper.loss!;
  expect(gap / (15 * config.weights.unique * rates)).toBeCloseTo(1, 4);
});

test("the one player trains every variable, a learned prior included", () => {
  for (const prior of ["fixed", "learned"]) {
    const config = smallConfig({ prior });
    const [player] = gkVae.phases(config)[0]!.players;
    const names = Object.keys(gkVae.networks(config, 1));
    expect(names.filter((name) => !player!.trains.some((prefix) => name.startsWith(prefix)))).toEqual([]);
    expect(names.filter((name) => name.startsWith("prior."))).toHaveLength(prior === "learned" ? 6 : 0);
    tf.disposeVariables();
  }
});

test("a loss of finite inputs is finite where probabilities round to 0 and 1", () => {
  const config = smallConfig();
  const networks = smallNetworks(config);
  networks["decoder_1.deconv_3.bias"]!.assign(tf.tensor1d([300, -300]));
  const got = lossesOf(networks, config, randomInputs(config, 2, 0.1));
  expect(Number.isFinite(got.loss)).toBe(true);
  // half of the intensity is wrong on average: about 300 nats x 1024 pixels x 2 channels / 2
  expect(got.reconstruction! / (300 * 1024)).toBeCloseTo(1, 1);
});

function reference(networks: ReturnType<typeof toPlain>, config: GkVaeConfig, inputs: Inputs, coin: number) {
  return plainLosses(networks, toPlainSettings(config), toPlainPairs(inputs), coin);
}
