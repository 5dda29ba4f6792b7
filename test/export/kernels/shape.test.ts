import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trace } from "../../../export/trace.ts";
import { booleans, checkGradients, checkKernels, floats, integers, type KernelCase } from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Tensors = Record<string, tf.Tensor>;

const shapes = [[5], [3, 4], [2, 3, 4], [2, 3, 4, 5]];

/** The same function on a plain tensor and, at rank 4, on one that lives in NCHW. */
function both(name: string, shape: readonly number[], fn: (x: tf.Tensor) => tf.Tensor | Tensors): KernelCase[] {
  const plain = { name: `${name} of [${shape}]`, inputs: { x: floats(shape) }, fn: ({ x }: Tensors) => fn(x!) };
  if (shape.length !== 4) return [plain];
  return [plain, { ...plain, name: `${name} of [${shape}] nchw`, fn: ({ x }) => fn(throughConvolution(x!)) }];
}

const permutations = (axes: readonly number[]): number[][] =>
  axes.length <= 1
    ? [[...axes]]
    : axes.flatMap((axis) => permutations(axes.filter((other) => other !== axis)).map((rest) => [axis, ...rest]));

const transposes = shapes.flatMap((shape) =>
  permutations(shape.map((_, axis) => axis)).flatMap((perm) =>
    both(`transpose ${perm}`, shape, (x) => tf.transpose(x, perm)),
  ),
);

test("transpose by every permutation, also after a convolution, with gradients", async () => {
  await checkKernels(transposes);
  await checkGradients(transposes.filter((_, i) => i % 4 === 0));
});

test("a tensor transposed to NCHW and back costs nothing", () => {
  const graph = trace(
    ({ x }) => {
      const image = tf.transpose(x!, [0, 2, 3, 1]); // the caller's NCHW, as tfjs wants it
      return { y: tf.transpose(tf.relu(throughConvolution(image)), [0, 3, 1, 2]) };
    },
    { name: "layout", inputs: { x: { shape: [2, 3, 4, 5], dtype: "float32" } }, variables: "frozen" },
  );
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Conv", "Relu"]);
});

test("reshape, expandDims, squeeze and flatten, also after a convolution, with gradients", async () => {
  const kernels = [
    ...both("reshape", [2, 3, 4], (x) => tf.reshape(x, [4, 6])),
    ...both("inferred", [2, 3, 4, 5], (x) => tf.reshape(x, [-1, 10])),
    ...both("flatten", [2, 3, 4, 5], (x) => tf.reshape(x, [2, -1])),
    ...both("expand", [2, 3, 4, 5], (x) => tf.expandDims(x, 2)),
    ...[0, 1, 2, -1].flatMap((axis) => both(`expand ${axis}`, [3, 4], (x) => tf.expandDims(x, axis))),
    ...both("squeeze", [2, 1, 4, 1], (x) => tf.squeeze(x)),
    ...both("to scalar", [1, 1], (x) => tf.reshape(x, [])),
  ];
  await checkKernels(kernels);
  await checkGradients(kernels);
});

test("concat along every axis, of plain and NCHW parts in any mixture, with gradients", async () => {
  const shape = [2, 3, 4, 5];
  const keep = (x: tf.Tensor): tf.Tensor => x;
  const kernels = [0, 1, 2, 3].flatMap((axis) =>
    [
      [keep, keep],
      [keep, throughConvolution],
      [throughConvolution, keep],
      [throughConvolution, throughConvolution],
    ].map(([first, second], i) => ({
      name: `axis ${axis} mixture ${i}`,
      inputs: { a: floats(shape), b: floats(shape.map((size, j) => (j === axis ? 2 : size))) },
      fn: ({ a, b }: Tensors) => tf.concat([first!(a!), second!(b!), tf.zerosLike(a!)], axis),
    })),
  );
  await checkKernels(kernels);
  await checkGradients(kernels.filter((_, i) => i % 3 === 0));
});

test("concat skips empty parts, and joins integers and bools", async () => {
  await checkKernels([
    {
      name: "empty",
      inputs: { x: floats([2, 3]) },
      fn: ({ x }) => tf.concat([tf.zeros([2, 0]), x!, tf.zeros([2, 0])], 1),
    },
    { name: "int32", inputs: { n: integers(9, [2, 3]) }, fn: ({ n }) => tf.concat([n!, tf.onesLike(n!)], 0) },
    { name: "bool", inputs: { c: booleans([2, 3]) }, fn: ({ c }) => tf.concat([c!, tf.logicalNot(c!)], 1) },
  ]);
});

