import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import type { Networks } from "../../../train/models/family.ts";
import { burgessDecoder, burgessEncoder } from "../../../train/networks/burgess.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import { stream } from "../../../train/random.ts";
import { type PlainNetworks, plain, plainDecoder, plainEncoder } from "./plain-burgess.ts";

afterEach(() => tf.disposeVariables());

const values = (length: number, name: string) => {
  const random = stream(5, name);
  return Float32Array.from({ length }, () => random.uniform());
};

function toPlain(networks: Networks): PlainNetworks {
  return Object.fromEntries(Object.entries(networks).map(([name, v]) => [name, plain(v.shape, v.dataSync())]));
}

const paper = { filters: 32, hidden: 256 };

test("the paper's encoders and decoders have the published nets' parameter counts", () => {
  const cases = [
    { size: 64, channels: 1, encoderOutputs: 10, decoderInputs: 7, encoder: 249_482, decoder: 249_185 },
    { size: 64, channels: 3, encoderOutputs: 12, decoderInputs: 9, encoder: 251_020, decoder: 250_723 },
    { size: 32, channels: 1, encoderOutputs: 12, decoderInputs: 8, encoder: 233_580, decoder: 233_025 },
  ] as const;
  for (const { size, channels, encoderOutputs, decoderInputs, encoder, decoder } of cases) {
    const shape = { size, channels, ...paper };
    expect(countParameters(burgessEncoder.init("e", shape, encoderOutputs, 1))).toBe(encoder);
    expect(countParameters(burgessDecoder.init("d", shape, decoderInputs, 1))).toBe(decoder);
    tf.disposeVariables();
  }
});

for (const size of [32, 64] as const) {
  test(`the ${size}x${size} encoder agrees with PyTorch's definition of its layers in float64`, () => {
    const shape = { size, channels: 2, filters: 3, hidden: 7 };
    const networks = burgessEncoder.init("e", shape, 5, 11);
    const pixels = values(2 * size * size * 2, "pixels");
    const got = burgessEncoder.apply(networks, "e", tf.tensor4d(pixels, [2, size, size, 2])).arraySync();
    const one = size * size * 2;
    for (const row of [0, 1]) {
      const image = plain([size, size, 2], pixels.subarray(row * one, (row + 1) * one));
      const wanted = plainEncoder(toPlain(networks), "e", image);
      expect(maxDifference(got[row]!, wanted)).toBeLessThan(1e-5 * Math.max(...wanted.map(Math.abs)));
    }
  });

  test(`the ${size}x${size} decoder agrees with PyTorch's definition of its layers in float64`, () => {
    const shape = { size, channels: 2, filters: 3, hidden: 7 };
    const networks = burgessDecoder.init("d", shape, 4, 11);
    const codes = values(2 * 4, "codes");
    const got = burgessDecoder.apply(networks, "d", tf.tensor2d(codes, [2, 4]));
    expect(got.shape).toEqual([2, size, size, 2]);
    for (const row of [0, 1]) {
      const code = plain([4], codes.subarray(row * 4, (row + 1) * 4));
      const wanted = plainDecoder(toPlain(networks), "d", code, size).values;
      const image = tf.gather(got, row).dataSync();
      expect(maxDifference(image, wanted)).toBeLessThan(1e-5 * Math.max(...wanted.map(Math.abs)));
    }
  });
}

test("weights fill Kaiming's bounds and biases PyTorch's, the last transposed layer by its one output channel", () => {
  const shape = { size: 64, channels: 1, ...paper } as const;
  const networks = { ...burgessEncoder.init("e", shape, 10, 3), ...burgessDecoder.init("d", shape, 7, 3) };
  const largest = (name: string) => tf.max(tf.abs(networks[name]!)).arraySync() as number;
  const wanted = [
    ["e.conv_1.kernel", Math.sqrt(6 / 16)],
    ["e.conv_2.kernel", Math.sqrt(6 / 512)],
    ["e.dense_1.kernel", Math.sqrt(6 / 512)],
    ["e.dense_3.kernel", Math.sqrt(6 / 256)],
    ["d.deconv_1.kernel", Math.sqrt(6 / 512)],
    ["d.deconv_4.kernel", Math.sqrt(6 / 16)],
    ["e.dense_2.bias", 1 / 16],
  ] as const;
  for (const [name, bound] of wanted) {
    expect(largest(name)).toBeLessThanOrEqual(bound);
    expect(largest(name)).toBeGreaterThan(0.97 * bound);
  }
  expect(Math.abs(tf.mean(networks["e.dense_1.kernel"]!).arraySync() as number)).toBeLessThan(1e-3);
});

test("a seed fixes the weights, another seed or another prefix changes them", () => {
  const shape = { size: 32, channels: 1, filters: 2, hidden: 3 } as const;
  const draw = (prefix: string, seed: number) => {
    const networks = burgessEncoder.init(prefix, shape, 2, seed);
    const weights = [...networks[`${prefix}.conv_1.kernel`]!.dataSync()];
    tf.disposeVariables();
    return weights;
  };
  expect(draw("e", 1)).toEqual(draw("e", 1));
  expect(draw("e", 1)).not.toEqual(draw("e", 2));
  expect(draw("e", 1)).not.toEqual(draw("f", 1));
});

test("building a net leaves its variables alive and nothing else", () => {
  const before = tf.memory().numTensors;
  const networks = burgessEncoder.init("e", { size: 32, channels: 1, filters: 2, hidden: 3 }, 2, 1);
  expect(tf.memory().numTensors - before).toBe(Object.keys(networks).length);
});

function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}
