import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { afterEach, beforeAll, expect, test } from "vitest";
import { convert } from "../../export/convert.ts";
import { createSession } from "../../runtime/create-session.ts";
import { run } from "../serve/score/command-line.ts";
import { folder, placeholder, save, setWeights, writeJson } from "./saved-models.ts";

/** Every output of a saved model is one of the ONNX file, also where tfjs gives several of them one name. */

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

type Symbols = layers.SymbolicTensor | layers.SymbolicTensor[];

/** A model of one input `in`, [5, 3], saved; its weights are set. */
async function saved(name: string, outputsOf: (x: layers.SymbolicTensor) => Symbols): Promise<string> {
  const input = layers.input({ shape: [5, 3], name: "in" });
  const model = layers.model({ inputs: input, outputs: outputsOf(input) });
  setWeights(model);
  return save(name, model);
}

const apply = (layer: { apply(x: Symbols): unknown }, x: Symbols): Symbols => layer.apply(x) as Symbols;

function siamese(): layers.LayersModel {
  const [a, b] = [layers.input({ shape: [3], name: "a" }), layers.input({ shape: [3], name: "b" })];
  const tower = layers.layers.dense({ units: 2, name: "tower" });
  const model = layers.model({ inputs: [a, b], outputs: [a, b].map((x) => tower.apply(x) as layers.SymbolicTensor) });
  setWeights(model);
  return model;
}

test("a layer that is used on two inputs gives two outputs, each of its own input", async () => {
  const model = siamese();
  const out = path.join(folder, "siamese.onnx");
  const { graph, outputs } = await convert({ model: await save("siamese", model), out });
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ["tower", ["batch", 2]],
    ["tower_1", ["batch", 2]],
  ]);
  expect(outputs).toEqual([
    { name: "tower", source: 'layer "tower"', isPlain: false },
    { name: "tower_1", source: 'layer "tower"', isPlain: false },
  ]);
  const [a, b] = [Float32Array.of(1, 2, 3), Float32Array.of(-4, 5, 0.5)];
  const session = await createSession(out);
  const feed = (data: Float32Array<ArrayBuffer>) => ({ dtype: "float32", shape: [1, 3], data }) as const;
  const actual = await session.run({ a: feed(a), b: feed(b) });
  await session.release();
  const expected = model.predict([tf.tensor2d(a, [1, 3]), tf.tensor2d(b, [1, 3])]) as tf.Tensor[];
  for (const [i, name] of ["tower", "tower_1"].entries()) {
    const wanted = expected[i]!.dataSync();
    for (const [j, value] of wanted.entries()) expect(Number(actual[name]!.data[j])).toBeCloseTo(value, 5);
  }
});

test("a recurrent layer that returns its states gives them all, and so does one that runs both ways", async () => {
  const options = {
    units: 4,
    returnState: true,
    returnSequences: true,
    recurrentInitializer: "glorotUniform",
  } as const;
  const states: Record<string, [layer: { apply(x: Symbols): unknown }, count: number]> = {
    lstm: [layers.layers.lstm({ ...options, name: "enc" }), 3],
    gru: [layers.layers.gru({ ...options, name: "enc" }), 2],
    simple: [layers.layers.simpleRNN({ ...options, name: "enc" }), 2],
  };
  for (const [name, [layer, count]] of Object.entries(states)) {
    const { graph } = await convert({ model: await saved(`states-${name}`, (x) => apply(layer, x)) });
    expect(graph.outputs.map(({ name }) => name)).toEqual(["enc", "enc_1", "enc_2"].slice(0, count));
    expect(graph.outputs.map(({ shape }) => shape.length)).toEqual([3, 2, 2].slice(0, count));
  }
  const inner = layers.layers.gru({ units: 4, returnSequences: true, recurrentInitializer: "glorotUniform" });
  const both = layers.layers.bidirectional({ layer: inner as layers.RNN, mergeMode: null!, name: "both" });
  const { graph } = await convert({ model: await saved("both-ways", (x) => apply(both, x)) });
  expect(graph.outputs.map(({ name }) => name)).toEqual(["both", "both_1"]);
});