test("stack, unstack and split along every axis, with gradients", async () => {
  const parts = (tensors: tf.Tensor[]): Tensors =>
    Object.fromEntries(tensors.map((tensor, i) => [`part ${i}`, tensor]));
  const kernels = [
    ...[0, 1, 2].map((axis) => ({
      name: `stack ${axis}`,
      inputs: { a: floats([3, 4]), b: floats([3, 4]) },
      fn: ({ a, b }: Tensors) => tf.stack([a!, b!, tf.add(a!, b!)], axis),
    })),
    ...[0, 1, 2].flatMap((axis) => both(`unstack ${axis}`, [2, 3, 4], (x) => parts(tf.unstack(x, axis)))),
    ...[0, 1, 2, 3].flatMap((axis) => both(`split ${axis}`, [2, 6, 4, 8], (x) => parts(tf.split(x, 2, axis)))),
    ...both("split in sizes", [2, 6, 4, 5], (x) => parts(tf.split(x, [2, 1, 2], 3))),
    ...both("split with the rest", [7, 2], (x) => parts(tf.split(x, [3, -1], 0))),
  ];
  await checkKernels([...kernels, { name: "one", inputs: { a: floats([3]) }, fn: ({ a }) => tf.stack([a!]) }]);
  await checkGradients(kernels);
});

test("tile and broadcastTo, also after a convolution, with gradients", async () => {
  const kernels = [
    ...both("tile", [3], (x) => tf.tile(x, [2])),
    ...both("tile", [3, 4], (x) => tf.tile(x, [2, 3])),
    ...both("tile", [2, 1, 4, 3], (x) => tf.tile(x, [1, 3, 1, 2])),
    ...both("broadcast", [4], (x) => tf.broadcastTo(x, [3, 4])),
    ...both("broadcast", [3, 1], (x) => tf.broadcastTo(x, [2, 3, 4])),
    ...both("broadcast", [], (x) => tf.broadcastTo(x, [2, 3])),
    ...both("not at all", [2, 3], (x) => tf.tile(x, [1, 1])),
  ];
  await checkKernels(kernels);
  await checkGradients(kernels);
});

test("the gradient of a broadcast is one sum, not one addition for every copy", () => {
  const graph = trace(
    ({ x, dy }) => ({ y: tf.grad((x: tf.Tensor) => tf.mul(tf.broadcastTo(x, [1000, 4]), dy!))(x!) }),
    {
      name: "broadcast",
      inputs: { x: { shape: [4], dtype: "float32" }, dy: { shape: [1000, 4], dtype: "float32" } },
      variables: "frozen",
    },
  );
  expect(graph.nodes.length).toBeLessThan(5);
});

test("makers of constants give tfjs's values and dtypes, small and large", async () => {
  const x = floats([3]);
  const makers: Record<string, () => tf.Tensor> = {
    fill: () => tf.fill([2, 3], 0.5),
    "fill int32": () => tf.fill([2, 3], 7, "int32"),
    "fill bool": () => tf.fill([2, 3], 1 as number, "bool" as "int32"),
    "fill large": () => tf.fill([90, 90], -2.5),
    "fill large int32": () => tf.fill([90, 90], 3, "int32"),
    "fill large bool": () => tf.cast(tf.fill([90, 90], 1), "bool"),
    zeros: () => tf.zeros([2, 3], "int32"),
    ones: () => tf.ones([90, 90]),
    range: () => tf.range(2, 11, 3),
    "range int32": () => tf.range(5, 0, -2, "int32"),
    linspace: () => tf.linspace(0, 1, 5),
    eye: () => tf.eye(3, 4),
    "no elements": () => tf.zeros([0, 3]),
    "one element": () => tf.onesLike(tf.zeros([1, 1])),
  };
  await checkKernels(Object.entries(makers).map(([name, make]) => ({ name, inputs: { x }, fn: () => make() })));
});

test("tensors without elements pass through every kind of kernel", async () => {
  const kernels: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    relu: (x) => tf.relu(x),
    add: (x) => tf.add(x, tf.ones([3])),
    sum: (x) => tf.sum(x, 0),
    "sum of nothing kept": (x) => tf.sum(x, 0, true),
    matMul: (x) => tf.matMul(x as tf.Tensor2D, tf.ones([3, 2])),
    reshape: (x) => tf.reshape(x, [3, 0]),
    concat: (x) => tf.concat([x, tf.ones([2, 3])], 0),
    pad: (x) =>
      tf.pad(
        x,
        [
          [1, 1],
          [0, 0],
        ],
        5,
      ),
  };
  await checkKernels(
    Object.entries(kernels).map(([name, fn]) => ({
      name,
      inputs: { x: floats([4, 3]) },
      fn: ({ x }) => fn(tf.slice(x!, [2, 0], [0, 3])),
    })),
  );
});
