import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import {
  between,
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

type Reduce = (x: tf.Tensor, axis: number[], keepDims: boolean) => tf.Tensor;

const reductions: Readonly<Record<string, Reduce>> = {
  sum: tf.sum,
  mean: tf.mean,
  prod: tf.prod,
  max: tf.max,
  min: tf.min,
  logSumExp: tf.logSumExp,
  variance: (x, axis, keepDims) => tf.moments(x, axis, keepDims).variance,
};

const subsets = (rank: number): number[][] =>
  rank === 0 ? [[]] : subsets(rank - 1).flatMap((axes) => [axes, [...axes, rank - 1]]);

function cases(
  names: readonly string[],
  shape: readonly number[],
  input: (shape: readonly number[]) => Input,
  resident: (x: tf.Tensor) => tf.Tensor = (x) => x,
): KernelCase[] {
  return subsets(shape.length)
    .filter((axes) => axes.length > 0)
    .flatMap((axes) =>
      [false, true].flatMap((keepDims) =>
        names.map((name) => ({
          name: `${name} of [${shape}] over [${axes}]${keepDims ? " kept" : ""}`,
          inputs: { x: input(shape) },
          fn: ({ x }: Record<string, tf.Tensor>) => reductions[name]!(resident(x!), axes, keepDims),
        })),
      ),
    );
}

const every = Object.keys(reductions);
const shapes = [[5], [3, 4], [2, 3, 4], [2, 3, 4, 5]];
const tame = (shape: readonly number[]): Input => between(0.5, 1.5, shape);

test("reductions over every subset of axes, kept or not", async () => {
  await checkKernels(shapes.flatMap((shape) => cases(every, shape, tame)));
});

test("reductions over every subset of axes after a convolution", async () => {
  await checkKernels(cases(every, [2, 3, 4, 5], tame, throughConvolution));
});

test("gradients of reductions, also after a convolution", async () => {
  await checkGradients(cases(every, [2, 3, 4], tame).filter((_, i) => i % 2 === 0));
  await checkGradients(cases(["sum", "mean", "max", "logSumExp"], [2, 2, 3, 2], tame, throughConvolution));
});

test("reductions over all axes, over none, over a negative axis and of a scalar", async () => {
  await checkKernels(
    Object.entries(reductions).flatMap(([name, fn]) => [
      {
        name: `${name} over all`,
        inputs: { x: tame([2, 3]) },
        fn: ({ x }: Record<string, tf.Tensor>) => fn(x!, [0, 1], false),
      },
      {
        name: `${name} backwards`,
        inputs: { x: tame([2, 3]) },
        fn: ({ x }: Record<string, tf.Tensor>) => fn(x!, [-1], false),
      },
      {
        name: `${name} of a scalar`,
        inputs: { x: tame([]) },
        fn: ({ x }: Record<string, tf.Tensor>) => fn(x!, [], false),
      },
    ]),
  );
});

test("integers and bools: sums and products count, means are floats, extremes keep the dtype", async () => {
  const names = ["sum", "mean", "prod", "max", "min"];
  await checkKernels(cases(names, [3, 4], (shape) => integers(4, shape)));
  await checkKernels(cases(names, [2, 3], (shape) => booleans(shape)));
});

test("all and any over every subset of axes", async () => {
  await checkKernels(
    subsets(3)
      .filter((axes) => axes.length > 0)
      .flatMap((axes) =>
        [false, true].map((keepDims) => ({
          name: `over [${axes}]${keepDims ? " kept" : ""}`,
          inputs: { c: booleans([2, 2, 3]) },
          fn: ({ c }: Record<string, tf.Tensor>) => ({
            all: tf.all(c!, axes, keepDims),
            any: tf.any(c!, axes, keepDims),
          }),
        })),
      ),
  );
});

test("argMax and argMin find the first extreme along any axis, also after a convolution", async () => {
  const few = (shape: number[]): Input => floats(shape, (random) => random.integer(3)); // equal values happen
  await checkKernels(
    [0, 1, 2, 3, -1].flatMap((axis) => [
      {
        name: `plain ${axis}`,
        inputs: { x: few([2, 3, 4, 5]) },
        fn: ({ x }: Record<string, tf.Tensor>) => ({ max: tf.argMax(x!, axis), min: tf.argMin(x!, axis) }),
      },
      {
        name: `nchw ${axis}`,
        inputs: { x: few([2, 3, 4, 5]) },
        fn: ({ x }: Record<string, tf.Tensor>) => ({
          max: tf.argMax(throughConvolution(x!), axis),
          min: tf.argMin(throughConvolution(x!), axis),
        }),
      },
      {
        name: `int32 ${axis}`,
        inputs: { x: integers(3, [2, 3, 4, 5]) },
        fn: ({ x }: Record<string, tf.Tensor>) => tf.argMax(x!, axis),
      },
    ]),
  );
});

test("NaN and infinity anywhere in a row go through reductions as in tfjs", async () => {
  const rows = [
    [1, NaN, 3, 2],
    [NaN, 1, 2, 3],
    [1, 2, 3, NaN],
    [NaN, NaN, NaN, NaN],
    [Infinity, NaN, -Infinity, 0],
    [-Infinity, -Infinity, -1, -3],
    [2, Infinity, -Infinity, Infinity],
    [-0, 0, -2, 5],
  ];
  const long = (at: number): number[] => Array.from({ length: 40 }, (_, i) => (i === at ? NaN : Math.sin(i)));
  const matrix = given(rows.flat(), [rows.length, 4]);
  const longRows = given([0, 17, 39].flatMap(long), [3, 40]); // what a runtime computes in several lanes
  const found: Readonly<Record<string, Reduce>> = {
    ...reductions,
    argMax: (x, [axis]) => tf.argMax(x, axis),
    argMin: (x, [axis]) => tf.argMin(x, axis),
  };
  await checkKernels(
    Object.entries(found).flatMap(([name, fn]) =>
      [
        { x: matrix, rows: "columns", axis: 0 },
        { x: matrix, rows: "rows", axis: 1 },
        { x: longRows, rows: "long rows", axis: 1 },
      ].map(({ x, rows, axis }) => ({
        name: `${name} of ${rows}`,
        inputs: { x },
        fn: ({ x }: Record<string, tf.Tensor>) => fn(x!, [axis], false),
      })),
    ),
  );
});

test("the gradient of max goes to every element that is largest", async () => {
  const x = given([3, 1, 3, 2, 2, 2], [2, 3]);
  const gradient = tf.grad((x: tf.Tensor) => tf.max(x, 1));
  await checkKernels([{ name: "max", inputs: { x }, fn: ({ x }) => gradient(x!) }]);
});

test("cumsum and cumprod along every axis, exclusive and reversed, with gradients", async () => {
  const scans = (shape: readonly number[], resident: (x: tf.Tensor) => tf.Tensor): KernelCase[] =>
    shape.flatMap((_, axis) =>
      [false, true].flatMap((exclusive) =>
        [false, true].map((reverse) => ({
          name: `[${shape}] axis ${axis}${exclusive ? " exclusive" : ""}${reverse ? " reversed" : ""}`,
          inputs: { x: tame(shape) },
          fn: ({ x }: Record<string, tf.Tensor>) => ({
            sum: tf.cumsum(resident(x!), axis, exclusive, reverse),
            product: tf.cumprod(resident(x!), axis, exclusive, reverse),
          }),
        })),
      ),
    );
  await checkKernels([
    ...scans([7], (x) => x),
    ...scans([2, 5, 3], (x) => x),
    ...scans([2, 3, 4, 5], throughConvolution),
  ]);
  const sums = scans([2, 5, 3], (x) => x); // tfjs has no gradient of cumprod
  await checkGradients(
    sums.map((kernel) => ({ ...kernel, fn: (inputs) => (kernel.fn(inputs) as Record<string, tf.Tensor>).sum! })),
  );
});

test("cumsum of integers and bools counts", async () => {
  await checkKernels([
    { name: "int32", inputs: { n: integers(5, [3, 4]) }, fn: ({ n }) => tf.cumsum(n!, 1) },
    { name: "bool", inputs: { n: booleans([3, 4]) }, fn: ({ n }) => tf.cumsum(n!, 0) },
  ]);
});
