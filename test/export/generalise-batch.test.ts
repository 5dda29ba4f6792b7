import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { trace } from "../../export/trace.ts";
import { booleans, checkGradients, checkKernels, floats, integers, type KernelCase } from "./kernels/parity.ts";
import { throughConvolution } from "./kernels/residents.ts";

/** Every case is traced once with a symbolic batch and run at batches 1, 2 and 7. */

type Fn = (x: tf.Tensor) => tf.Tensor | Record<string, tf.Tensor>;

const rows = (name: string, fn: Fn): KernelCase => ({
  name,
  inputs: { x: floats(["batch", 6]) },
  fn: ({ x }) => fn(x!),
});
const images = (name: string, fn: Fn): KernelCase => ({
  name,
  inputs: { x: floats(["batch", 4, 6, 3]) },
  fn: ({ x }) => fn(throughConvolution(x!)),
});
const batchOf = (x: tf.Tensor): number => x.shape[0]!;

const kernels: KernelCase[] = [
  rows("elementwise", (x) => tf.add(tf.mul(tf.tanh(x), 2), tf.ones([6]))),
  rows("matMul", (x) => tf.matMul(x as tf.Tensor2D, tf.reshape(tf.linspace(-1, 1, 24), [6, 4]) as tf.Tensor2D)),
  rows("gram", (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, true, false)),
  rows("sum over the batch", (x) => tf.sum(x, 0)),
  rows("mean over the batch", (x) => tf.mean(x, 0)),
  rows("mean of everything", (x) => tf.mean(x)),
  rows("moments", (x) => ({ ...tf.moments(x, 0) })),
  rows("max", (x) => tf.max(x, 1)),
  rows("argMax", (x) => tf.argMax(x, 1)),
  rows("argMin of the batch", (x) => tf.argMin(x, 0)),
  rows("logSumExp", (x) => tf.logSumExp(x, 1)),
  rows("softmax", (x) => tf.softmax(x)),
  rows("logSoftmax", (x) => tf.logSoftmax(x)),
  rows("cumsum", (x) => tf.cumsum(x, 1)),
  rows("reshape", (x) => tf.reshape(x, [batchOf(x), 2, 3])),
  rows("rows in one", (x) => tf.reshape(x, [-1])),
  rows("transpose", (x) => tf.transpose(x)),
  rows("slice of columns", (x) => tf.slice(x, [0, 1], [-1, 3])),
  rows("slice with the batch", (x) => tf.slice(x, [0, 2], [batchOf(x), 2])),
  rows("stridedSlice", (x) => tf.stridedSlice(x, [0, 0], [batchOf(x), 6], [1, 2])),
  rows("reverse the batch", (x) => tf.reverse(x, 0)),
  rows("pad columns", (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 2],
    ]),
  ),
  rows("concat columns", (x) => tf.concat([x, tf.square(x)], 1)),
  rows("twice the batch", (x) => tf.concat([x, tf.neg(x)], 0)),
  rows("halves of twice the batch", (x) =>
    tf.sub(...(tf.split(tf.concat([x, tf.exp(x)], 0), 2, 0) as [tf.Tensor, tf.Tensor])),
  ),
  rows("stack", (x) => tf.stack([x, tf.neg(x)], 1)),
  rows("unstack columns", (x) => tf.unstack(x, 1)[2]!),
  rows("gather columns", (x) => tf.gather(x, tf.tensor1d([5, 0, 0], "int32"), 1)),
  rows("topk", (x) => ({ ...tf.topk(x, 2) })),
  rows("where", (x) => tf.where(tf.greater(x, 0), x, tf.zerosLike(x))),
  rows("tile columns", (x) => tf.tile(x, [1, 2])),
  rows("tile by the batch", (x) => tf.mul(x, tf.tile(tf.reshape(tf.range(0, 6), [1, 6]), [batchOf(x), 1]))),
  rows("broadcast to the batch", (x) => tf.broadcastTo(tf.sum(x, 0), [batchOf(x), 6])),
  rows("broadcast a constant to the batch", (x) => tf.add(x, tf.broadcastTo(tf.range(0, 6), [batchOf(x), 6]))),
  rows("fill", (x) => tf.concat([x, tf.fill([batchOf(x), 2], 0.5)], 1)),
  rows("fill with a share", (x) => tf.concat([x, tf.fill([batchOf(x), 2], 1 / batchOf(x))], 1)),
  rows("large fill", (x) => tf.concat([x, tf.zeros([batchOf(x), 512])], 1)),
  rows("constants joined by row", (x) => tf.concat([tf.ones([batchOf(x), 1]), tf.zeros([batchOf(x), 2])], 1)),
  rows("the batch as float32", (x) => tf.mul(tf.div(x, batchOf(x)), batchOf(x) * 3)),
  rows("the batch as int32", (x) => tf.add(tf.cast(x, "int32"), tf.scalar(2 * batchOf(x), "int32"))),
  rows("both as one number", (x) => tf.add(tf.mul(x, batchOf(x)), tf.cast(tf.scalar(batchOf(x), "int32"), "float32"))),
  rows("no columns", (x) => tf.concat([tf.slice(x, [0, 0], [batchOf(x), 0]), x], 1)),
  images("pooling over the image", (x) => tf.mean(x, [1, 2])),
  images("channels", (x) => tf.sum(tf.square(x), [1, 2, 3])),
  images("flatten", (x) => tf.reshape(x, [batchOf(x), -1])),
  images("slice of the image", (x) => tf.slice(x, [0, 1, 2, 0], [-1, 2, 3, 3])),
  images("bias and scale", (x) => tf.add(tf.mul(x, tf.tensor1d([1, 2, 3])), tf.tensor2d([[1, 0, -1]]))),
  { name: "oneHot of labels", inputs: { n: integers(5, ["batch"]) }, fn: ({ n }) => tf.oneHot(n!, 4) },
  { name: "any", inputs: { c: booleans(["batch", 3]) }, fn: ({ c }) => tf.any(c!, 1) },
  {
    name: "embedding",
    inputs: { i: integers(4, ["batch"]) },
    fn: ({ i }) => tf.gather(tf.reshape(tf.range(0, 8), [4, 2]), i as tf.Tensor1D),
  },
  {
    name: "two inputs",
    inputs: { a: floats(["batch", 3]), b: floats(["batch", 3]) },
    fn: ({ a, b }) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true), // [batch, batch]
  },
];

