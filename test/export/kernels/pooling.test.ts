import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import {
  checkGradients,
  checkKernels,
  floats,
  given,
  gradientFaults,
  kernelFaults,
  type KernelCase,
} from "./parity.ts";

const { skipReason } = await useSwiftshader();

interface Grid {
  readonly image: readonly [height: number, width: number];
  readonly window: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: "same" | "valid" | number | tf.backend_util.ExplicitPadding;
  readonly rounding?: "floor" | "round" | "ceil";
}

/** No window reaches into padding. */
const inside: Grid[] = [
  { image: [8, 6], window: 2, strides: 2, pad: "valid" },
  { image: [8, 6], window: 2, strides: 2, pad: "same" },
  { image: [7, 6], window: [3, 2], strides: 1, pad: "valid" }, // windows overlap
  { image: [9, 8], window: 2, strides: [3, 2], pad: "valid" }, // pixels that no window sees
  { image: [10, 8], window: 3, strides: 2, pad: "valid" }, // one row and column left over
  { image: [5, 7], window: 1, strides: 1, pad: "same" },
  { image: [6, 7], window: [6, 7], strides: 1, pad: "valid" },
];

const padded: Grid[] = [
  { image: [7, 5], window: 2, strides: 2, pad: "same" },
  { image: [7, 6], window: [3, 4], strides: 1, pad: "same" },
  { image: [8, 6], window: 3, strides: 2, pad: 1, rounding: "floor" },
  {
    image: [7, 6],
    window: 3,
    strides: 2,
    pad: [
      [0, 0],
      [1, 2],
      [0, 1],
      [0, 0],
    ],
  },
];

const roundedUp: Grid[] = [
  { image: [6, 9], window: 3, strides: 2, pad: 1, rounding: "ceil" },
  { image: [8, 9], window: 4, strides: 3, pad: 1, rounding: "round" },
];

type Kind = "maxPool" | "avgPool";

const pooling = (kind: Kind, g: Grid, x = floats([2, ...g.image, 3])): KernelCase => ({
  name: `${kind} ${JSON.stringify(g)}`,
  inputs: { x },
  fn: ({ x }) =>
    (kind === "maxPool" ? tf.maxPool : tf.avgPool)(x as tf.Tensor4D, g.window, g.strides, g.pad, g.rounding),
});

const everywhere = "tfjs divides by the full window at the borders too";

const all = (kind: Kind): KernelCase[] => [...inside, ...padded].map((g) => pooling(kind, g));

const gradients = (): KernelCase[] => [
  ...all("maxPool"),
  ...inside.map((g) => pooling("avgPool", g)),
  ...padded.map((g) => ({ ...pooling("avgPool", g), tfjsGradientIsWrong: everywhere })),
];

test("tf.maxPool and tf.avgPool agree with eager tfjs for all windows, strides, pads and roundings", async () => {
  await checkKernels([...all("maxPool"), ...all("avgPool")]);
  await checkKernels(roundedUp.flatMap((g) => [pooling("maxPool", g), pooling("avgPool", g)]));
});

test("the gradients of poolings agree with finite differences, and with eager tfjs where that is right", async () => {
  await checkGradients(gradients());
});

test("of equal maxima the first receives the gradient, as in eager tfjs", async () => {
  // Differences do not exist at ties: the traced gradient is compared with tfjs's alone, as a kernel.
  const ties = [...inside, ...padded].map((g): KernelCase => {
    const { name, fn } = pooling("maxPool", g);
    const gradient = tf.grad((x) => tf.sum(tf.square(tf.add(fn({ x }) as tf.Tensor, 1))));
    return {
      name,
      inputs: { x: given([0, 0, 1, 1, 1, 0, 0, 0, 0, 1], [2, ...g.image, 3]) },
      fn: ({ x }) => gradient(x!),
    };
  });
  await checkKernels(ties);
});

test("a maximum among negative numbers is not the zero of the padding", async () => {
  const negative = floats([2, 7, 6, 3], (random) => -1 - random.uniform());
  const cases = padded.map((g) => pooling("maxPool", { ...g, image: [7, 6] }, negative));
  await checkKernels(cases);
  await checkGradients(cases);
});

test("poolings and their gradients agree at any batch size", async () => {
  const cases = (["maxPool", "avgPool"] as const).map((kind) => pooling(kind, inside[4]!, floats(["batch", 10, 8, 3])));
  await checkKernels(cases);
  await checkGradients(cases);
});

test("pooling between convolutions agrees, forwards and backwards", async () => {
  const net: KernelCase = {
    name: "net",
    inputs: { x: floats(["batch", 8, 12, 3]), first: floats([3, 3, 3, 5]), second: floats([2, 2, 5, 4]) },
    fn: ({ x, first, second }) => {
      const features = tf.conv2d(x as tf.Tensor4D, first as tf.Tensor4D, 1, "same");
      const pooled = tf.avgPool(tf.maxPool(features as tf.Tensor4D, 2, 2, "valid"), 2, 1, "valid");
      return tf.conv2d(pooled as tf.Tensor4D, second as tf.Tensor4D, 1, "valid");
    },
  };
  await checkKernels([net]);
  await checkGradients([net]);
});

test("the check reports a window whose height and width are swapped, and a maximum for a mean", async () => {
  const tall = pooling("maxPool", { image: [6, 6], window: [3, 2], strides: 1, pad: "same" });
  const wide = pooling("maxPool", { image: [6, 6], window: [2, 3], strides: 1, pad: "same" });
  const mean = pooling("avgPool", { image: [6, 6], window: [3, 2], strides: 1, pad: "same" });
  for (const { fn } of [wide, mean]) {
    expect(await kernelFaults([{ ...tall, traced: fn }])).toHaveLength(1);
    expect(await gradientFaults([{ ...tall, traced: fn }])).toHaveLength(1);
  }
});

test("tracing refuses windows of padding alone and integer images", async () => {
  const outside = pooling("maxPool", { image: [6, 6], window: 2, strides: 1, pad: 2 });
  await expect(kernelFaults([outside])).rejects.toThrow(/every window must overlap the image, got pads 2,2,2,2/);
  const whole = pooling("maxPool", inside[0]!, { ...floats([1, 8, 6, 3]), dtype: "int32" });
  await expect(kernelFaults([whole])).rejects.toThrow(/must be float32, got int32/);
  // tfjs takes the height of windows and strides for both axes where the padding is a number.
  const narrow = pooling("maxPool", { image: [8, 6], window: [4, 3], strides: [3, 2], pad: 1, rounding: "floor" });
  await expect(kernelFaults([narrow])).rejects.toThrow(/output size must be 3 x 3, got 3 x 2; use explicit pads/);
});

test.skipIf(skipReason !== undefined)("poolings and their gradients agree on WebGPU", async () => {
  await checkKernels([...all("maxPool"), ...all("avgPool")], { device: "webgpu" });
  await checkGradients(gradients(), { device: "webgpu" });
});
