import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import {
  between,
  checkGradients,
  checkKernels,
  floats,
  given,
  type Input,
  integers,
  type KernelCase,
} from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Unary = (x: tf.Tensor) => tf.Tensor;

const activations: Readonly<Record<string, Unary>> = {
  sigmoid: tf.sigmoid,
  logSigmoid: tf.logSigmoid,
  softplus: tf.softplus,
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 4)),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  elu: tf.elu,
  selu: tf.selu,
  prelu: (x) => tf.prelu(x, tf.scalar(0.25)),
  step: (x) => tf.step(x),
  "step with alpha": (x) => tf.step(x, 0.5),
  clipByValue: (x) => tf.clipByValue(x, -0.5, 1.25),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  softsign: (x) => tf.div(x, tf.add(1, tf.abs(x))),
};

function cases(shape: Input["shape"], resident: Unary = (x) => x): KernelCase[] {
  return Object.entries(activations).map(([name, fn]) => ({
    name: `${name} [${shape}]`,
    inputs: { x: floats(shape) },
    fn: ({ x }) => fn(resident(x!)),
  }));
}

test("activations at rank 0 to 4, and after a convolution", async () => {
  await checkKernels([[], [5], [3, 4], [2, 3, 4], [2, 3, 4, 5]].flatMap((shape) => cases(shape)));
  await checkKernels(cases([2, 3, 4, 5], throughConvolution));
});

test("gradients of activations, also after a convolution", async () => {
  await checkGradients(cases([4, 5]));
  // logSigmoid: tfjs's gradient reads its input after tfjs has disposed of it, unless the caller holds it.
  const ofIntermediates = cases([2, 2, 3, 2], throughConvolution).filter(({ name }) => !name.startsWith("logSigmoid"));
  await checkGradients(ofIntermediates);
});

test("activations keep tfjs's results at the ends: no overflow at +-100, NaN stays NaN", async () => {
  const x = given([0, -0, 1e-8, 15, -15, 88, 100, -100, 1e4, -1e4, Infinity, -Infinity, NaN], [13]);
  const names = ["softplus", "relu", "relu6", "leakyRelu", "elu", "selu", "prelu", "step", "step with alpha"];
  await checkKernels(
    [...names, "clipByValue"].flatMap((name) =>
      Array.from({ length: name.startsWith("step") ? 12 : 13 }, (_, i) => ({
        // step of NaN: see Step
        name: `${name} at place ${i}`, // one by one: the tolerance is relative to the largest value of an output
        inputs: { x },
        fn: ({ x }: Record<string, tf.Tensor>) => tf.slice(activations[name]!(x!), [i], [1]),
      })),
    ),
  );
  // ONNX Runtime's sigmoid is exact to 1e-7 of its range, not of every value.
  await checkKernels([{ name: "sigmoid", inputs: { x }, fn: ({ x }) => tf.sigmoid(x!) }]);
});

test("the gradient of softplus is finite at +-100", async () => {
  const gradient = tf.grad((x: tf.Tensor) => tf.softplus(x));
  const x = given([-100, -20, 0, 20, 100], [5]);
  await checkKernels([{ name: "softplus", inputs: { x }, fn: ({ x }) => gradient(x!) }]);
});

test("int32 tensors pass relu, relu6, step, clipByValue and leakyRelu as in tfjs", async () => {
  const n = integers(20, [3, 5]);
  const centred = (n: tf.Tensor): tf.Tensor => tf.sub(n, tf.scalar(10, "int32"));
  await checkKernels([
    { name: "relu", inputs: { n }, fn: ({ n }) => tf.relu(centred(n!)) },
    { name: "relu6", inputs: { n }, fn: ({ n }) => tf.relu6(centred(n!)) },
    { name: "step", inputs: { n }, fn: ({ n }) => tf.step(centred(n!)) },
    { name: "clipByValue", inputs: { n }, fn: ({ n }) => tf.clipByValue(centred(n!), -3, Infinity) },
    { name: "leakyRelu", inputs: { n }, fn: ({ n }) => tf.leakyRelu(centred(n!), 0.5) },
  ]);
});

test("prelu with a slope for each channel, as a tensor, with gradients", async () => {
  const kernels = (
    [
      [2, 3, 4, 5],
      [6, 5],
    ] as number[][]
  ).map((shape) => ({
    name: `prelu [${shape}]`,
    inputs: { x: floats(shape), alpha: between(0.1, 0.9, [5]) },
    fn: ({ x, alpha }: Record<string, tf.Tensor>) => tf.prelu(x!.rank === 4 ? throughConvolution(x!) : x!, alpha!),
  }));
  await checkKernels(kernels);
  await checkGradients(kernels);
});

test("softmax and logSoftmax at every rank and after a convolution, with gradients", async () => {
  const kernels = ([[5], [3, 4], [2, 3, 4], [2, 3, 4, 5]] as number[][]).flatMap((shape) => [
    {
      name: `softmax [${shape}]`,
      inputs: { x: floats(shape) },
      fn: ({ x }: Record<string, tf.Tensor>) => tf.softmax(x!),
    },
    {
      name: `logSoftmax [${shape}]`,
      inputs: { x: floats(shape) },
      fn: ({ x }: Record<string, tf.Tensor>) => tf.logSoftmax(x!),
    },
  ]);
  const resident = [
    {
      name: "softmax nchw",
      inputs: { x: floats([2, 3, 4, 5]) },
      fn: ({ x }: Record<string, tf.Tensor>) => tf.softmax(throughConvolution(x!)),
    },
    {
      name: "logSoftmax nchw",
      inputs: { x: floats([2, 3, 4, 5]) },
      fn: ({ x }: Record<string, tf.Tensor>) => tf.logSoftmax(throughConvolution(x!)),
    },
  ];
  await checkKernels([...kernels, ...resident]);
  await checkGradients([...kernels, ...resident]);
});

test("softmax does not overflow at logits of 1000", async () => {
  const x = given([1000, 999, -1000, 0], [2, 2]);
  await checkKernels([{ name: "softmax", inputs: { x }, fn: ({ x }) => tf.softmax(x!) }]);
});
