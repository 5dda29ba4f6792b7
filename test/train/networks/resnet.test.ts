import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { normMlp } from "../../../train/networks/norm-mlp.ts";
import { countParameters, type MutableNetworks } from "../../../train/networks/parameters.ts";
import { resnet } from "../../../train/networks/resnet.ts";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

/** Values that both sides of a comparison can write down: i counts in row-major order, kernels as [h, w, in, out]. */
const wave = (shape: readonly number[], k: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 0.5 * Math.sin(1.3 * i + k)),
    [...shape],
  );

test("the paper's ResNet-18 has 11,171,274 parameters, its canonical net 537 for two classes and 569 for four", () => {
  const shape = { channels: 3, stemStride: 1, filters: [64, 128, 256, 512], blocks: 2 };
  expect(countParameters(resnet.init("r", shape, 10, 0))).toBe(11_171_274);
  const hidden = [25, 15];
  expect(countParameters(normMlp.init("two", { inputs: 1, hidden, outputs: 2 }, 0))).toBe(537);
  expect(countParameters(normMlp.init("four", { inputs: 1, hidden, outputs: 4 }, 0))).toBe(569);
});

test("a small pre-activation ResNet agrees with PyTorch 1.13 in float64, in training and in inference", () => {
  const shape = { channels: 2, stemStride: 1, filters: [3, 4], blocks: 1 };
  const networks: MutableNetworks = resnet.init("r", shape, 3, 0);
  const order = ["stem", "block_1.conv_1", "block_1.conv_2", "block_2.conv_1", "block_2.conv_2", "block_2.shortcut"];
  for (const [i, name] of [...order, "dense"].entries()) {
    const kernel = networks[`r.${name}.kernel`]!;
    kernel.assign(wave(kernel.shape, i + 1));
  }
  networks["r.dense.bias"]!.assign(wave([3], 8));
  const x = wave([2, 8, 8, 2], 9) as tf.Tensor4D;

  const run = (mode: "training" | "inference") => [...resnet.apply(networks, "r", { ...shape, x }, mode).dataSync()];
  const close = (actual: readonly number[], expected: readonly number[]) => {
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
  };
  // torch.nn with these values: stem, two blocks, mean over the image, linear.
  close(run("training"), [0.6273003783, 0.0954555189, -0.5762318993, 0.503262913, -0.0811569564, -0.5466816945]);
  close([...networks["r.stem.norm.mean"]!.dataSync()], [8.13e-7, -5.261516e-5, -2.896199e-5]);
  close([...networks["r.stem.norm.variance"]!.dataSync()], [0.9046910708, 0.9043078117, 0.904249772]);
  close(run("inference"), [0.53125835, 0.0668743904, -0.4954807078, 0.4994957424, 0.0220597446, -0.4876938337]);
});
