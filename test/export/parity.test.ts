import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { checkParity, worstGap } from "../../export/parity.ts";
import { type ParityInput, parityTensor, type RowKind, seededUniform } from "../../export/parity-inputs.ts";
import { trace } from "../../export/trace.ts";
import type { TensorFunction } from "../../export/traced-function.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

/** A small encoder on non-square images: every size is distinct, so that no swapped layout can go unseen. */
const inputs = { x: { shape: ["batch", 8, 6, 3], dtype: "uint8" } } as const;

function encoder() {
  const values = (shape: number[]): tf.Tensor => {
    const uniform = seededUniform(shape.length);
    return tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => uniform() - 0.4),
      shape,
    );
  };
  const kernel = tf.variable(values([3, 3, 3, 4]), true, "kernel");
  const dense = tf.variable(values([4 * 3 * 4, 5]), true, "dense");
  const fn: TensorFunction = ({ x }) => {
    const scaled = tf.div(tf.cast(x!, "float32"), 255) as tf.Tensor4D;
    const hidden = tf.relu(tf.conv2d(scaled, kernel as unknown as tf.Tensor4D, 2, "same"));
    const flat = tf.reshape(hidden, [x!.shape[0]!, -1]) as tf.Tensor2D;
    return { code: tf.matMul(flat, dense as unknown as tf.Tensor2D), hidden };
  };
  return { fn, kernel, dense };
}

const fileOf = (fn: TensorFunction): Uint8Array =>
  writeOnnx(trace(fn, { name: "encode", inputs, variables: "frozen" }));
const check = (fn: TensorFunction, model: Uint8Array) => checkParity({ name: "encode", fn, model, inputs, seed: 3 });

test("a file agrees with its function: one case for each reference and batch, far below the tolerance", async () => {
  const { fn } = encoder();
  const alive = tf.memory().numTensors;
  const cases = await check(fn, fileOf(fn));
  expect(tf.memory().numTensors).toBe(alive);
  expect(cases.map(({ reference, batch }) => [reference, batch])).toEqual([
    ["onnxruntime wasm", 1],
    ["onnxruntime wasm", 2],
    ["onnxruntime wasm", 7],
    ["tfjs cpu, eager", 1],
    ["tfjs cpu, eager", 2],
    ["tfjs cpu, eager", 7],
  ]);
  for (const { maxRelativeError } of cases) expect(maxRelativeError).toBeLessThan(2e-6);
});

test("weights with two outputs exchanged are found, with the worst output, its place and both values", async () => {
  const { fn, dense } = encoder();
  const model = fileOf(fn);
  dense.assign(tf.reverse(dense as unknown as tf.Tensor2D, 1));
  const attempt = check(fn, model);
  await expect(attempt).rejects.toThrow(FailureError);
  await expect(attempt).rejects.toThrow(
    /^Cannot export "encode": output "code" must agree with tfjs cpu, eager within 0\.00001 of its scale, got [\d.e+-]+ at \[\d, \d\] of batch \d \(wanted -?[\d.]+, onnxruntime cpu gives -?[\d.]+\); --tolerance allows more, where only rounding is amplified$/,
  );
});

test("one weight that is off by a ten-thousandth is found", async () => {
  const { fn, kernel } = encoder();
  const model = fileOf(fn);
  const values = kernel.dataSync().slice();
  values[17]! *= 1.0001;
  values[17]! += 1e-4;
  kernel.assign(tf.tensor(values, kernel.shape as [number, number, number, number]));
  await expect(check(fn, model)).rejects.toThrow(/must agree with tfjs cpu, eager/);
});

test("what is off by more than 1e-5 of the scale passes where a larger tolerance is asked for, and is told as it is", async () => {
  const { fn, dense } = encoder();
  const model = fileOf(fn);
  dense.assign(tf.mul(dense as unknown as tf.Tensor2D, 1 + 2e-5));
  await expect(check(fn, model)).rejects.toThrow("--tolerance allows more");
  const cases = await checkParity({ name: "encode", fn, model, inputs, seed: 3, tolerance: 1e-4 });
  const worst = Math.max(...cases.map(({ maxRelativeError }) => maxRelativeError));
  expect(worst).toBeGreaterThan(1e-5);
  expect(worst).toBeLessThan(1e-4);
});

