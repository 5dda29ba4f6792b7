import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trace } from "../../../export/trace.ts";
import { checkGradients, checkKernels, floats, type Input, type KernelCase, kernelFaults } from "./parity.ts";

type Activation = "linear" | "relu" | "relu6" | "elu" | "sigmoid" | "leakyrelu" | "prelu";
const activations: Activation[] = ["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"];

/** Wide enough to pass 6, the bound of relu6. */
const wide = (shape: Input["shape"]): Input => floats(shape, (random) => 3 * random.normal());

const options = (activation: Activation, { bias, slopes }: Record<string, tf.Tensor>) => ({
  bias: bias!,
  activation,
  ...(activation === "prelu" ? { preluActivationWeights: slopes! } : {}),
  ...(activation === "leakyrelu" ? { leakyreluAlpha: 0.3 } : {}),
});

const convolution = (activation: Activation): KernelCase => ({
  name: `conv2d ${activation}`,
  inputs: { x: wide(["batch", 6, 5, 3]), filter: floats([3, 2, 3, 4]), bias: floats([4]), slopes: floats([4]) },
  fn: ({ x, filter, ...rest }) =>
    tf.fused.conv2d({
      x: x as tf.Tensor4D,
      filter: filter as tf.Tensor4D,
      strides: [2, 1],
      pad: "same",
      ...options(activation, rest),
    }),
});

const depthwise = (activation: Activation): KernelCase => ({
  name: `depthwise ${activation}`,
  inputs: { x: wide(["batch", 6, 5, 3]), filter: floats([3, 2, 3, 2]), bias: floats([6]), slopes: floats([6]) },
  fn: ({ x, filter, ...rest }) =>
    tf.fused.depthwiseConv2d({
      x: x as tf.Tensor4D,
      filter: filter as tf.Tensor4D,
      strides: 1,
      pad: "valid",
      ...options(activation, rest),
    }),
});

const dense = (activation: Activation, transposeA: boolean, transposeB: boolean): KernelCase => ({
  name: `matMul ${activation} ${transposeA} ${transposeB}`,
  inputs: {
    a: wide(transposeA ? [3, "batch"] : ["batch", 3]),
    b: floats(transposeB ? [5, 3] : [3, 5]),
    bias: floats([5]),
    slopes: floats([5]),
  },
  fn: ({ a, b, ...rest }) => tf.fused.matMul({ a: a!, b: b!, transposeA, transposeB, ...options(activation, rest) }),
});

const all: KernelCase[] = activations.flatMap((activation) => [
  convolution(activation),
  depthwise(activation),
  dense(activation, false, false),
]);

test("fused layers agree with eager tfjs for every activation", async () => {
  await checkKernels([...all, dense("relu", true, false), dense("elu", false, true), dense("linear", true, true)]);
});

test("fused layers without bias, on single images and on batches of matrices agree with eager tfjs", async () => {
  await checkKernels([
    {
      name: "no bias",
      inputs: { x: floats([6, 5, 3]), filter: floats([3, 2, 3, 4]) },
      fn: ({ x, filter }) =>
        tf.fused.conv2d({ x: x as tf.Tensor3D, filter: filter as tf.Tensor4D, strides: 1, pad: 1, activation: "relu" }),
    },
    {
      name: "bias of every element",
      inputs: { a: floats([4, 2, 3]), b: floats([4, 3, 5]), bias: floats([4, 2, 5]) },
      fn: ({ a, b, bias }) => tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation: "sigmoid" }),
    },
  ]);
});

test("the gradients of fused layers agree with eager tfjs and finite differences", async () => {
  const used = all.map((kernel) => ({
    ...kernel,
    by: Object.keys(kernel.inputs).filter((input) => input !== "slopes" || kernel.name.includes("prelu")),
  }));
  await checkGradients(used, { batches: [2, 3] });
});

test("a fused layer becomes a product, a bias and an activation", () => {
  const { inputs, fn } = convolution("relu");
  const spec = Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]));
  const graph = trace((tensors) => ({ y: fn(tensors) as tf.Tensor }), {
    name: "layer",
    inputs: spec,
    variables: "frozen",
  });
  const ops = graph.nodes.map(({ op }) => op).filter((op) => !["Transpose", "Reshape"].includes(op));
  expect(ops).toEqual(["Conv", "Add", "Relu"]);
});

test("the check reports a bias that is added after the activation, and one in another order", async () => {
  const right = convolution("relu");
  const late: KernelCase["fn"] = ({ bias, ...rest }) =>
    tf.add(right.fn({ ...rest, bias: tf.zerosLike(bias!) }) as tf.Tensor, bias!);
  const reversed: KernelCase["fn"] = ({ bias, ...rest }) => right.fn({ ...rest, bias: tf.reverse(bias!) });
  for (const fn of [late, reversed]) {
    expect(await kernelFaults([{ ...right, fn, traced: right.fn }], { batches: [2] })).toHaveLength(1);
  }
});
