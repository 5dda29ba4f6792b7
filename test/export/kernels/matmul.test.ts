import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { checkGradients, checkKernels, floats, integers, kernelFaults, type KernelCase } from "./parity.ts";

type Tensors = Record<string, tf.Tensor>;

const outers: readonly (readonly [a: number[], b: number[]])[] = [
  [[], []],
  [[1], []],
  [[2], [2]],
  [[2], [1]],
  [[1], [2]],
  [[2], []],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 3],
    [1, 3],
  ],
  [[2, 3], [3]],
];

const products: KernelCase[] = outers.flatMap(([a, b]) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      name: `[${a}] by [${b}]${transposeA ? " a transposed" : ""}${transposeB ? " b transposed" : ""}`,
      inputs: {
        a: floats([...a, ...(transposeA ? [4, 3] : [3, 4])]),
        b: floats([...b, ...(transposeB ? [5, 4] : [4, 5])]),
      },
      fn: ({ a, b }: Tensors) => tf.matMul(a!, b!, transposeA, transposeB),
    })),
  ),
);

test("matMul with every transpose and with outer dimensions that broadcast", async () => {
  await checkKernels(products);
});

test("matMul broadcasts outer dimensions on both sides, where tfjs's cpu backend mixes them up", async () => {
  await checkKernels([
    {
      name: "[2,1] by [1,3]",
      inputs: { a: floats([2, 1, 3, 4]), b: floats([1, 3, 4, 5]) },
      fn: ({ a, b }) => tf.matMul(tf.tile(a!, [1, 3, 1, 1]), tf.tile(b!, [2, 1, 1, 1])),
      traced: ({ a, b }) => tf.matMul(a!, b!),
    },
  ]);
});

test("gradients of matMul, summed over outer dimensions that broadcast", async () => {
  await checkGradients(products);
});

test("products of vectors, of integers, and outer products", async () => {
  await checkKernels([
    { name: "dot", inputs: { a: floats([4]), b: floats([4]) }, fn: ({ a, b }) => tf.dot(a!, b!) },
    { name: "matrix by vector", inputs: { a: floats([3, 4]), b: floats([4]) }, fn: ({ a, b }) => tf.dot(a!, b!) },
    {
      name: "outer",
      inputs: { a: floats([3]), b: floats([5]) },
      fn: ({ a, b }) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D),
    },
    {
      name: "int32",
      inputs: { a: integers(9, [3, 4]), b: integers(9, [4, 2]) },
      fn: ({ a, b }) => tf.matMul(a!, b!),
    },
  ]);
});

test("einsum", async () => {
  const of = (equation: string, ...shapes: number[][]): KernelCase => ({
    name: equation,
    inputs: Object.fromEntries(shapes.map((shape, i) => [`t${i}`, floats(shape)])),
    fn: (inputs) => tf.einsum(equation, ...Object.values(inputs)),
  });
  await checkKernels([
    of("ij,jk->ik", [2, 3], [3, 4]),
    of("bij, bjk -> bik", [2, 3, 4], [2, 4, 5]),
    of("ij->ji", [2, 3]),
    of("ij->i", [2, 3]),
    of("i,i->", [4], [4]),
    of("bij,bj->bi", [2, 3, 4], [2, 4]),
  ]);
});

test("a dense layer with permuted weights does not pass the comparison", async () => {
  const weights = tf.tensor2d([0.1, 0.2, 0.3, -0.4, 0.5, 0.6, 0.7, -0.8, 0.9, 1, -1.1, 1.2], [4, 3]);
  const dense =
    (w: tf.Tensor2D) =>
    ({ x }: Tensors) =>
      tf.relu(tf.matMul(x as tf.Tensor2D, w));
  const swap = (axis: number, order: number[]): tf.Tensor2D => tf.gather(weights, tf.tensor1d(order, "int32"), axis);
  const kernel = { inputs: { x: floats([5, 4]) }, fn: dense(weights) };
  const faults = await kernelFaults([
    { ...kernel, name: "as they are" },
    { ...kernel, name: "rows", traced: dense(swap(0, [1, 0, 2, 3])) },
    { ...kernel, name: "columns", traced: dense(swap(1, [0, 2, 1])) },
    { ...kernel, name: "stored the other way", traced: dense(tf.reshape(tf.transpose(weights), [4, 3])) },
  ]);
  expect(faults.map((fault) => fault.split("/")[0])).toEqual(["rows", "columns", "stored the other way"]);
});
