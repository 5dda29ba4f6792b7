import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trace } from "../../../export/trace.ts";
import {
  between,
  booleans,
  checkGradients,
  checkKernels,
  floats,
  given,
  type Input,
  type KernelCase,
} from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;

const operations: Readonly<Record<string, Binary>> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  floorDiv: tf.floorDiv,
  mod: tf.mod,
  pow: tf.pow,
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
  atan2: tf.atan2,
};
/** Both operands positive and away from 0: powers and quotients stay tame. */
const operand = (shape: Input["shape"]): Input => between(0.5, 3, shape);

/** Pairs of shapes that broadcast: every rank, sizes of 1 on either side, missing axes. */
const pairs: readonly (readonly [a: number[], b: number[]])[] = [
  [[], []],
  [[3], []],
  [[], [3]],
  [[1], [4]],
  [[3, 4], [4]],
  [[4], [3, 4]],
  [
    [3, 1],
    [1, 4],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [5, 1],
  ],
  [[2, 3, 4, 5], []],
  [[2, 3, 4, 5], [5]],
  [
    [2, 3, 4, 5],
    [4, 5],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [3, 4, 1],
    [2, 3, 4, 5],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 1, 5],
  ],
  [
    [2, 3, 1, 5],
    [1, 1, 4, 5],
  ],
  [
    [2, 3, 4, 5],
    [2, 3, 4, 5],
  ],
];

function cases(names: readonly string[], residentA = false, residentB = false): KernelCase[] {
  const fits = (shape: number[], resident: boolean): boolean => !resident || shape.length === 4;
  const bring = (x: tf.Tensor, resident: boolean): tf.Tensor => (resident ? throughConvolution(x) : x);
  return pairs
    .filter(([a, b]) => fits(a, residentA) && fits(b, residentB))
    .flatMap(([a, b]) =>
      names.map((name) => ({
        name: `${name} [${a}] [${b}]`,
        inputs: { a: operand(a), b: operand(b) },
        fn: ({ a, b }) => operations[name]!(bring(a!, residentA), bring(b!, residentB)),
      })),
    );
}

test("operations on two tensors broadcast as in tfjs at every rank", async () => {
  await checkKernels(cases(Object.keys(operations)));
});

test("operations on two tensors broadcast as in tfjs after convolutions on either side", async () => {
  await checkKernels(cases(Object.keys(operations), true, false));
  await checkKernels(cases(Object.keys(operations), false, true));
  await checkKernels(cases(Object.keys(operations), true, true));
});

/** floorDiv steps; tfjs gives it a slope of 1 / b all the same. */
const smooth = Object.keys(operations).filter((name) => name !== "floorDiv");

test("gradients of operations on two tensors, summed over what was broadcast", async () => {
  await checkGradients(cases(smooth));
});

test("gradients of operations on two tensors after convolutions", async () => {
  await checkGradients(cases(["add", "mul", "div", "pow"], true, false));
  await checkGradients(cases(["sub", "mul", "maximum", "squaredDifference"], false, true));
});

test("quotients and remainders have tfjs's signs, and integer division by zero gives 0", async () => {
  const values = [-7, -6, -1, 0, 1, 6, 7];
  const a = values.flatMap((x) => values.map(() => x));
  const b = values.flatMap(() => values);
  const integer = { a: given(a, [49], "int32"), b: given(b, [49], "int32") };
  const nonZero = {
    ...integer,
    b: given(
      b.map((x) => x || 2),
      [49],
      "int32",
    ),
  };
  const real = {
    a: given(
      a.map((x) => x + 0.25),
      [49],
    ),
    b: given(
      b.map((x) => x - 0.5),
      [49],
    ),
  };
  await checkKernels([
    { name: "div", inputs: integer, fn: ({ a, b }) => tf.div(a!, b!) },
    { name: "floorDiv", inputs: integer, fn: ({ a, b }) => tf.floorDiv(a!, b!) },
    { name: "mod", inputs: integer, fn: ({ a, b }) => tf.mod(a!, b!) },
    { name: "by a constant", inputs: nonZero, fn: ({ a }) => tf.div(a!, tf.scalar(-3, "int32")) },
    { name: "remainder of a constant", inputs: nonZero, fn: ({ a }) => tf.mod(a!, tf.scalar(3, "int32")) },
    {
      name: "floats",
      inputs: real,
      fn: ({ a, b }) => ({ floor: tf.floorDiv(a!, b!), mod: tf.mod(a!, b!), div: tf.div(a!, b!) }),
    },
    { name: "atan2", inputs: real, fn: ({ a, b }) => tf.atan2(a!, b!) },
    {
      name: "atan2 on the axes",
      inputs: integer,
      fn: ({ a, b }) => tf.atan2(tf.cast(a!, "float32"), tf.relu(tf.cast(b!, "float32"))),
    },
  ]);
});

