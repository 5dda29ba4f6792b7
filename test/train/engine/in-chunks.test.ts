import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { inChunks } from "../../../train/engine/in-chunks.ts";
import { stream } from "../../../train/random.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

function normals(shape: number[], name: string): tf.Tensor {
  const random = stream(3, name);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
}

const x = () => normals([7, 4], "x");
const w = () => normals([4, 3], "w");

function network(rows: Record<string, tf.Tensor>, kernel: tf.Tensor) {
  const y = tf.sigmoid(tf.matMul(rows.x as tf.Tensor2D, kernel as tf.Tensor2D));
  return { y, scaled: tf.mul(y, rows.scale!) };
}

test.each([1, 2, 3, 6, 7, 100, 0])("values are those of one pass, in blocks of %i rows of 7", (rows) => {
  const given = { x: x(), scale: normals([7, 1], "scale") };
  const whole = network(given, w());
  const chunked = inChunks((part) => network(part, w()), given, rows);
  expect(chunked.y.shape).toEqual([7, 3]);
  expect([...chunked.y.dataSync()]).toEqual([...whole.y.dataSync()]);
  expect([...chunked.scaled.dataSync()]).toEqual([...whole.scaled.dataSync()]);
});

test("gradients are those of one pass, for a loss that looks across the batch", () => {
  // max over the batch mean: not a sum over rows, so accumulating per-chunk losses would be wrong
  const loss = (rows: number) => (input: tf.Tensor, kernel: tf.Tensor) => {
    const { y } = inChunks((part) => network(part, kernel), { x: input, scale: tf.ones([7, 1]) }, rows);
    return tf.sum(tf.maximum(tf.mean(y, 0), 0.5)) as tf.Scalar;
  };
  const whole = tf.grads(loss(0))([x(), w()]);
  const chunked = tf.grads(loss(3))([x(), w()]);
  for (const [i, gradient] of chunked.entries()) {
    const wanted = whole[i]!.dataSync();
    for (const [j, value] of [...gradient.dataSync()].entries()) expect(value).toBeCloseTo(wanted[j]!, 6);
  }
  expect(Math.max(...whole[1]!.dataSync().map(Math.abs))).toBeGreaterThan(1e-3);
});

test("the function is called once per block, and sees at most that many rows", () => {
  const seen: number[] = [];
  inChunks(
    (part) => {
      seen.push(part.x!.shape[0]!);
      return { x: part.x! };
    },
    { x: x() },
    3,
  );
  expect(seen).toEqual([3, 3, 1]);
});

test("tensors of different batches, scalars and odd row counts are refused", () => {
  const same = (part: Record<string, tf.Tensor>) => part;
  expect(() => inChunks(same, { x: tf.ones([4, 2]), y: tf.ones([5, 2]) }, 2)).toThrow(
    "Cannot run in chunks: tensors must share their first dimension, got x: 4, y: 5",
  );
  expect(() => inChunks(same, { x: tf.scalar(1) }, 2)).toThrow("got x: scalar");
  expect(() => inChunks(same, {}, 2)).toThrow("got none");
  expect(() => inChunks(same, { x: tf.ones([4]) }, 1.5)).toThrow("rows must be a whole number of at least 0, got 1.5");
});
