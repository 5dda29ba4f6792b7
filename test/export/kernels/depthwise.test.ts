import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import { checkGradients, checkKernels, floats, gradientFaults, kernelFaults, type KernelCase } from "./parity.ts";

const { skipReason } = await useSwiftshader();

type Pad = "same" | "valid" | number;

/** Three channels, each with two filters. */
function depthwise(
  [height, width]: readonly [number, number],
  filter: readonly [number, number],
  { strides = 1, pad = "same", dilations = 1, batch = 2, multiplier = 2 } = {} as {
    strides?: number | [number, number];
    pad?: Pad;
    dilations?: number | [number, number];
    batch?: number | "batch";
    multiplier?: number;
  },
): KernelCase & { fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor } {
  return {
    name: `${[height, width]} by ${filter} strides ${strides} pad ${pad} dilations ${dilations} times ${multiplier}`,
    inputs: { x: floats([batch, height, width, 3]), filter: floats([...filter, 3, multiplier]) },
    fn: ({ x, filter }) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad, "NHWC", dilations),
  };
}

/** tfjs demands equal strides along height and width here. */
const cases = [
  depthwise([7, 6], [3, 2]),
  depthwise([7, 6], [3, 2], { multiplier: 1 }),
  depthwise([7, 6], [1, 1], { strides: 2 }),
  depthwise([8, 6], [4, 4], { strides: 2 }),
  depthwise([7, 6], [3, 2], { pad: "valid" }),
  depthwise([10, 8], [3, 3], { strides: 2, pad: "valid" }),
  depthwise([11, 9], [2, 4], { strides: 3, pad: "valid" }),
  depthwise([6, 8], [4, 4], { strides: 2, pad: 1 }),
  depthwise([6, 5], [2, 2], { pad: 2 }),
];

const dilated = [
  depthwise([9, 8], [3, 3], { dilations: 2 }),
  depthwise([9, 8], [3, 2], { dilations: [2, 3], pad: "valid" }),
];

test("tf.depthwiseConv2d agrees with eager tfjs for all strides, pads, dilations and multipliers", async () => {
  await checkKernels([...cases, ...dilated]);
});

test("the gradients of tf.depthwiseConv2d agree with eager tfjs and finite differences", async () => {
  await checkGradients(cases);
});

test("depthwise convolutions and their gradients agree at any batch size", async () => {
  const symbolic = [
    depthwise([7, 6], [3, 2], { batch: "batch" }),
    depthwise([10, 8], [3, 3], { strides: 2, pad: "valid", batch: "batch" }),
  ];
  await checkKernels(symbolic);
  await checkGradients(symbolic);
});

test("tf.separableConv2d agrees with eager tfjs, forwards and backwards", async () => {
  const separable: KernelCase = {
    name: "separable",
    inputs: { x: floats([2, 7, 6, 3]), depth: floats([3, 3, 3, 2]), point: floats([1, 1, 6, 5]) },
    fn: ({ x, depth, point }) =>
      tf.separableConv2d(x as tf.Tensor4D, depth as tf.Tensor4D, point as tf.Tensor4D, 2, "same"),
  };
  await checkKernels([separable]);
  await checkGradients([separable]);
});

const mutations: Record<string, (filter: tf.Tensor) => tf.Tensor> = {
  "channels reversed": (filter) => tf.reverse(filter, [2]),
  "multipliers reversed": (filter) => tf.reverse(filter, [3]),
  "channels and multipliers in the other order": (filter) =>
    tf.reshape(tf.transpose(filter, [0, 1, 3, 2]), filter.shape),
  "height and width swapped": (filter) => tf.transpose(filter, [1, 0, 2, 3]),
};

test.each(Object.entries(mutations))("the check reports: %s", async (_name, mutate) => {
  const right = depthwise([6, 6], [3, 3]);
  const fn: KernelCase["fn"] = ({ x, filter }) => right.fn({ x: x!, filter: mutate(filter!) });
  expect(await kernelFaults([{ ...right, fn, traced: right.fn }])).toHaveLength(1);
  expect((await gradientFaults([{ ...right, fn, traced: right.fn }])).length).toBeGreaterThan(0);
});

test.skipIf(skipReason !== undefined)("depthwise convolutions and their gradients agree on WebGPU", async () => {
  await checkKernels([...cases, ...dilated], { device: "webgpu" });
  await checkGradients(cases, { device: "webgpu" });
});
