import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  checkGradients,
  checkKernels,
  floats,
  gradientFaults,
  integers,
  type KernelCase,
  kernelFaults,
} from "./parity.ts";

type Pads = [before: number, after: number][];

const mirror = (mode: "reflect" | "symmetric", shape: number[], pads: Pads): KernelCase => ({
  name: `${mode} ${shape} by ${pads.join(" ")}`,
  inputs: { x: floats(shape) },
  fn: ({ x }) => tf.mirrorPad(x!, pads as [number, number][], mode),
});

const mirrors = (["reflect", "symmetric"] as const).flatMap((mode) => [
  mirror(mode, [5], [[3, 1]]),
  mirror(
    mode,
    [4, 5],
    [
      [0, 2],
      [3, 0],
    ],
  ),
  mirror(
    mode,
    [2, 4, 5, 3],
    [
      [0, 0],
      [1, 3],
      [2, 1],
      [0, 0],
    ],
  ),
]);

const toBatch = (batch: number | "batch", shape: number[], block: number[], paddings: Pads): KernelCase => ({
  name: `to batch ${shape} ${block} ${paddings.join(" ")}`,
  inputs: { x: floats([batch, ...shape]) },
  // Reshaped, because the harness wants sizes that are constant or the batch.
  fn: ({ x }) => tf.reshape(tf.spaceToBatchND(x!, block, paddings), [x!.shape[0]!, -1]),
});

const toSpace = (batch: number, shape: number[], block: number[], crops: Pads): KernelCase => ({
  name: `to space ${batch} ${shape} ${block} ${crops.join(" ")}`,
  inputs: { x: floats([batch, ...shape]) },
  fn: ({ x }) => tf.batchToSpaceND(x!, block, crops),
});

const blocks = [
  toBatch(
    2,
    [4, 6, 3],
    [2, 3],
    [
      [0, 0],
      [0, 0],
    ],
  ),
  toBatch(
    "batch",
    [3, 5, 2],
    [2, 3],
    [
      [1, 0],
      [0, 1],
    ],
  ),
  toBatch(3, [6, 2], [4], [[1, 1]]),
  toSpace(
    12,
    [2, 3, 5],
    [2, 3],
    [
      [0, 0],
      [0, 0],
    ],
  ),
  toSpace(
    12,
    [2, 3, 5],
    [2, 3],
    [
      [1, 0],
      [1, 2],
    ],
  ),
  toSpace(8, [3, 2], [4], [[2, 1]]),
];

test("tf.mirrorPad agrees with eager tfjs in both modes", async () => {
  await checkKernels([
    ...mirrors,
    {
      name: "integers at any batch size",
      inputs: { x: integers(9, ["batch", 4, 5, 3]) },
      fn: ({ x }) =>
        tf.mirrorPad(
          x!,
          [
            [0, 0],
            [1, 3],
            [2, 1],
            [0, 0],
          ],
          "reflect",
        ),
    },
  ]);
});

test("the trace of tf.mirrorPad's gradient is tfjs's, which leaves out what was mirrored", async () => {
  for (const kernel of mirrors) {
    const gradient = tf.grad((x) => tf.sum(tf.square(kernel.fn({ x }) as tf.Tensor)));
    await checkKernels([{ ...kernel, fn: ({ x }) => gradient(x!) }]);
    expect((await gradientFaults([kernel])).every((fault) => fault.includes("difference quotient"))).toBe(true);
  }
});

test("blocks to the batch and back agree with eager tfjs, forwards and backwards", async () => {
  await checkKernels(blocks);
  await checkGradients(blocks);
});

const dilated = (type: "max" | "avg", pad: "same" | "valid"): KernelCase => ({
  name: `${type} ${pad}`,
  inputs: { x: floats(["batch", 7, 6, 3]) },
  fn: ({ x }) => tf.pool(x as tf.Tensor4D, [2, 3], type, pad, [2, 1]),
});

test("tf.pool with dilations agrees with eager tfjs, forwards and backwards", async () => {
  const cases = [dilated("max", "valid"), dilated("avg", "valid"), dilated("max", "same")];
  await checkKernels(cases);
  await checkGradients(cases);
});

test("the check reports blocks in another order and the other way of mirroring", async () => {
  const right = toBatch(
    2,
    [4, 4, 3],
    [2, 2],
    [
      [0, 0],
      [0, 0],
    ],
  );
  const turned: KernelCase["fn"] = ({ x }) => right.fn({ x: tf.transpose(x!, [0, 2, 1, 3]) });
  expect(await kernelFaults([{ ...right, traced: turned }])).toHaveLength(1);
  const [reflect, symmetric] = [mirror("reflect", [5], [[2, 2]]), mirror("symmetric", [5], [[2, 2]])];
  expect(await kernelFaults([{ ...reflect, traced: symmetric.fn }])).toHaveLength(1);
});
