import * as tf from "@tensorflow/tfjs-core";
import { test } from "vitest";
import {
  between,
  checkGradients,
  checkKernels,
  floats,
  given,
  integers,
  type Input,
  type KernelCase,
} from "./parity.ts";
import { throughConvolution } from "./residents.ts";

type Unary = (x: tf.Tensor) => tf.Tensor;

/** Each function with the interval it is checked on; steps and kinks are not differentiated across. */
const functions: Readonly<Record<string, readonly [fn: Unary, low: number, high: number]>> = {
  neg: [tf.neg, -3, 3],
  abs: [tf.abs, -3, 3],
  sign: [tf.sign, -3, 3],
  floor: [tf.floor, -3, 3],
  ceil: [tf.ceil, -3, 3],
  round: [tf.round, -3, 3],
  exp: [tf.exp, -3, 3],
  expm1: [tf.expm1, -3, 3],
  log: [tf.log, 0.1, 4],
  log1p: [tf.log1p, -0.9, 4],
  sqrt: [tf.sqrt, 0.1, 4],
  rsqrt: [tf.rsqrt, 0.1, 4],
  square: [tf.square, -3, 3],
  reciprocal: [tf.reciprocal, 0.2, 4],
  sin: [tf.sin, -4, 4],
  cos: [tf.cos, -4, 4],
  tan: [tf.tan, -1.4, 1.4],
  asin: [tf.asin, -0.95, 0.95],
  acos: [tf.acos, -0.95, 0.95],
  atan: [tf.atan, -4, 4],
  sinh: [tf.sinh, -3, 3],
  cosh: [tf.cosh, -3, 3],
  tanh: [tf.tanh, -3, 3],
  asinh: [tf.asinh, -3, 3],
  acosh: [tf.acosh, 1.1, 4],
  atanh: [tf.atanh, -0.95, 0.95],
  erf: [tf.erf, -2, 2],
};

const shapes: readonly Input["shape"][] = [[], [5], [3, 4], [2, 3, 4], [2, 3, 4, 5]];

function cases(shape: Input["shape"], resident: Unary = (x) => x): KernelCase[] {
  return Object.entries(functions).map(([name, [fn, low, high]]) => ({
    name: `${name} [${shape}]`,
    inputs: { x: between(low, high, shape) },
    fn: ({ x }) => fn(resident(x!)),
  }));
}

test("functions of one tensor at rank 0 to 4", async () => {
  await checkKernels(shapes.flatMap((shape) => cases(shape)));
});

test("functions of one tensor after a convolution", async () => {
  await checkKernels(cases([2, 3, 4, 5], throughConvolution));
});

/** tfjs's erf is a polynomial that is wrong by up to 1.5e-7, which a difference quotient magnifies. */
const smooth = (kernel: KernelCase): boolean => !kernel.name.startsWith("erf");

test("gradients of functions of one tensor, also after a convolution", async () => {
  await checkGradients(cases([3, 4]).filter(smooth));
  await checkGradients(cases([2, 2, 3, 2], throughConvolution).filter(smooth));
});

test("the gradient of erf is exp(-x^2) 2 / sqrt(pi)", async () => {
  const gradient = tf.grad((x: tf.Tensor) => tf.erf(x));
  await checkKernels([{ name: "erf", inputs: { x: floats([20]) }, fn: ({ x }) => gradient(x!) }]);
});

test("functions keep tfjs's results at 0, at the ends of the float range and at NaN", async () => {
  const extremes = [
    0,
    1e-30,
    -1e-30,
    1e-7,
    1,
    -1,
    0.5,
    1.5,
    2.5,
    -2.5,
    100,
    -100,
    3e38,
    -3e38,
    Infinity,
    -Infinity,
    NaN,
  ];
  const everywhere = [
    "neg",
    "abs",
    "sign",
    "floor",
    "ceil",
    "round",
    "exp",
    "expm1",
    "log1p",
    "sqrt",
    "square",
    "tanh",
    "atan",
  ];
  await checkKernels(
    everywhere.flatMap((name) =>
      extremes.map((value) => ({
        name: `${name} at ${value}`,
        inputs: { x: given([value], [2]) },
        fn: ({ x }) => functions[name]![0](x!),
      })),
    ),
  );
});

test("int32 tensors go through functions as in tfjs", async () => {
  const names = ["neg", "abs", "sign", "square"]; // tfjs takes only float32 for the others
  await checkKernels(
    names.map((name) => ({
      name,
      inputs: { n: integers(7, [3, 4]) },
      fn: ({ n }) => functions[name]![0](tf.sub(n!, tf.scalar(3, "int32"))),
    })),
  );
});
