import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import { between, booleans, checkGradients, checkKernels, floats, given, integers, type KernelCase } from "./parity.ts";
import { throughConvolution } from "./residents.ts";

/** A sample of the kernels, traced on ONNX Runtime's WebGPU provider against eager tfjs on the CPU. */

const { skipReason } = await useSwiftshader();

const matrix = (name: string, fn: (x: tf.Tensor) => tf.Tensor | Record<string, tf.Tensor>): KernelCase => ({
  name,
  inputs: { x: between(0.2, 2, [6, 8]) },
  fn: ({ x }) => fn(x!),
});

const smooth: KernelCase[] = [
  matrix("chain", (x) => tf.mul(tf.exp(tf.neg(tf.square(x))), tf.sigmoid(tf.add(tf.mul(x, 2), 1)))),
  matrix("activations", (x) => tf.add(tf.softplus(x), tf.mul(tf.elu(tf.sub(x, 1)), tf.tanh(x)))),
  matrix("relu", (x) => tf.relu(tf.sub(x, 1))),
  matrix("powers", (x) => tf.add(tf.pow(x, 3), tf.div(tf.sqrt(x), tf.log1p(x)))),
  matrix("softmax", (x) => tf.softmax(x)),
  matrix("logSoftmax", (x) => tf.logSoftmax(x)),
  matrix("reductions", (x) => tf.add(tf.sum(x, 0), tf.mul(tf.mean(x), tf.max(x, 0)))),
  matrix("extremes", (x) => tf.add(tf.maximum(x, tf.reverse(x, 1)), tf.mul(tf.min(x, 1, true), tf.minimum(x, 1)))),
  matrix("logSumExp", (x) => tf.logSumExp(x, 1)),
  matrix("shapes", (x) =>
    tf.concat([tf.transpose(tf.slice(x, [1, 2], [4, 3])), tf.reshape(tf.slice(x, 0, 1), [2, 4])], 0),
  ),
  matrix("pad", (x) =>
    tf.pad(tf.reverse(x, 1), [
      [1, 0],
      [0, 2],
    ]),
  ),
  {
    name: "matMul",
    inputs: { a: floats([5, 7]), b: floats([3, 7]) },
    fn: ({ a, b }) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true),
  },
  {
    name: "batched matMul",
    inputs: { a: floats([2, 3, 4]), b: floats([2, 4, 5]) },
    fn: ({ a, b }) => tf.matMul(a!, b!),
  },
  {
    name: "nchw",
    inputs: { x: floats([2, 4, 5, 3]), bias: floats([3]) },
    fn: ({ x, bias }) => tf.mean(tf.relu(tf.add(throughConvolution(x!), bias!)), [1, 2]),
  },
  {
    name: "embedding",
    inputs: { table: floats([6, 4]), i: given([0, 5, 5, 2], [4], "int32") },
    fn: ({ table, i }) => tf.gather(table!, i as tf.Tensor1D),
  },
];

const discrete: KernelCase[] = [
  matrix("comparison", (x) => tf.where(tf.logicalAnd(tf.greater(x, 0.5), tf.lessEqual(x, 1.5)), x, tf.neg(x))),
  matrix("argMax", (x) => tf.argMax(x, 1)),
  matrix("sign", (x) => tf.sign(tf.sub(x, 1))),
  matrix("localResponseNormalization", (x) =>
    tf.localResponseNormalization(tf.reshape(x, [1, 2, 3, 8]) as tf.Tensor4D, 2),
  ),
  matrix("step", (x) => tf.step(tf.sub(x, 1))),
  matrix("cumsum", (x) => tf.cumsum(x, 1)),
  matrix("constants", (x) => tf.concat([x, tf.fill([6, 700], 0.5)], 1)),
  { name: "oneHot", inputs: { n: integers(5, [6]) }, fn: ({ n }) => tf.oneHot(n!, 4) },
  { name: "count", inputs: { c: booleans([6, 8]) }, fn: ({ c }) => tf.sum(c!, 1) },
];

/** ArgMax, LRN, and the scatter of an embedding's gradient: ONNX Runtime 1.30 leaves them to the CPU. */
const isPartly = ({ name }: KernelCase): boolean =>
  ["argMax", "embedding", "localResponseNormalization"].includes(name);

test.skipIf(skipReason !== undefined)(
  "a sample of the kernels on WebGPU, without the CPU where the provider has the operator",
  async () => {
    const cases = [...smooth, ...discrete];
    const partly = discrete.filter(isPartly);
    await checkKernels(
      cases.filter((kernel) => !partly.includes(kernel)),
      { device: "webgpu" },
    );
    await checkKernels(partly, { device: "webgpu", mayUseCpu: true });
  },
);

test.skipIf(skipReason !== undefined)(
  "a sample of the gradients on WebGPU, without the CPU where the provider has the operator",
  async () => {
    await checkGradients(
      smooth.filter((kernel) => !isPartly(kernel)),
      { device: "webgpu" },
    );
    await checkGradients(smooth.filter(isPartly), { device: "webgpu", mayUseCpu: true });
  },
);
