import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { autoencoder } from "../../../train/networks/autoencoder.ts";
import { mlp } from "../../../train/networks/mlp.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import { stream } from "../../../train/random.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const shape = { size: 32, channels: 2, filters: 2, features: 3 };

function images(rows: number): tf.Tensor4D {
  const random = stream(1, "images");
  return tf.tensor4d(
    Float32Array.from({ length: rows * 2048 }, () => random.uniform()),
    [rows, 32, 32, 2],
  );
}

test("features and pictures have their shapes, at 64 pixels too", () => {
  for (const size of [32, 64]) {
    const networks = autoencoder.init({ ...shape, size }, 0);
    const picture = autoencoder.decode(networks, tf.ones([5, 3]));
    expect(picture.shape).toEqual([5, size, size, 2]);
    expect(autoencoder.encode(networks, picture).shape).toEqual([5, 3]);
    tf.disposeVariables();
  }
});

test("a step of the loss moves the averages by two hundredths towards the moments of its batch", () => {
  const networks = autoencoder.init(shape, 0);
  const variance = networks["autoencoder.features.variance"]!;
  variance.assign(tf.fill([3], 1 - 1e-5)); // the floor under the variance aside, encode returns raw features
  const raw = autoencoder.encode(networks, images(6));
  variance.assign(tf.ones([3]));
  const loss = autoencoder.loss(networks, images(6), 0).arraySync();
  const { mean, variance: spread } = tf.moments(raw, 0);
  const [m, v] = [mean.dataSync(), spread.dataSync()];
  const [movedMean, movedVariance] = ["mean", "variance"].map((name) =>
    networks[`autoencoder.features.${name}`]!.dataSync(),
  );
  for (let i = 0; i < 3; i++) {
    expect(movedMean![i]).toBeCloseTo(0.02 * m[i]!, 5);
    expect(movedVariance![i]).toBeCloseTo(0.98 + 0.02 * v[i]!, 5);
  }
  expect(loss).toBeGreaterThan(0);
});

test("micro-batches change neither loss nor averages: the batch is standardised as a whole", () => {
  const results = [0, 2].map((microBatch) => {
    const networks = autoencoder.init(shape, 0);
    const loss = autoencoder.loss(networks, images(6), microBatch).arraySync();
    const moved = Array.from(networks["autoencoder.features.mean"]!.dataSync());
    tf.disposeVariables();
    return [loss, ...moved];
  });
  results[0]!.forEach((value, i) => {
    expect(results[1]![i]! / value).toBeCloseTo(1, 5);
  });
});

test("the averages are no trained parameters", () => {
  const networks = autoencoder.init(shape, 0);
  const conv = (from: number, to: number) => 16 * from * to;
  const kernels = 2 * (conv(2, 2) + conv(2, 4) + conv(4, 8) + 128 * 3);
  const biases = 2 + 4 + 8 + (2 + 2 + 4) + 3 + 128;
  expect(countParameters(networks)).toBe(kernels + biases);
});

test("an MLP is its layers by hand", () => {
  const networks = mlp.init("net", { inputs: 2, layers: 2, hidden: 3, outputs: 1 }, 0);
  const kernelOf = (layer: number) => networks[`net.dense_${layer}.kernel`]!.arraySync() as number[][];
  const biasOf = (layer: number) => networks[`net.dense_${layer}.bias`]!.arraySync() as number[];
  let values = [0.3, -0.7];
  for (const layer of [1, 2, 3]) {
    const kernel = kernelOf(layer);
    const read = layer === 1 ? values : values.map((value) => Math.max(0, value));
    values = biasOf(layer).map((bias, j) => read.reduce((sum, value, i) => sum + value * kernel[i]![j]!, bias));
  }
  expect(mlp.apply(networks, "net", tf.tensor2d([[0.3, -0.7]])).arraySync()[0]![0]).toBeCloseTo(values[0]!, 5);
});
