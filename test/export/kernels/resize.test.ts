import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { useSwiftshader } from "../../swiftshader.ts";
import {
  checkGradients,
  checkKernels,
  floats,
  gradientFaults,
  integers,
  type KernelCase,
  kernelFaults,
} from "./parity.ts";

const { skipReason } = await useSwiftshader();

type Method = "bilinear" | "nearest";

interface Options {
  readonly from: readonly [height: number, width: number];
  readonly to: readonly [height: number, width: number];
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
}

function resize(method: Method, options: Options, batch: number | "batch" = 2): KernelCase {
  const { from, to, alignCorners = false, halfPixelCenters = false } = options;
  const op = method === "bilinear" ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor;
  return {
    name: `${method} ${JSON.stringify(options)} batch ${batch}`,
    inputs: { x: floats([batch, ...from, 3]) },
    fn: ({ x }) => op(x as tf.Tensor4D, [...to], alignCorners, halfPixelCenters),
  };
}

const sizes: Pick<Options, "from" | "to">[] = [
  { from: [4, 4], to: [8, 8] },
  { from: [4, 5], to: [8, 10] },
  { from: [4, 3], to: [5, 7] },
  { from: [7, 5], to: [4, 3] },
  { from: [4, 4], to: [4, 6] },
  { from: [4, 3], to: [1, 1] },
  { from: [1, 3], to: [4, 2] },
];

const conventions = [{}, { alignCorners: true }, { halfPixelCenters: true }];

const all = (method: Method): KernelCase[] =>
  sizes.flatMap((size) => conventions.map((convention) => resize(method, { ...size, ...convention })));

test("resizing agrees with eager tfjs for all sizes and conventions", async () => {
  await checkKernels([...all("bilinear"), ...all("nearest")]);
});

const wrong = {
  swapped: "its bilinear gradient swaps height and width of the image",
  half: "its gradients ignore halfPixelCenters",
  batch: "its nearest gradient reads dy with the strides of the image: wrong from the second image on",
};

/** Square images for the bilinear gradient and single images for the nearest one: there tfjs is right. */
const tfjsIsRight = [
  ...[sizes[0]!, sizes[4]!].flatMap((size) =>
    conventions.slice(0, 2).map((c) => resize("bilinear", { ...size, ...c })),
  ),
  // Not for a single row: aligning corners, tfjs's gradient then never ends.
  ...sizes.slice(0, 6).flatMap((size) => conventions.slice(0, 2).map((c) => resize("nearest", { ...size, ...c }, 1))),
];

const tfjsIsWrong = [
  ...all("bilinear")
    .slice(3, 12)
    .map((kernel) => ({ ...kernel, tfjsGradientIsWrong: wrong.swapped })),
  { ...resize("bilinear", { ...sizes[0]!, halfPixelCenters: true }), tfjsGradientIsWrong: wrong.half },
  { ...resize("nearest", { ...sizes[2]!, halfPixelCenters: true }, 1), tfjsGradientIsWrong: wrong.half },
  ...all("nearest")
    .slice(0, 12)
    .map((kernel) => ({ ...kernel, tfjsGradientIsWrong: wrong.batch })),
];

test("the gradients of resizing agree with finite differences, and with eager tfjs where that is right", async () => {
  await checkGradients([...tfjsIsRight, ...tfjsIsWrong]);
});

test("resizing agrees at any batch size, and nearest neighbours of integers too", async () => {
  const size = { from: [4, 4], to: [7, 9] } as const;
  const [bilinear, nearest] = [resize("bilinear", size, "batch"), resize("nearest", size, "batch")];
  await checkKernels([bilinear, nearest]);
  await checkGradients([bilinear]);
  await checkGradients([{ ...nearest, tfjsGradientIsWrong: wrong.batch }], { batches: [2, 7] });
  await checkKernels([{ ...resize("nearest", size), inputs: { x: integers(100, [2, 4, 4, 3]) } }]);
});

test("the check reports swapped axes and another convention", async () => {
  const right = resize("bilinear", { from: [4, 4], to: [8, 8] });
  const swapped: KernelCase["fn"] = ({ x }) => right.fn({ x: tf.transpose(x!, [0, 2, 1, 3]) });
  const aligned = resize("bilinear", { from: [4, 4], to: [8, 8], alignCorners: true }).fn;
  for (const traced of [swapped, aligned]) {
    expect(await kernelFaults([{ ...right, traced }])).toHaveLength(1);
    expect(await gradientFaults([{ ...right, traced }])).toHaveLength(1);
  }
});

test.skipIf(skipReason !== undefined)("resizing and its gradients agree on WebGPU", async () => {
  // Few, for SwiftShader compiles a shader for every shape.
  const some = [...all("bilinear").slice(6, 8), ...all("nearest").slice(9, 11)];
  await checkKernels(some, { device: "webgpu" });
  await checkGradients([tfjsIsWrong[0]!, tfjsIsWrong.at(-1)!], { device: "webgpu" });
});