test("int32 arithmetic stays int32, and mixed dtypes are promoted as in tfjs", async () => {
  const n = given([-3, -2, -1, 0, 1, 2, 3, 40], [8], "int32");
  const m = given([2, 3, 1, 2, 5, 2, 0, 3], [8], "int32");
  await checkKernels([
    ...["add", "sub", "mul", "maximum", "minimum", "squaredDifference", "pow"].map((name) => ({
      name,
      inputs: { n, m },
      fn: ({ n, m }: Record<string, tf.Tensor>) => operations[name]!(n!, m!),
    })),
    { name: "int32 + float32", inputs: { n, x: floats([8]) }, fn: ({ n, x }) => tf.add(n!, x!) },
    { name: "bool * float32", inputs: { c: booleans([8]), x: floats([8]) }, fn: ({ c, x }) => tf.mul(c!, x!) },
    { name: "bool + int32", inputs: { c: booleans([8]), n }, fn: ({ c, n }) => tf.add(c!, n!) },
    { name: "bool * bool", inputs: { c: booleans([8]), d: booleans([8]) }, fn: ({ c, d }) => tf.mul(c!, d!) },
    { name: "max of bools", inputs: { c: booleans([8]), d: booleans([8]) }, fn: ({ c, d }) => tf.maximum(c!, d!) },
    {
      name: "uint8",
      inputs: { p: { ...n, shape: [8], dtype: "uint8" as const, draw: (r) => r.integer(256) } },
      fn: ({ p }) => tf.sub(p!, tf.scalar(200, "int32")),
    },
  ]);
});

test("addN() adds up all of its tensors, with gradients", async () => {
  const kernel: KernelCase = {
    name: "addN",
    inputs: { a: floats([2, 3]), b: floats([2, 3]), c: floats([2, 3]) },
    fn: ({ a, b, c }) => tf.addN([a!, b!, c!]),
  };
  await checkKernels([kernel]);
  await checkGradients([kernel]);
});

test("neutral operands record nothing, and keep shape and dtype", () => {
  const x = { shape: [2, 3], dtype: "float32" } as const;
  const n = { shape: [2, 3], dtype: "int32" } as const;
  const ones = tf.ones([2, 3]);
  const graph = trace(
    ({ x, n }) => ({
      float: tf.div(tf.sub(tf.mul(tf.add(x!, 0), ones), tf.zeros([3])), 1),
      int: tf.mul(tf.add(n!, tf.zeros([2, 3], "int32")), tf.onesLike(n!)),
    }),
    { name: "neutral", inputs: { x, n }, variables: "frozen" },
  );
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Identity", "Identity"]);
  expect(graph.outputs.map(({ dtype }) => dtype)).toEqual(["float32", "int32"]);
});

test("operands that are known while tracing are computed there, however large", () => {
  const graph = trace(({ x }) => ({ y: tf.mul(x!, tf.sqrt(tf.add(tf.fill([100, 100], 3), tf.fill([100], 13)))) }), {
    name: "known",
    inputs: { x: { shape: [100, 100], dtype: "float32" } },
    variables: "frozen",
  });
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Mul"]);
  expect([...graph.initializers.values()]).toEqual([{ dtype: "float32", shape: [], data: Float32Array.of(4) }]);
});

test("adding bools is refused, because tfjs's result is not a bool", () => {
  const inputs = { c: { shape: [3], dtype: "bool" } } as const;
  const of = (fn: Binary) => () => trace(({ c }) => ({ y: fn(c!, c!) }), { name: "t", inputs, variables: "frozen" });
  expect(of(tf.add)).toThrow(/kernel Add: at least one operand must be a number, got bool tensors/);
  expect(of(tf.sub)).toThrow(/kernel Sub/);
});

test("NaN and infinity on either side go through arithmetic as in tfjs", async () => {
  const values = [NaN, Infinity, -Infinity, 0, 1.5, -2];
  const names = ["add", "sub", "mul", "div", "maximum", "minimum", "squaredDifference"];
  await checkKernels(
    names.flatMap((name) =>
      values.map((value) => ({
        name: `${name} with ${value}`,
        inputs: { a: given([value], [values.length]), b: given(values, [values.length]) },
        fn: ({ a, b }: Record<string, tf.Tensor>) => operations[name]!(a!, b!),
      })),
    ),
  );
});
