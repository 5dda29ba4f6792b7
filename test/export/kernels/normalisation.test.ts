import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import {
  between,
  checkGradients,
  checkKernels,
  floats,
  gradientFaults,
  type Input,
  type KernelCase,
  kernelFaults,
} from "./parity.ts";
import { throughConvolution } from "./residents.ts";

const { skipReason } = await useSwiftshader();

const channels = 3;

const statistics = (shape: Input["shape"] = [channels]): Record<string, Input> => ({
  mean: floats(shape),
  variance: between(0.5, 2, shape),
  offset: floats(shape),
  scale: floats(shape),
});

type Fn = (inputs: Record<string, tf.Tensor>) => tf.Tensor;

const normalise: Fn = ({ x, mean, variance, offset, scale }) =>
  tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3);

/** Inference: fixed statistics, on images in both layouts and on tensors of other ranks. */
const inference: KernelCase[] = [
  { name: "image", inputs: { x: floats(["batch", 4, 5, channels]), ...statistics() }, fn: normalise },
  {
    name: "image after a convolution",
    inputs: { x: floats(["batch", 4, 5, channels]), ...statistics() },
    fn: ({ x, ...rest }) => normalise({ x: throughConvolution(x!), ...rest }),
  },
  { name: "vectors", inputs: { x: floats(["batch", channels]), ...statistics() }, fn: normalise },
  { name: "sequences", inputs: { x: floats([2, 7, channels]), ...statistics() }, fn: normalise },
  {
    name: "statistics of each pixel",
    inputs: { x: floats([2, 4, 5, channels]), ...statistics([2, 4, 5, channels]) },
    fn: normalise,
  },
  {
    name: "no scale",
    inputs: { x: floats(["batch", 4, 5, channels]), ...statistics() },
    fn: ({ x, mean, variance, offset }) =>
      tf.batchNorm4d(
        throughConvolution(x!) as tf.Tensor4D,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
      ),
  },
  {
    name: "no scale and no offset",
    inputs: { x: floats(["batch", 4, 5, channels]), ...statistics() },
    fn: ({ x, mean, variance }) => tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D),
  },
];

/** tfjs cannot differentiate without a scale: it saves the missing tensor for the gradient, and fails. */
const differentiable = inference.filter(({ name }) => !name.startsWith("no"));

/** Training: the statistics are those of the batch, and the gradient flows through them. */
const training: KernelCase[] = [
  {
    name: "moments of images",
    inputs: { x: floats(["batch", 4, 6, channels]), offset: floats([channels]), scale: floats([channels]) },
    fn: ({ x, offset, scale }) => {
      const { mean, variance } = tf.moments(x!, [0, 1, 2]);
      return { y: normalise({ x: x!, mean, variance, offset: offset!, scale: scale! }), mean, variance };
    },
  },
  {
    name: "moments after a convolution",
    inputs: {
      x: floats(["batch", 5, 6, 2]),
      filter: floats([3, 3, 2, channels]),
      offset: floats([channels]),
      scale: floats([channels]),
    },
    fn: ({ x, filter, offset, scale }) => {
      const features = tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same");
      const { mean, variance } = tf.moments(features, [0, 1, 2]);
      return tf.relu(normalise({ x: features, mean, variance, offset: offset!, scale: scale! }));
    },
  },
  {
    name: "moments of each image",
    inputs: { x: floats(["batch", 4, 6, channels]) },
    fn: ({ x }) => {
      const { mean, variance } = tf.moments(x!, [1, 2, 3], true);
      return tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, 1e-3)));
    },
  },
];

test("tf.batchNorm with fixed statistics agrees with eager tfjs", async () => {
  await checkKernels(inference);
});

test("the gradients of tf.batchNorm agree with eager tfjs and finite differences", async () => {
  await checkGradients(differentiable);
});

test("normalisation by the batch's own moments agrees, forwards and backwards", async () => {
  await checkKernels(training);
  await checkGradients(training, { batches: [2, 7] }); // of a single pixel's channels nothing would be left to see
});

test("the check reports scale and offset, and mean and variance, in each other's place", async () => {
  for (const [a, b] of [
    ["scale", "offset"],
    ["mean", "variance"],
  ] as const) {
    const positive = Object.fromEntries(Object.keys(statistics()).map((name) => [name, between(0.5, 2, [channels])]));
    for (const image of [(x: tf.Tensor) => x, throughConvolution]) {
      const fn: Fn = ({ x, ...rest }) => normalise({ x: image(x!), ...rest });
      const traced: Fn = (inputs) => fn({ ...inputs, [a]: inputs[b]!, [b]: inputs[a]! });
      const wrong = { name: "swapped", inputs: { x: floats([2, 3, 3, channels]), ...positive }, fn, traced };
      expect(await kernelFaults([wrong])).toHaveLength(1);
      expect((await gradientFaults([wrong])).length).toBeGreaterThan(0);
    }
  }
});

test("localResponseNormalization agrees, with windows narrower and wider than the channels", async () => {
  type Attributes = [depthRadius?: number, bias?: number, alpha?: number, beta?: number];
  const cases: Readonly<Record<string, Attributes>> = {
    defaults: [],
    narrow: [1, 2, 0.5, 0.75],
    "one channel": [0, 1, 0.3, 1],
    wide: [9, 0.5, 1, 0.25],
  };
  await checkKernels(
    Object.entries(cases).flatMap(([name, attributes]) => [
      {
        name,
        inputs: { x: floats(["batch", 3, 2, 7]) },
        fn: ({ x }: Record<string, tf.Tensor>) => tf.localResponseNormalization(x as tf.Tensor4D, ...attributes),
      },
      {
        name: `${name} after a convolution`,
        inputs: { x: floats([2, 3, 4, 5]) },
        fn: ({ x }: Record<string, tf.Tensor>) =>
          tf.localResponseNormalization(throughConvolution(x!) as tf.Tensor4D, ...attributes),
      },
    ]),
  );
});

test.skipIf(skipReason !== undefined)("normalisation and its gradients agree on WebGPU", async () => {
  // At a fixed batch size, where every node must run on the device.
  const fixed = (kernel: KernelCase): KernelCase => ({
    ...kernel,
    inputs: Object.fromEntries(
      Object.entries(kernel.inputs).map(([name, { shape, ...rest }]) => [
        name,
        { ...rest, shape: shape.map((size) => (size === "batch" ? 2 : size)) },
      ]),
    ),
  });
  const cases = [inference[1]!, inference[2]!, training[1]!].map(fixed);
  await checkKernels(cases, { device: "webgpu" });
  await checkGradients([cases[0]!, cases[2]!], { device: "webgpu" });
});
