import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import { checkGradients, checkKernels, floats, gradientFaults, kernelFaults, type KernelCase } from "./parity.ts";

const { skipReason } = await useSwiftshader();

interface Grid {
  readonly image: readonly [height: number, width: number];
  readonly filter: readonly [height: number, width: number];
  readonly strides: number | [number, number];
  readonly pad: "same" | "valid" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: number | [number, number];
  readonly rounding?: "floor" | "round" | "ceil";
}

const explicit = (top: number, bottom: number, left: number, right: number): tf.backend_util.ExplicitPadding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

/** Sizes are all distinct: batch 2, 3 channels in, 5 out, images that are not square. */
const grid: Grid[] = [
  { image: [7, 6], filter: [1, 1], strides: 1, pad: "same" },
  { image: [7, 6], filter: [1, 1], strides: 2, pad: "same" }, // the stride skips whole rows
  { image: [8, 6], filter: [4, 4], strides: 2, pad: "same" },
  { image: [9, 7], filter: [3, 2], strides: 1, pad: "same" },
  { image: [9, 6], filter: [3, 3], strides: [2, 3], pad: "same" },
  { image: [7, 6], filter: [3, 2], strides: 1, pad: "valid" },
  { image: [10, 8], filter: [3, 3], strides: 2, pad: "valid" }, // one row and column left over
  { image: [11, 9], filter: [2, 4], strides: [4, 3], pad: "valid" }, // one row and two columns left over
  { image: [6, 8], filter: [6, 8], strides: 1, pad: "valid" },
  { image: [6, 8], filter: [4, 4], strides: 2, pad: 1 },
  { image: [6, 9], filter: [4, 4], strides: 2, pad: 1, rounding: "floor" }, // half of a window is left over
  { image: [6, 5], filter: [2, 2], strides: 1, pad: 2 }, // windows of padding alone
  { image: [7, 6], filter: [3, 3], strides: 2, pad: explicit(0, 2, 1, 0) },
  { image: [8, 6], filter: [3, 4], strides: [3, 2], pad: explicit(2, 1, 0, 3) },
];

const forwardOnly: Grid[] = [
  { image: [9, 8], filter: [3, 3], strides: 1, pad: "same", dilations: 2 },
  { image: [9, 8], filter: [3, 2], strides: 1, pad: "valid", dilations: [2, 3] },
  { image: [6, 9], filter: [4, 4], strides: 2, pad: 1, rounding: "ceil" },
  { image: [8, 9], filter: [3, 4], strides: 3, pad: 1, rounding: "round" },
];

const describe = ({ image, filter, ...rest }: Grid): string =>
  `${image.join("x")} by ${filter.join("x")} ${JSON.stringify(rest)}`;

const convolution = (
  g: Grid,
  { batch = 2 }: { batch?: number | "batch" } = {},
): KernelCase & { fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor } => ({
  name: `conv2d ${describe(g)}`,
  inputs: { x: floats([batch, ...g.image, 3]), filter: floats([...g.filter, 3, 5]) },
  fn: ({ x, filter }) =>
    tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, g.strides, g.pad, "NHWC", g.dilations, g.rounding),
});

/** The transposed convolution that maps the result of `convolution(g)` back to its image. */
function transposed(g: Grid, { batch = 2 }: { batch?: number | "batch" } = {}): KernelCase {
  const shape = tf.tidy(() =>
    tf.conv2d(
      tf.zeros([1, ...g.image, 1]) as tf.Tensor4D,
      tf.zeros([...g.filter, 1, 1]) as tf.Tensor4D,
      g.strides,
      g.pad,
    ),
  ).shape;
  return {
    name: `conv2dTranspose to ${describe(g)}`,
    inputs: { x: floats([batch, shape[1], shape[2], 5]), filter: floats([...g.filter, 3, 5]) },
    fn: ({ x, filter }) =>
      tf.conv2dTranspose(
        x as tf.Tensor4D,
        filter as tf.Tensor4D,
        [x!.shape[0]!, ...g.image, 3],
        g.strides,
        g.pad,
        g.rounding,
      ),
  };
}

test("tf.conv2d agrees with eager tfjs for all strides, pads, dilations and roundings", async () => {
  await checkKernels([...grid, ...forwardOnly].map((g) => convolution(g)));
});

test("the gradients of tf.conv2d agree with eager tfjs and finite differences", async () => {
  await checkGradients(grid.map((g) => convolution(g)));
});

test("tf.conv2dTranspose agrees with eager tfjs for all strides and pads", async () => {
  await checkKernels(grid.map((g) => transposed(g)));
});

test("the gradients of tf.conv2dTranspose agree with eager tfjs and finite differences", async () => {
  await checkGradients(grid.map((g) => transposed(g)));
});

test("convolutions and their gradients agree at any batch size", async () => {
  const cases = [grid[2]!, grid[6]!, grid[13]!].flatMap((g) => [
    convolution(g, { batch: "batch" }),
    transposed(g, { batch: "batch" }),
  ]);
  await checkKernels(cases);
  await checkGradients(cases);
});

