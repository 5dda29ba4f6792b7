import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trace } from "../../../export/trace.ts";
import { booleans, checkGradients, checkKernels, floats, given, integers, type KernelCase } from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Tensors = Record<string, tf.Tensor>;

test("gather along every axis with indices of rank 0 to 2, also after a convolution, with gradients", async () => {
  const kernels: KernelCase[] = [0, 1, 2, 3].flatMap((axis) =>
    [[], [3], [2, 2]].flatMap((indices) =>
      [false, true].map((resident) => ({
        name: `axis ${axis} indices [${indices}]${resident ? " nchw" : ""}`,
        inputs: { x: floats([3, 4, 3, 5]), i: integers(3, indices) },
        fn: ({ x, i }: Tensors) => tf.gather(resident ? throughConvolution(x!) : x!, i as tf.Tensor1D, axis),
      })),
    ),
  );
  await checkKernels(kernels);
  await checkGradients(kernels);
});

test("an embedding table gathers its rows and adds up their gradients", async () => {
  const kernel: KernelCase = {
    name: "embedding",
    inputs: { table: floats([6, 4]), i: given([0, 5, 5, 2, 5, 0], [2, 3], "int32") },
    fn: ({ table, i }) => tf.gather(table!, i as tf.Tensor2D),
  };
  await checkKernels([kernel]);
  await checkGradients([kernel]);
});

test("gather with batch dimensions is refused by name", () => {
  const inputs = { x: { shape: [2, 3], dtype: "float32" }, i: { shape: [2, 2], dtype: "int32" } } as const;
  expect(() =>
    trace(({ x, i }) => ({ y: tf.gather(x!, i as tf.Tensor2D, 1, 1) }), { name: "t", inputs, variables: "frozen" }),
  ).toThrow(/kernel GatherV2: batchDims must be 0, got 1/);
});

test("unsortedSegmentSum adds rows by id and drops ids out of range", async () => {
  await checkKernels([
    {
      name: "matrix",
      inputs: { x: floats([6, 3]), ids: given([2, 0, 2, -1, 4, 9], [6], "int32") },
      fn: ({ x, ids }) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 5),
    },
    {
      name: "vector",
      inputs: { x: floats([5]), ids: integers(3, [5]) },
      fn: ({ x, ids }) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 3),
    },
  ]);
  await checkGradients([
    {
      name: "in range",
      inputs: { x: floats([5, 2]), ids: integers(3, [5]) },
      fn: ({ x, ids }) => tf.unsortedSegmentSum(x!, ids as tf.Tensor1D, 3),
    },
  ]);
});

test("gatherND, scatterND and tensorScatterUpdate", async () => {
  const rows = given([2, 0, 2], [3, 1], "int32");
  const places = given([2, 0, 1, 3, 0, 1], [3, 2], "int32");
  await checkKernels([
    { name: "rows", inputs: { x: floats([3, 4]), i: rows }, fn: ({ x, i }) => tf.gatherND(x!, i!) },
    { name: "elements", inputs: { x: floats([3, 4]), i: places }, fn: ({ x, i }) => tf.gatherND(x!, i!) },
    {
      name: "scatter adds",
      inputs: { u: floats([3, 4]), i: rows },
      fn: ({ u, i }) => tf.scatterND(i!, u!, [5, 4]),
    },
    { name: "scatter elements", inputs: { u: floats([3]), i: places }, fn: ({ u, i }) => tf.scatterND(i!, u!, [3, 4]) },
    {
      name: "update",
      inputs: { x: floats([3, 4]), u: floats([3]), i: places },
      fn: ({ x, u, i }) => tf.tensorScatterUpdate(x!, i!, u!),
    },
  ]);
});

test("oneHot in any dtype, with other values, and nothing for a label out of range", async () => {
  const labels = given([0, 2, 3, -1, 4, 1], [2, 3], "int32");
  await checkKernels([
    { name: "float32", inputs: { labels }, fn: ({ labels }) => tf.cast(tf.oneHot(labels!, 4), "float32") },
    { name: "int32", inputs: { labels }, fn: ({ labels }) => tf.oneHot(labels!, 4) },
    { name: "other values", inputs: { labels }, fn: ({ labels }) => tf.oneHot(labels!, 4, 5, -2) },
    { name: "bool", inputs: { labels }, fn: ({ labels }) => tf.oneHot(labels!, 4, 1, 0, "bool") },
    { name: "scalar", inputs: { l: given([2], [], "int32") }, fn: ({ l }) => tf.oneHot(l!, 3) },
  ]);
});

test("topk gives the largest and the first of equal values", async () => {
  const both = (x: tf.Tensor, k: number): Tensors => ({ ...tf.topk(x, k) });
  await checkKernels([
    { name: "matrix", inputs: { x: floats([3, 7]) }, fn: ({ x }) => both(x!, 3) },
    { name: "vector", inputs: { x: given([1, 3, 3, 2, 3], [5]) }, fn: ({ x }) => both(x!, 4) },
    { name: "int32", inputs: { n: integers(4, [2, 3, 5]) }, fn: ({ n }) => both(n!, 2) },
    { name: "nchw", inputs: { x: floats([2, 3, 4, 5]) }, fn: ({ x }) => both(throughConvolution(x!), 2) },
  ]);
});

test("diag of any rank and dtype", async () => {
  await checkKernels([
    { name: "vector", inputs: { x: floats([4]) }, fn: ({ x }) => tf.diag(x!) },
    { name: "matrix", inputs: { x: floats([2, 3]) }, fn: ({ x }) => tf.diag(x!) },
    { name: "int32", inputs: { n: integers(9, [3]) }, fn: ({ n }) => tf.diag(n!) },
    { name: "bool", inputs: { c: booleans([3]) }, fn: ({ c }) => tf.diag(c!) },
  ]);
});
