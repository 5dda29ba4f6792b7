import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { afterEach, expect, test } from "vitest";
import { trace } from "../../export/trace.ts";

type Fn = (x: tf.Tensor) => tf.Tensor;

const inputs = { x: { shape: [3, 4], dtype: "float32" } } as const;
const tracing = (fn: Fn) => () => trace(({ x }) => ({ y: fn(x!) }), { name: "t", inputs, variables: "frozen" });

afterEach(() => tf.disposeVariables());

const draws: Readonly<Record<string, readonly [name: RegExp, fn: Fn]>> = {
  randomNormal: [/tf\.randomNormal/, (x) => tf.add(x, tf.randomNormal([3, 4]))],
  randomStandardNormal: [/tf\.randomStandardNormal/, (x) => tf.add(x, tf.randomStandardNormal([3, 4]))],
  randomUniform: [/tf\.randomUniform/, (x) => tf.add(x, tf.randomUniform([3, 4]))],
  "randomUniform with a seed": [/tf\.randomUniform/, (x) => tf.add(x, tf.randomUniform([3, 4], 0, 1, "float32", 7))],
  randomUniformInt: [/tf\.randomUniformInt/, (x) => tf.add(x, tf.randomUniformInt([3, 4], 0, 9))],
  randomGamma: [/tf\.randomGamma/, (x) => tf.add(x, tf.randomGamma([3, 4], 2))],
  truncatedNormal: [/tf\.truncatedNormal/, (x) => tf.add(x, tf.truncatedNormal([3, 4]))],
  rand: [
    /tf\.rand:/,
    (x) =>
      tf.add(
        x,
        tf.rand([3, 4], () => 0.5),
      ),
  ],
  multinomial: [/Multinomial/, (x) => tf.multinomial(x as tf.Tensor2D, 2)],
  "multinomial of known logits": [/Multinomial/, (x) => tf.add(x, tf.multinomial(tf.tensor2d([[0, 1, 2]]), 1))],
  dropout: [/tf\.dropout/, (x) => tf.dropout(x, 0.5)],
  "a dropout layer in training": [
    /tf\.dropout/,
    (x) => layers.layers.dropout({ rate: 0.5 }).apply(x, { training: true }) as tf.Tensor,
  ],
};

test.each(Object.entries(draws))("trace() refuses %s, and says to pass the noise as an input", (_, [name, fn]) => {
  expect(tracing(fn)).toThrow(name);
  expect(tracing(fn)).toThrow(/a random draw would be frozen into the graph\. Draw on the host and pass the noise/);
});

test("dropout with rate 0, and a dropout layer out of training, record nothing", () => {
  const graph = tracing((x) => layers.layers.dropout({ rate: 0.5 }).apply(tf.dropout(x, 0)) as tf.Tensor)();
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Identity"]);
});

test("trace() names a kernel that has no lowering, and what to do", () => {
  const missing: Readonly<Record<string, Fn>> = {
    Unique: (x) => tf.unique(tf.reshape(x, [12])).values,
    SparseToDense: (x) => tf.sparseToDense(tf.tensor1d([0, 1], "int32"), tf.slice(tf.reshape(x, [12]), 0, 2), [5]),
    FFT: (x) => tf.real(tf.fft(tf.complex(x, x))),
  };
  for (const [kernel, fn] of Object.entries(missing)) {
    const message =
      kernel === "FFT" ? /Complex|FFT/ : new RegExp(`Cannot trace the kernel ${kernel}: .*export/README.md`);
    expect(tracing(fn), kernel).toThrow(message);
  }
});

test("trace() refuses functions that read a traced value", () => {
  const reads: readonly Fn[] = [
    (x) => tf.scalar(x.dataSync()[0]!),
    (x) => tf.scalar(x.arraySync() as number),
    (x) => (x.bufferSync().get(0, 0) > 0 ? x : tf.neg(x)),
    (x) => tf.mul(x, tf.scalar(Number(tf.sum(x).dataSync()[0]))),
  ];
  for (const fn of reads) expect(tracing(fn)).toThrow(/Cannot read the value of a traced tensor/);
});

test("asynchronous reads of a traced value reject", async () => {
  const pending: Promise<unknown>[] = [];
  const async =
    (start: (x: tf.Tensor) => Promise<unknown>): Fn =>
    (x) => {
      pending.push(
        start(x).then(
          () => "read",
          (error: Error) => error.message,
        ),
      );
      return x;
    };
  tracing(async((x) => tf.whereAsync(tf.greater(x, 0))))();
  tracing(async((x) => tf.booleanMaskAsync(x, tf.greater(x, 0))))();
  tracing(async((x) => tf.setdiff1dAsync(tf.reshape(x, [12]), [1, 2])))();
  tracing(async((x) => tf.relu(x).data()))();
  for (const outcome of await Promise.all(pending)) expect(outcome).toMatch(/Cannot read the value of a traced tensor/);
});

test("trace() refuses an output that has the name of an input or of a variable", () => {
  const state = { inputs, name: "t", variables: "state" } as const;
  const bias = tf.variable(tf.zeros([4]), true, "bias");
  expect(() => trace(({ x }) => ({ x: tf.relu(x!) }), state)).toThrow(/name of its own, got "x"/);
  expect(() => trace(({ x }) => ({ bias: tf.add(x!, bias) }), state)).toThrow(/name of its own, got "bias"/);
});