test("an output that is an input and a layer named as it would be are two outputs", async () => {
  const dense = layers.layers.dense({ units: 2, name: "in_output" });
  const file = await saved("passed", (x) => [x, apply(dense, x) as layers.SymbolicTensor]);
  const { graph, outputs } = await convert({ model: file });
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ["in_output_1", ["batch", 5, 3]],
    ["in_output", ["batch", 5, 2]],
  ]);
  expect(outputs.map(({ isPlain }) => isPlain)).toEqual([false, true]);
});

test("`cominfo convert` says which output of the model is which where names do not tell", async () => {
  const { code, stderr } = await run(
    ...["convert", await save("siamese-verb", siamese()), "--out", path.join(folder, "siamese-verb.onnx")],
  );
  expect([code, stderr]).toEqual([0, expect.stringContaining('tower_1 is output 2 of the model, layer "tower"')]);
  const plain = await save(
    "plain-verb",
    layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] }),
  );
  const { stderr: said } = await run("convert", plain, "--out", path.join(folder, "plain-verb.onnx"));
  expect(said).not.toContain("is output 1 of the model");
});

test("a graph model gives each result of a node that its signature lists, also twice", async () => {
  const signature = {
    inputs: { picture: { name: "picture:0" } },
    outputs: { left: { name: "halves:0" }, right: { name: "halves:1" }, again: { name: "halves:1" } },
  };
  const node = [
    placeholder("picture", [-1, 2]),
    { name: "halves", op: "Unpack", input: ["picture"], attr: { num: { i: "2" }, axis: { i: "1" } } },
  ];
  const file = writeJson("halves", {
    format: "graph-model",
    modelTopology: { node, versions: { producer: 987 } },
    weightsManifest: [],
    signature,
  });
  const out = path.join(folder, "halves.onnx");
  const { graph, outputs } = await convert({ model: file, out });
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ["halves", ["batch"]],
    ["halves:1", ["batch"]],
    ["halves:1_1", ["batch"]],
  ]);
  expect(outputs[2]).toEqual({
    name: "halves:1_1",
    source: '"again" of the signature, from "halves:1"',
    isPlain: false,
  });
  const session = await createSession(out);
  const actual = await session.run({
    picture: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  });
  await session.release();
  expect([...(actual.halves!.data as Float32Array)]).toEqual([1, 3]);
  expect([...(actual["halves:1"]!.data as Float32Array)]).toEqual([2, 4]);
  expect([...(actual["halves:1_1"]!.data as Float32Array)]).toEqual([2, 4]);
});

test("a model may call its inputs and layers as the compiler calls its own values", async () => {
  const pairs = [
    ["constant_0", "Gemm_0"],
    ["Gemm_0", "Tanh_1"],
    ["Tanh_0", "constant_1"],
    ["batch.Shape_0", "Reshape_0"],
    ["batch.constant_0", "batch.Gather_1"],
    ["dense/kernel", "dense/bias"],
  ] as const;
  for (const [i, [inputName, outputName]] of pairs.entries()) {
    const input = layers.input({ shape: [2, 3], name: inputName });
    const pieces = [
      layers.layers.flatten(),
      layers.layers.dense({ units: 4, activation: "tanh", name: "dense" }),
      layers.layers.dense({ units: 2, activation: "tanh", name: outputName }),
    ];
    const outputs = pieces.reduce((x, layer) => layer.apply(x) as layers.SymbolicTensor, input);
    const model = layers.model({ inputs: input, outputs });
    setWeights(model);
    const file = await save(`named-${i}`, model);
    const { graph, bytes } = await convert({ model: file });
    expect(graph.inputs.map(({ name }) => name)).toEqual([inputName]);
    expect(graph.outputs.map(({ name }) => name)).toEqual([outputName]);
    expect((await convert({ model: file })).bytes).toEqual(bytes);
  }
});
