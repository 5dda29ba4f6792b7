import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import {
  booleans,
  checkGradients,
  checkKernels,
  floats,
  given,
  integers,
  type Input,
  type KernelCase,
} from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const comparisons: Readonly<Record<string, Binary>> = {
  equal: tf.equal,
  notEqual: tf.notEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
};
const logic: Readonly<Record<string, Binary>> = {
  and: tf.logicalAnd,
  or: tf.logicalOr,
  xor: tf.logicalXor,
};

const pairs: readonly (readonly [a: number[], b: number[]])[] = [
  [[], []],
  [[4], [1]],
  [[3, 4], [4]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 1, 5],
  ],
  [
    [4, 5],
    [2, 3, 4, 5],
  ],
];

function cases(
  operations: Readonly<Record<string, Binary>>,
  kind: string,
  input: (shape: number[]) => Input,
): KernelCase[] {
  return pairs.flatMap(([a, b]) =>
    Object.entries(operations).map(([name, fn]) => ({
      name: `${name} of ${kind} [${a}] [${b}]`,
      inputs: { a: input(a), b: input(b) },
      fn: ({ a, b }) => fn(a!, b!),
    })),
  );
}

test("comparisons of floats, integers and bools broadcast as in tfjs", async () => {
  // Few distinct values, so that equality happens.
  const few = (shape: number[]): Input => floats(shape, (random) => random.integer(3) - 1);
  await checkKernels(cases(comparisons, "float32", few));
  await checkKernels(cases(comparisons, "int32", (shape) => integers(3, shape)));
  await checkKernels(cases(comparisons, "bool", booleans));
});

test("comparisons with NaN and infinity are tfjs's", async () => {
  const values = [NaN, Infinity, -Infinity, 0, -0, 1];
  const a = given(
    values.flatMap((x) => values.map(() => x)),
    [36],
  );
  const b = given(
    values.flatMap(() => values),
    [36],
  );
  await checkKernels(
    Object.entries(comparisons).map(([name, fn]) => ({ name, inputs: { a, b }, fn: ({ a, b }) => fn(a!, b!) })),
  );
});

test("logic of bools broadcasts as in tfjs", async () => {
  await checkKernels(cases(logic, "bool", booleans));
  await checkKernels([{ name: "not", inputs: { a: booleans([3, 4]) }, fn: ({ a }) => tf.logicalNot(a!) }]);
});

test("isNaN, isInf and isFinite of floats and integers", async () => {
  const x = given([NaN, Infinity, -Infinity, 0, 1, -3e38], [6]);
  const tests = { isNaN: tf.isNaN, isInf: tf.isInf, isFinite: tf.isFinite };
  await checkKernels(
    Object.entries(tests).flatMap(([name, fn]) => [
      { name: `${name} of floats`, inputs: { x }, fn: ({ x }: Record<string, tf.Tensor>) => fn(x!) },
      {
        name: `${name} of integers`,
        inputs: { x: integers(5, [4]) },
        fn: ({ x }: Record<string, tf.Tensor>) => fn(x!),
      },
    ]),
  );
});

test("where broadcasts its condition and both sides, in every dtype and after a convolution", async () => {
  const c = booleans([3, 4]);
  await checkKernels([
    { name: "float32", inputs: { c, a: floats([3, 4]), b: floats([4]) }, fn: ({ c, a, b }) => tf.where(c!, a!, b!) },
    {
      name: "int32",
      inputs: { c, a: integers(9, [3, 1]), b: integers(9, [3, 4]) },
      fn: ({ c, a, b }) => tf.where(c!, a!, b!),
    },
    {
      name: "bool",
      inputs: { c, a: booleans([3, 4]), b: booleans([3, 4]) },
      fn: ({ c, a, b }) => tf.where(c!, a!, b!),
    },
    {
      name: "by row",
      inputs: { c: booleans([3, 1]), a: floats([3, 4]), b: floats([]) },
      fn: ({ c, a, b }) => tf.where(c!, a!, b!),
    },
    {
      name: "nchw",
      inputs: { c: booleans([2, 3, 4, 1]), a: floats([2, 3, 4, 5]), b: floats([5]) },
      fn: ({ c, a, b }) => tf.where(c!, throughConvolution(a!), b!),
    },
    {
      name: "condition nchw",
      inputs: { a: floats([2, 3, 4, 5]), b: floats([4, 1]) },
      fn: ({ a, b }) => tf.where(tf.greater(throughConvolution(a!), 0), b!, 7),
    },
  ]);
});

test("gradients of where go to the side that was taken", async () => {
  await checkGradients([
    {
      name: "where",
      inputs: { c: booleans([3, 4]), a: floats([3, 4]), b: floats([3, 4]) },
      fn: ({ c, a, b }) => tf.where(c!, tf.square(a!), tf.exp(b!)),
    },
    {
      name: "where on itself",
      inputs: { x: floats([2, 2, 3, 2]) },
      fn: ({ x }) => tf.where(tf.greaterEqual(throughConvolution(x!), 0.1), tf.square(x!), tf.neg(x!)),
    },
  ]);
});

test("casts between float32, int32, bool and uint8 truncate and test as in tfjs", async () => {
  const x = given([0, 0.5, -0.5, 1.9, -1.9, 3, -7, 1e6], [8]);
  const bytes = integers(256, [2, 5], "uint8");
  const to =
    (dtype: "float32" | "int32" | "bool") =>
    ({ v }: Record<string, tf.Tensor>) =>
      tf.cast(v!, dtype);
  await checkKernels([
    { name: "float32 to int32", inputs: { v: x }, fn: to("int32") },
    { name: "float32 to bool", inputs: { v: x }, fn: to("bool") },
    { name: "int32 to float32", inputs: { v: integers(9, [2, 5]) }, fn: to("float32") },
    { name: "int32 to bool", inputs: { v: integers(2, [2, 5]) }, fn: to("bool") },
    { name: "bool to float32", inputs: { v: booleans([6]) }, fn: to("float32") },
    { name: "bool to int32", inputs: { v: booleans([6]) }, fn: to("int32") },
    { name: "uint8 to float32", inputs: { v: bytes }, fn: to("float32") },
    { name: "uint8 to bool", inputs: { v: bytes }, fn: to("bool") },
    { name: "uint8 kept", inputs: { v: bytes }, fn: to("int32") },
    {
      name: "nchw",
      inputs: { v: floats([2, 3, 4, 5]) },
      fn: ({ v }) => tf.cast(tf.mul(throughConvolution(v!), 5), "int32"),
    },
  ]);
});
