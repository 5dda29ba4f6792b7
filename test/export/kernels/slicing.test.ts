import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import { booleans, checkGradients, checkKernels, floats, integers, type KernelCase } from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Tensors = Record<string, tf.Tensor>;

function both(name: string, shape: readonly number[], fn: (x: tf.Tensor) => tf.Tensor): KernelCase[] {
  const plain = { name: `${name} of [${shape}]`, inputs: { x: floats(shape) }, fn: ({ x }: Tensors) => fn(x!) };
  if (shape.length !== 4) return [plain];
  return [plain, { ...plain, name: `${name} of [${shape}] nchw`, fn: ({ x }) => fn(throughConvolution(x!)) }];
}

test("slice with whole, partial, open and empty ranges, also after a convolution, with gradients", async () => {
  const kernels = [
    ...both("middle", [7], (x) => tf.slice(x, [2], [3])),
    ...both("to the end", [7], (x) => tf.slice(x, [2], [-1])),
    ...both("no size", [7], (x) => tf.slice(x, 3)),
    ...both("rows", [4, 5], (x) => tf.slice(x, [1, 0], [2, 5])),
    ...both("fewer numbers than axes", [4, 5, 3], (x) => tf.slice(x, 1, 2)),
    ...both("block", [2, 5, 6, 4], (x) => tf.slice(x, [0, 1, 2, 1], [2, 3, -1, 2])),
    ...both("channels", [2, 5, 6, 4], (x) => tf.slice(x, [0, 0, 0, 2], [-1, -1, -1, 2])),
    ...both("everything", [3, 4], (x) => tf.slice(x, [0, 0])),
  ];
  await checkKernels([...kernels, ...both("nothing", [3, 4], (x) => tf.slice(x, [1, 1], [2, 0]))]);
  await checkGradients(kernels);
});

test("stridedSlice with strides, backwards, masks and new axes", async () => {
  await checkKernels([
    ...both("every second", [7], (x) => tf.stridedSlice(x, [0], [7], [2])),
    ...both("backwards", [7], (x) => tf.stridedSlice(x, [6], [1], [-2])),
    ...both("backwards to the first", [7], (x) => tf.stridedSlice(x, [-1], [0], [-1], 1, 1)),
    ...both("negative begin", [7], (x) => tf.stridedSlice(x, [-4], [-1], [1])),
    ...both("block", [5, 6], (x) => tf.stridedSlice(x, [1, 0], [4, 6], [1, 3])),
    ...both("shrink", [5, 6], (x) => tf.stridedSlice(x, [2, 0], [3, 6], [1, 1], 0, 0, 0, 0, 1)),
    ...both("new axis", [5, 6], (x) => tf.stridedSlice(x, [0, 1, 0], [1, 4, 6], [1, 1, 2], 0, 0, 0, 1)),
    ...both("ellipsis", [2, 3, 4, 5], (x) => tf.stridedSlice(x, [0, 1], [0, 5], [1, 2], 0, 0, 1)),
    ...both("images", [2, 6, 8, 3], (x) => tf.stridedSlice(x, [0, 1, 0, 0], [2, 6, 8, 3], [1, 2, 3, 1])),
    ...both("identity", [3, 4], (x) => tf.stridedSlice(x, [0, 0], [3, 4], [1, 1])),
    ...both("nothing", [3, 4], (x) => tf.stridedSlice(x, [2, 0], [2, 4], [1, 1])),
  ]);
});

test("reverse along every set of axes, also after a convolution, with gradients", async () => {
  const kernels = [
    ...both("all", [5], (x) => tf.reverse(x)),
    ...both("rows", [3, 4], (x) => tf.reverse(x, 0)),
    ...both("backwards axis", [3, 4], (x) => tf.reverse(x, -1)),
    ...both("two", [2, 3, 4, 5], (x) => tf.reverse(x, [1, 3])),
    ...both("channels", [2, 3, 4, 5], (x) => tf.reverse(x, 3)),
  ];
  await checkKernels(kernels);
  await checkGradients(kernels);
});

test("pad with zeros and other numbers, also after a convolution, with gradients", async () => {
  const kernels = [
    ...both("vector", [4], (x) => tf.pad(x, [[2, 1]], 3)),
    ...both("matrix", [3, 4], (x) =>
      tf.pad(
        x,
        [
          [0, 1],
          [2, 0],
        ],
        -1,
      ),
    ),
    ...both("images", [2, 3, 4, 5], (x) =>
      tf.pad(x, [
        [0, 0],
        [1, 2],
        [3, 0],
        [0, 1],
      ]),
    ),
    ...both("not at all", [3, 4], (x) =>
      tf.pad(x, [
        [0, 0],
        [0, 0],
      ]),
    ),
  ];
  await checkKernels([
    ...kernels,
    { name: "int32", inputs: { n: integers(9, [3]) }, fn: ({ n }) => tf.pad(n!, [[1, 1]], 7) },
    { name: "bool", inputs: { c: booleans([3]) }, fn: ({ c }) => tf.pad(c!, [[1, 1]]) },
  ]);
  await checkGradients(kernels);
});