test("a stack of convolutions, biases and activations agrees, forwards and backwards", async () => {
  const stack: KernelCase = {
    name: "stack",
    inputs: {
      x: floats(["batch", 8, 12, 3]),
      first: floats([4, 4, 3, 5]),
      bias: floats([5]),
      second: floats([3, 3, 5, 7]),
      third: floats([4, 4, 2, 7]),
    },
    fn: ({ x, first, bias, second, third }) => {
      const down = tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, first as tf.Tensor4D, 2, "same"), bias!));
      const middle = tf.sigmoid(tf.conv2d(down as tf.Tensor4D, second as tf.Tensor4D, 1, "same"));
      return tf.conv2dTranspose(middle as tf.Tensor4D, third as tf.Tensor4D, [x!.shape[0]!, 8, 12, 2], 2, "same");
    },
  };
  await checkKernels([stack]);
  await checkGradients([stack]);
});

/** The filter's gradient takes another way where channels are many. */
const wide = (channels: number, strides: number, filter: number): KernelCase => ({
  name: `${channels} channels strides ${strides} filter ${filter}`,
  inputs: { x: floats([4, 8, 6, channels]), filter: floats([filter, filter, channels, 5]) },
  fn: ({ x, filter }) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, "same"),
});

const real = [wide(17, 2, 4), wide(17, 2, 3), wide(65, 1, 2), wide(65, 1, 1), wide(3, 3, 2)];

test("sums as long as in a real layer agree within float32 rounding, forwards and backwards", async () => {
  const layer: KernelCase = {
    name: "layer",
    inputs: { x: floats([4, 16, 16, 3]), filter: floats([4, 4, 3, 16]) },
    fn: ({ x, filter }) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 2, "same"),
  };
  await checkKernels([layer, ...real]);
  await checkGradients([layer, ...real]);
});

test("tf.conv1d agrees with eager tfjs, forwards and backwards", async () => {
  const conv1d: KernelCase = {
    name: "conv1d",
    inputs: { x: floats(["batch", 9, 3]), filter: floats([4, 3, 5]) },
    fn: ({ x, filter }) => tf.conv1d(x as tf.Tensor3D, filter as tf.Tensor3D, 2, "same"),
  };
  await checkKernels([conv1d]);
  await checkGradients([conv1d]);
});

const mutations: Record<string, (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>> = {
  "height and width of the filter swapped": ({ x, filter }) => ({ x: x!, filter: tf.transpose(filter!, [1, 0, 2, 3]) }),
  "height and width of the image swapped": ({ x, filter }) => ({ x: tf.transpose(x!, [0, 2, 1, 3]), filter: filter! }),
  "input channels reversed": ({ x, filter }) => ({
    x: tf.gather(x!, tf.tensor1d([2, 1, 0], "int32"), 3),
    filter: filter!,
  }),
  "output channels reversed": ({ x, filter }) => ({
    x: x!,
    filter: tf.gather(filter!, tf.tensor1d([4, 3, 2, 1, 0], "int32"), 3),
  }),
  "filter turned by 180 degrees": ({ x, filter }) => ({ x: x!, filter: tf.reverse(filter!, [0, 1]) }),
};

test.each(Object.entries(mutations))("the check reports: %s", async (_name, mutate) => {
  // Square, so that no fault can be seen from shapes alone.
  const right = convolution({ image: [6, 6], filter: [3, 3], strides: 1, pad: "same" });
  const wrong = { ...right, fn: (inputs: Record<string, tf.Tensor>) => right.fn(mutate(inputs)), traced: right.fn };
  expect(await kernelFaults([wrong])).toHaveLength(1);
  expect((await gradientFaults([wrong])).length).toBeGreaterThan(0);
});

test("tracing refuses NCHW data and gradients whose last windows tfjs leaves out", async () => {
  const inputs = { x: floats([1, 6, 9, 3]), filter: floats([4, 4, 3, 5]) };
  const { fn } = convolution({ ...grid[0]!, strides: 2, pad: 1, rounding: "ceil" });
  const nchw: KernelCase["fn"] = ({ x, filter }) =>
    tf.conv2d(tf.transpose(x!, [0, 3, 1, 2]) as tf.Tensor4D, filter as tf.Tensor4D, 1, "valid", "NCHW");
  await expect(kernelFaults([{ name: "t", inputs, fn, traced: nchw }])).rejects.toThrow(/dataFormat must be NHWC/);
  await expect(gradientFaults([{ name: "t", inputs, fn }])).rejects.toThrow(/must be 3 x 4, got 3 x 5/);
});

test.skipIf(skipReason !== undefined)("convolutions and their gradients agree on WebGPU", async () => {
  // A choice, for SwiftShader compiles a shader for every shape: strides, rows left over, and all kinds of padding.
  const cases = [1, 2, 4, 7, 10, 11, 13].flatMap((i) => [convolution(grid[i]!), transposed(grid[i]!)]);
  await checkKernels(cases, { device: "webgpu" });
  await checkGradients([...cases, real[1]!, real[2]!], { device: "webgpu" });
});
