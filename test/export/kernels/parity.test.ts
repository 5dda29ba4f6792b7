import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import { inFloat64 } from "./float64.ts";
import {
  checkGradient,
  checkKernel,
  floats,
  gradientFaults,
  integers,
  type KernelCase,
  kernelFaults,
} from "./parity.ts";

const { skipReason } = await useSwiftshader();

test("a correct kernel has no faults, at any batch size", async () => {
  const relu = {
    name: "relu",
    inputs: { x: floats(["batch", 5]) },
    fn: ({ x }: Record<string, tf.Tensor>) => tf.relu(x!),
  };
  await checkKernel(relu);
  await checkGradient(relu);
});

test("kernelFaults() names wrong values, shapes and dtypes", async () => {
  const inputs = { x: floats([2, 3]), n: integers(5, [2, 3]) };
  const faults = await kernelFaults([
    { name: "value", inputs, fn: ({ x }) => tf.relu(x!), traced: ({ x }) => tf.abs(x!) },
    { name: "shape", inputs, fn: ({ x }) => x!, traced: ({ x }) => tf.reshape(x!, [3, 2]) },
    { name: "dtype", inputs, fn: ({ n }) => n!, traced: ({ n }) => tf.cast(n!, "float32") },
    { name: "integer", inputs, fn: ({ n }) => n!, traced: ({ n }) => tf.add(n!, tf.scalar(1, "int32")) },
    { name: "right", inputs, fn: ({ x }) => tf.relu(x!) },
  ]);
  expect(faults.map((fault) => fault.replace(/must be .*/, "must be"))).toEqual([
    "value/y at batch 0: must be",
    "shape/y at batch 0: must have shape [2,3], got [3,2]",
    "dtype/y at batch 0: must have dtype int32, got float32",
    "integer/y at batch 0: must be",
  ]);
});

test("gradientFaults() finds a gradient that is wrong in eager tfjs and in the trace alike", async () => {
  const squareWithWrongGradient = tf.customGrad((x) => ({
    value: tf.square(x as tf.Tensor),
    gradFunc: (dy) => tf.mul(dy as tf.Tensor, x as tf.Tensor), // half of the true one
  }));
  const faults = await gradientFaults([
    { name: "square", inputs: { x: floats([4]) }, fn: ({ x }) => squareWithWrongGradient(x!) },
  ]);
  expect(faults.length).toBeGreaterThan(0);
  for (const fault of faults) expect(fault).toMatch(/difference quotient/);
});

test("gradientFaults() finds a trace whose gradient differs from eager tfjs", async () => {
  const faults = await gradientFaults([
    {
      name: "power",
      inputs: { x: floats([4]) },
      fn: ({ x }) => tf.square(x!),
      traced: ({ x }) => tf.mul(1.001, tf.square(x!)),
    },
  ]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(/power\/gradient of x at batch 0: must be/);
});

test("inFloat64() leaves tfjs in float32", () => {
  expect(inFloat64(() => tf.add(tf.scalar(1), 1e-12).dataSync()[0])).toBe(1 + 1e-12);
  expect(tf.add(tf.scalar(1), 1e-12).dataSync()).toEqual(Float32Array.of(1));
});

test("gradientFaults() wants tfjs to be wrong where a case says so", async () => {
  const square: KernelCase = { name: "square", inputs: { x: floats([4]) }, fn: ({ x }) => tf.square(x!) };
  expect(await gradientFaults([{ ...square, tfjsGradientIsWrong: "not so" }])).toEqual(["square: tfjs is right here"]);
});

test.skipIf(skipReason !== undefined)("a check on WebGPU refuses nodes that would run on the CPU", async () => {
  const onCpu: KernelCase = { name: "isNaN", inputs: { x: floats([4, 9]) }, fn: ({ x }) => tf.isNaN(x!) };
  await checkKernel(onCpu);
  await expect(kernelFaults([onCpu], { device: "webgpu" })).rejects.toThrow(/assigned to the default CPU EP/);
});