test("swapped layouts are found: height for width, NCHW rows flattened as NHWC, other channel order", async () => {
  const { fn, dense, kernel } = encoder();
  const swapped: Record<string, TensorFunction> = {
    "height for width": ({ x }) => fn({ x: tf.reshape(tf.transpose(x!, [0, 2, 1, 3]), x!.shape) }),
    "NCHW flattened as NHWC": ({ x }) => {
      const scaled = tf.div(tf.cast(x!, "float32"), 255) as tf.Tensor4D;
      const hidden = tf.relu(tf.conv2d(scaled, kernel as unknown as tf.Tensor4D, 2, "same"));
      const flat = tf.reshape(tf.transpose(hidden, [0, 3, 1, 2]), [x!.shape[0]!, -1]) as tf.Tensor2D;
      return { code: tf.matMul(flat, dense as unknown as tf.Tensor2D), hidden };
    },
    "channels reversed": ({ x }) => fn({ x: tf.reverse(x!, 3) }),
  };
  for (const [name, wrong] of Object.entries(swapped)) {
    await expect(check(fn, fileOf(wrong)), name).rejects.toThrow(/must agree with tfjs cpu, eager/);
  }
});

test("a function that treats the first rows of a batch alone is found at another batch size", async () => {
  const { fn } = encoder();
  const model = fileOf(fn);
  const drifting: TensorFunction = ({ x }) => {
    const { code, hidden } = fn({ x: x! });
    return { code: x!.shape[0] === 7 ? tf.add(code!, 1) : code!, hidden: hidden! };
  };
  await expect(check(drifting, model)).rejects.toThrow(/of batch 7 /);
});

test("another shape or element type is an infinite error that names both", async () => {
  const { fn } = encoder();
  const wider: TensorFunction = (tensors) => {
    const { code, hidden } = fn(tensors);
    return { code: tf.concat([code!, code!], 1), hidden: hidden! };
  };
  await expect(check(wider, fileOf(fn))).rejects.toThrow(
    /wanted float32 \[1, 10\], onnxruntime cpu gives float32 \[1, 5\]/,
  );
});

test("a function without batch is compared on four inputs of their own", async () => {
  const fixed = { z: { shape: [3, 2], dtype: "float32" } } as const;
  const fn: TensorFunction = ({ z }) => ({ y: tf.exp(z!) });
  const model = writeOnnx(trace(fn, { name: "t", inputs: fixed, variables: "frozen" }));
  const cases = await checkParity({ name: "t", fn, model, inputs: fixed, seed: 1 });
  expect(cases.map(({ batch }) => batch)).toEqual([1, 1]);
});

test("a picture that is black is compared on the scale of pictures, where runtimes differ in what they call 0", async () => {
  const inputs = { x: { shape: ["batch", 3], dtype: "float32" } } as const;
  const fn: TensorFunction = ({ x }) => ({ picture: tf.sigmoid(tf.sub(-35, tf.abs(x!))) });
  const model = writeOnnx(trace(fn, { name: "t", inputs, variables: "frozen" }));
  const options = { name: "t", fn, model, inputs, seed: 1 };
  await expect(checkParity(options)).rejects.toThrow(/onnxruntime cpu gives 0\);/);
  const cases = await checkParity({ ...options, scales: { picture: 1 } });
  expect(Math.max(...cases.map(({ maxRelativeError }) => maxRelativeError))).toBeLessThan(1e-14);
});

const proved = (fn: TensorFunction, actual: TensorFunction = fn) => {
  const inputs = { x: { shape: ["batch", 3], dtype: "float32" } } as const;
  const model = writeOnnx(trace(actual, { name: "t", inputs, variables: "frozen" }));
  return checkParity({ name: "t", fn, model, inputs, seed: 1 });
};

test("an output that is always NaN at a place is refused, as two NaN that agree prove nothing", async () => {
  const nan: TensorFunction = ({ x }) => ({ fine: x!, hidden: tf.add(x!, tf.tensor1d([0, Number.NaN, 0])) });
  await expect(proved(nan)).rejects.toThrow(FailureError);
  await expect(proved(nan)).rejects.toThrow(
    /^Cannot export "t": output "hidden" must be a number for some input that it is compared on, got NaN for all at \[\*, 1\]/,
  );
  await expect(proved(({ x }) => ({ total: tf.mul(tf.sum(x!), Number.NaN) }))).rejects.toThrow(
    'output "total" must be',
  );
});

test("an output that is NaN for some inputs only is compared on the others", async () => {
  const cases = await proved(({ x }) => ({ y: tf.log(x!), z: tf.sqrt(x!) }));
  for (const { maxRelativeError } of cases) expect(maxRelativeError).toBeLessThan(1e-6);
});

