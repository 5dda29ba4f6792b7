import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import { createSession } from "../../runtime/create-session.ts";
import { stream } from "../../train/random.ts";

/** A small encoder: non-square image, all sizes distinct, so that a swapped layout cannot go unseen. */

const random = stream(1, "trace test");
const normals = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

function variables() {
  return {
    kernel: tf.variable(tf.mul(normals([4, 4, 3, 8]), 0.1), true, "kernel") as tf.Tensor4D & tf.Variable,
    bias: tf.variable(normals([8]), true, "bias"),
    dense: tf.variable(tf.mul(normals([96, 5]), 0.1), true, "dense") as tf.Tensor2D & tf.Variable,
  };
}

function encode(x: tf.Tensor, { kernel, bias, dense }: ReturnType<typeof variables>): tf.Tensor {
  const hidden = tf.relu(tf.add(tf.conv2d(tf.div(tf.cast(x, "float32"), 255) as tf.Tensor4D, kernel, 2, "same"), bias));
  return tf.matMul(tf.reshape(hidden, [x.shape[0]!, -1]) as tf.Tensor2D, dense);
}

const pixels = (batch: number): Uint8Array => Uint8Array.from({ length: batch * 8 * 6 * 3 }, () => random.integer(256));

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
}

test("trace() of a training step gives the loss, the gradients and the next weights of eager tfjs", async () => {
  const weights = variables();
  const step = ({ x }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => {
    const { grads, value } = tf.variableGrads(
      () => tf.mean(tf.square(encode(x!, weights))) as tf.Scalar,
      Object.values(weights),
    );
    for (const variable of Object.values(weights))
      variable.assign(tf.sub(variable, tf.mul(0.1, grads[variable.name]!)));
    return {
      loss: value,
      ...Object.fromEntries(Object.entries(grads).map(([name, grad]) => [`gradient.${name}`, grad])),
    };
  };
  const graph = trace(step, {
    name: "step",
    inputs: { x: { shape: [6, 8, 6, 3], dtype: "uint8" } },
    variables: "state",
  });
  expect(graph.state.map(({ input, output }) => [input, output])).toEqual(
    ["kernel", "bias", "dense"].map((name) => [name, `${name}.next`]),
  );

  const data = pixels(6);
  const state = Object.fromEntries(
    Object.values(weights).map(({ name, shape, ...v }) => [
      name,
      { dtype: "float32" as const, shape, data: (weights[name as "bias"] ?? v).dataSync().slice() as Float32Array },
    ]),
  );
  const session = await createSession(writeOnnx(graph));
  const actual = await session.run({ x: { dtype: "uint8", shape: [6, 8, 6, 3], data }, ...state });
  const expected = step({ x: tf.tensor(data, [6, 8, 6, 3], "int32") });
  for (const [name, tensor] of Object.entries(expected)) {
    expect(largestGap(tensor.dataSync(), actual[name]!.data as Float32Array), name).toBeLessThan(1e-6);
  }
  for (const variable of Object.values(weights)) {
    expect(
      largestGap(variable.dataSync(), actual[`${variable.name}.next`]!.data as Float32Array),
      variable.name,
    ).toBeLessThan(1e-6);
  }
  await session.release();
});

test("trace() leaves variables and their values as they were", () => {
  const weights = variables();
  const before = Object.values(weights).map((variable) => variable.dataSync().slice());
  const alive = tf.memory().numTensors;
  trace(({ x }) => ({ y: encode(x!, weights) }), {
    name: "e",
    inputs: { x: { shape: ["batch", 8, 6, 3], dtype: "uint8" } },
    variables: "frozen",
  });
  expect(Object.values(weights).map((variable) => variable.dataSync())).toEqual(before);
  expect(tf.memory().numTensors).toBe(alive);
  expect(tf.getBackend()).toBe("cpu");
});

test("a graph traced with a symbolic batch gives eager tfjs's numbers at any batch size", async () => {
  const weights = variables();
  const fn = ({ x }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => ({
    y: encode(x!, weights),
    mean: tf.mean(encode(x!, weights), 0),
  });
  const graph = trace(fn, {
    name: "encode",
    inputs: { x: { shape: ["batch", 8, 6, 3], dtype: "uint8" } },
    variables: "frozen",
  });
  expect(graph.outputs[0]!.shape).toEqual(["batch", 5]);
  const session = await createSession(writeOnnx(graph));
  for (const batch of [1, 2, 7]) {
    const data = pixels(batch);
    const actual = await session.run({ x: { dtype: "uint8", shape: [batch, 8, 6, 3], data } });
    const expected = fn({ x: tf.tensor(data, [batch, 8, 6, 3], "int32") });
    expect(actual.y!.shape).toEqual([batch, 5]);
    for (const name of ["y", "mean"])
      expect(largestGap(expected[name]!.dataSync(), actual[name]!.data as Float32Array)).toBeLessThan(1e-5);
  }
  await session.release();
});

test("trace() gives the same bytes twice", () => {
  const weights = variables();
  const bytes = (): Uint8Array =>
    writeOnnx(
      trace(({ x }) => ({ y: encode(x!, weights) }), {
        name: "e",
        inputs: { x: { shape: ["batch", 8, 6, 3], dtype: "uint8" } },
        variables: "frozen",
      }),
    );
  expect(bytes()).toEqual(bytes());
});

const float = (shape: (number | "batch")[]) => ({ shape, dtype: "float32" as const });

test("trace() refuses random draws, values that are read back, and sizes that are no multiple of the batch", () => {
  expect(() => trace(() => ({ y: tf.randomNormal([3]) }), { name: "t", inputs: {}, variables: "frozen" })).toThrow(
    /randomNormal.*noise as an input/,
  );
  expect(() =>
    trace(({ x }) => ({ y: tf.scalar(x!.dataSync()[0]!) }), {
      name: "t",
      inputs: { x: float([2]) },
      variables: "frozen",
    }),
  ).toThrow(/Cannot read the value of a traced tensor \(result of input x\)/);
  expect(() =>
    trace(({ x }) => ({ y: tf.pad(x!, [[0, 1]]) }), {
      name: "t",
      inputs: { x: float(["batch"]) },
      variables: "frozen",
    }),
  ).toThrow(/must be a multiple of the batch/);
  expect(() =>
    trace(({ x }) => ({ y: tf.mul(x!, tf.range(0, x!.shape[0]!)) }), {
      name: "t",
      inputs: { x: float(["batch"]) },
      variables: "frozen",
    }),
  ).toThrow(/depend on the batch size/);
});

test("trace() puts tfjs's backend and variables back when the function throws", () => {
  const weights = variables();
  const before = weights.bias.dataSync().slice();
  expect(() =>
    trace(
      () => {
        weights.bias.assign(tf.zeros([8]));
        throw new Error("mine");
      },
      { name: "t", inputs: {}, variables: "state" },
    ),
  ).toThrow("mine");
  expect(tf.getBackend()).toBe("cpu");
  expect(weights.bias.dataSync()).toEqual(before);
});

test("trace() with frozen variables refuses a function that assigns one", () => {
  const { bias } = variables();
  expect(() =>
    trace(
      () => {
        bias.assign(tf.add(bias, 1));
        return { bias: tf.add(bias, 0) };
      },
      { name: "t", inputs: {}, variables: "frozen" },
    ),
  ).toThrow(/assigns the variable "bias"/);
});

test("a tensor made outside of the function is a constant of every graph that uses it", async () => {
  const offset = tf.tensor2d([1, 2, 3], [1, 3]);
  const fn = ({ x }: Record<string, tf.Tensor>): Record<string, tf.Tensor> => ({ y: tf.add(x!, offset) });
  const options = { name: "t", inputs: { x: float(["batch", 3]) }, variables: "frozen" } as const;
  const first = writeOnnx(trace(fn, options));
  expect(writeOnnx(trace(fn, options))).toEqual(first);
  const session = await createSession(first);
  const { y } = await session.run({ x: { dtype: "float32", shape: [1, 3], data: Float32Array.of(10, 20, 30) } });
  expect(Array.from(y!.data as Float32Array)).toEqual([11, 22, 33]);
  await session.release();
  expect(Array.from(tf.add(offset, 1).dataSync())).toEqual([2, 3, 4]);
});