test("graphs with a symbolic batch give eager tfjs's numbers at batches 1, 2 and 7", async () => {
  await checkKernels(kernels);
});

test("gradients with a symbolic batch", async () => {
  const names = ["elementwise", "matMul", "mean over the batch", "logSumExp", "softmax", "concat columns", "flatten"];
  await checkGradients(kernels.filter(({ name }) => [...names, "bias and scale"].includes(name)));
});

test("the function's own sizes are not taken for the batch, whatever they are", async () => {
  const fn = (size: number) => (x: tf.Tensor) => ({
    own: tf.sum(tf.mul(tf.reshape(x, [batchOf(x), 1, 6]), tf.ones([size, 6])), 2),
    batch: tf.add(x, tf.fill([batchOf(x), 1], size)),
    spread: tf.tile(tf.sum(x, 0, true), [size, 1]),
  });
  await checkKernels([7, 11, 1009, 1013].map((size) => rows(`size ${size}`, fn(size))));
});

test("what does not follow from the batch is refused with the kernel's name", () => {
  const tracing = (fn: Fn) => () =>
    trace(
      ({ x }) => {
        const y = fn(x!);
        return y instanceof tf.Tensor ? { y } : y;
      },
      { name: "f", inputs: { x: { shape: ["batch", 6], dtype: "float32" } }, variables: "frozen" },
    );
  expect(tracing((x) => tf.unstack(x)[0]!)).toThrow(/\(Unpack\) .*must not branch/);
  expect(tracing((x) => tf.mul(x, tf.reshape(tf.range(0, batchOf(x)), [-1, 1])))).toThrow(
    /\(Multiply\).*depend on the batch/,
  );
  expect(tracing((x) => tf.mul(x, batchOf(x) ** 2))).toThrow(/constant of y \(Multiply\).*Pass it as an input/);
  expect(tracing((x) => tf.slice(x, [0, 0], [batchOf(x) - 1, 6]))).toThrow(
    /\(Slice\) has size 1008 .* multiple of the batch/,
  );
  expect(tracing((x) => (batchOf(x) === 1009 ? tf.neg(x) : tf.abs(x)))).toThrow(/\(Neg\).*must not branch/);
});