test("NaN on one side is found, whichever it is", async () => {
  const plain: TensorFunction = ({ x }) => ({ y: tf.abs(x!) });
  const nan: TensorFunction = ({ x }) => ({ y: tf.add(tf.abs(x!), tf.tensor1d([0, 0, Number.NaN])) });
  await expect(proved(plain, nan)).rejects.toThrow(/output "y" must agree .* got Infinity at \[\d, 2\] .* gives NaN\)/);
  await expect(proved(nan, plain)).rejects.toThrow(/output "y" must agree .* got Infinity at \[\d, 2\] .*wanted NaN,/);
});

const floats = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});

test("worstGap() is the largest difference over the largest reference, of the worst output", () => {
  const gap = worstGap({ a: floats(1, -4, 2), b: floats(100, 0) }, { a: floats(1, -4, 2.5), b: floats(100, 1) });
  expect(gap).toEqual({ error: 0.125, output: "a", index: [2], wanted: 2, actual: 2.5 });
});

test("worstGap() takes the same infinity or NaN for agreement, and one on one side for none", () => {
  const both = worstGap({ a: floats(Infinity, NaN, 1) }, { a: floats(Infinity, NaN, 1) });
  expect(both.error).toBe(0);
  expect(worstGap({ a: floats(Infinity, 1) }, { a: floats(3, 1) }).error).toBe(Infinity);
  expect(worstGap({ a: floats(2, 1) }, { a: floats(NaN, 1) }).error).toBe(Infinity);
  expect(worstGap({ a: floats(0, 0) }, { a: floats(0, 1e-20) }).error).toBeGreaterThan(1);
  expect(worstGap({ a: floats(1) }, {})).toMatchObject({ error: Infinity, actual: "no such output" });
});

const rows = (input: ParityInput, ...kinds: RowKind[]): number[][] => {
  const { data, shape } = parityTensor(input, kinds, seededUniform(5));
  const size = data.length / shape[0]!;
  return kinds.map((_, row) => Array.from(data as Uint8Array).slice(row * size, (row + 1) * size));
};

test("rows of each kind hold what they promise, and a structured picture is the same in no two directions", () => {
  const picture: ParityInput = { shape: ["batch", 8, 8, 3], dtype: "uint8" };
  const [random, structured, zeros, large] = rows(picture, "random", "structured", "zeros", "large");
  expect(new Set(random).size).toBeGreaterThan(100);
  expect(new Set(zeros)).toEqual(new Set([0]));
  expect(new Set(large)).toEqual(new Set([255]));
  const at = (y: number, x: number, c: number): number => structured![(y * 8 + x) * 3 + c]!;
  const positions = Array.from({ length: 8 }, (_, y) => Array.from({ length: 8 }, (_, x) => [y, x] as const)).flat();
  const differs = (other: (y: number, x: number, c: number) => number): boolean =>
    positions.some(([y, x]) => other(y, x, 0) !== at(y, x, 0));
  expect(differs((y, x, c) => at(x, y, c))).toBe(true);
  expect(differs((y, x, c) => at(7 - y, x, c))).toBe(true);
  expect(differs((y, x, c) => at(y, 7 - x, c))).toBe(true);
  expect(differs((y, x) => at(y, x, 2))).toBe(true);
});

test("floats are standard normal, large ones ten times that; whole numbers stay below their bound", () => {
  const [random, , , large] = rows(
    { shape: ["batch", 4000], dtype: "float32" },
    "random",
    "structured",
    "zeros",
    "large",
  );
  const deviation = (values: number[]): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  expect(deviation(random!)).toBeCloseTo(1, 1);
  expect(deviation(large!) / 10).toBeCloseTo(1, 1);
  const [indices, , , last] = rows(
    { shape: ["batch", 500], dtype: "int32", below: 9 },
    "random",
    "structured",
    "zeros",
    "large",
  );
  expect([...new Set(indices)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(new Set(last)).toEqual(new Set([8]));
  const [asFloats] = rows({ shape: ["batch", 500], dtype: "float32", below: 4 }, "random");
  expect([...new Set(asFloats)].sort()).toEqual([0, 1, 2, 3]);
});

test("the same seed gives the same inputs, another seed others", () => {
  const input: ParityInput = { shape: ["batch", 6], dtype: "float32" };
  const draw = (seed: number): HostTensor => parityTensor(input, ["random"], seededUniform(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});
