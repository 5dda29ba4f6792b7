import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { Command } from "commander";
import { afterEach, beforeAll, expect, test } from "vitest";
import { addConvertCommand } from "../../export/command.ts";
import { convert } from "../../export/convert.ts";
import "../../export/tfjs-setup.ts";
import { createSession } from "../../runtime/create-session.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { folder, graphModel, placeholder, save, setWeights, writeJson } from "./saved-models.ts";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

function imageModel(): layers.LayersModel {
  const input = layers.input({ shape: [12, 8, 3], name: "picture" });
  const convolution = layers.layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: 2, padding: "same" });
  const pieces = [
    convolution,
    layers.layers.batchNormalization({}),
    layers.layers.activation({ activation: "relu" }),
    layers.layers.maxPooling2d({ poolSize: 2 }),
    layers.layers.upSampling2d({ size: [2, 2] }),
    layers.layers.averagePooling2d({ poolSize: [2, 1], strides: [2, 1] }),
    layers.layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "valid" }),
    layers.layers.dropout({ rate: 0.5 }),
    layers.layers.flatten(),
  ];
  const hidden = pieces.reduce((x, layer) => layer.apply(x) as layers.SymbolicTensor, input);
  const classes = layers.layers.dense({ units: 6, activation: "softmax", name: "classes" }).apply(hidden);
  const size = layers.layers.dense({ units: 1, name: "size" }).apply(hidden);
  return layers.model({ inputs: input, outputs: [classes, size] as layers.SymbolicTensor[], name: "pictures" });
}

test("a layers model of images keeps its numbers, at any batch size, with dropout off", async () => {
  const model = imageModel();
  setWeights(model);
  const file = await save("images", model);
  const out = path.join(folder, "deep/er/images.onnx");
  const { format, graph, parity } = await convert({ model: file, out });
  expect(format).toBe("layers model");
  expect(graph.name).toBe("images");
  expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([["picture", ["batch", 12, 8, 3]]]);
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ["classes", ["batch", 6]],
    ["size", ["batch", 1]],
  ]);
  expect(Math.max(...parity.map(({ maxRelativeError }) => maxRelativeError))).toBeLessThan(1e-5);

  const data = Float32Array.from({ length: 3 * 12 * 8 * 3 }, (_, i) => Math.sin(i));
  const [classes, size] = model.predict(tf.tensor(data, [3, 12, 8, 3])) as tf.Tensor[];
  const session = await createSession(out);
  const actual = await session.run({ picture: { dtype: "float32", shape: [3, 12, 8, 3], data } });
  await session.release();
  for (const [name, expected] of Object.entries({ classes: classes!, size: size! })) {
    const values = expected.dataSync();
    const scale = Math.max(...Array.from(values, Math.abs));
    for (const [i, value] of values.entries()) {
      expect(Math.abs((actual[name]!.data as Float32Array)[i]! - value) / scale, name).toBeLessThan(1e-5);
    }
  }
});

test("a fixed batch and a name can be asked for, and the same model gives the same bytes", async () => {
  const file = await save("fixed", layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] }));
  const { graph, bytes } = await convert({ model: file, batch: 4, name: "mine" });
  expect(graph.name).toBe("mine");
  expect(graph.inputs[0]!.shape).toEqual([4, 3]);
  expect(graph.outputs[0]!.shape).toEqual([4, 2]);
  expect((await convert({ model: file, batch: 4, name: "mine" })).bytes).toEqual(bytes);
});

test("a model with an embedding is compared on indices that its table has", async () => {
  const model = layers.sequential({
    layers: [
      layers.layers.embedding({ inputDim: 9, outputDim: 4, inputLength: 5 }),
      layers.layers.flatten(),
      layers.layers.dense({ units: 3 }),
    ],
  });
  setWeights(model);
  const { graph, parity } = await convert({ model: await save("words", model) });
  expect(graph.nodes.map(({ op }) => op)).toContain("Gather");
  expect(parity.length).toBeGreaterThan(0);
});

test("a recurrent model keeps its numbers", async () => {
  const recurrentInitializer = "glorotUniform"; // the default cannot be made without tfjs's union package
  const lstm = layers.layers.lstm({ units: 3, inputShape: [4, 2], recurrentInitializer });
  const model = layers.sequential({ layers: [lstm] });
  setWeights(model);
  const file = await save("recurrent", model);
  const json = readFileSync(file, "utf8");
  const asUsual = json.replace(/("recurrent_initializer":)\{"class_name":"\w+"/, '$1{"class_name":"Orthogonal"');
  expect(asUsual).not.toBe(json);
  writeFileSync(file, asUsual);
  const { graph, parity } = await convert({ model: file });
  expect(graph.outputs[0]!.shape).toEqual(["batch", 3]);
  expect(parity.length).toBeGreaterThan(0);
});

test("a layer that keeps its state from call to call is refused by its name, also inside of another", async () => {
  const options = { units: 4, stateful: true, recurrentInitializer: "glorotUniform", name: "memory" } as const;
  const lstm = (): layers.RNN => layers.layers.lstm(options) as layers.RNN;
  const inside = {
    alone: () => lstm(),
    "both-ways": () => layers.layers.bidirectional({ layer: lstm(), mergeMode: "sum", name: "memory" }),
    nested: () => layers.sequential({ layers: [layers.layers.inputLayer({ batchInputShape: [3, 5, 2] }), lstm()] }),
  };
  for (const [name, make] of Object.entries(inside)) {
    const input = layers.input({ batchShape: [3, 5, 2], name: "in" });
    const outputs = make().apply(input) as layers.SymbolicTensor;
    const attempt = convert({ model: await save(`stateful-${name}`, layers.model({ inputs: input, outputs })) });
    await expect(attempt).rejects.toThrow(FailureError);
    await expect(attempt).rejects.toThrow(
      /layer "\w*memory" must not keep its state from call to call, got stateful: true/,
    );
  }
});

test("a layer that looks at the values of its input is refused by its name", async () => {
  const input = layers.input({ shape: [3], name: "in" });
  const encoding = layers.layers.categoryEncoding({ numTokens: 5, outputMode: "multiHot", name: "tokens" });
  const model = layers.model({ inputs: input, outputs: encoding.apply(input) as layers.SymbolicTensor });
  await expect(convert({ model: await save("tokens", model) })).rejects.toThrow(
    /layer "tokens" must not look at the values of its input, got a CategoryEncoding/,
  );
});

test("a graph model that reads a value while it computes is refused without advice for who writes functions", async () => {
  const node = [
    placeholder("picture", [4, 2]),
    placeholder("sizes", [2], "DT_INT32"),
    { name: "turned", op: "Reshape", input: ["picture", "sizes"], attr: {} },
  ];
  const modelTopology = { node, versions: { producer: 987 } };
  const model = writeJson("reading", { format: "graph-model", modelTopology, weightsManifest: [] });
  await expect(convert({ model })).rejects.toThrow(
    /^Cannot convert ".*": Cannot read the value of a traced tensor \(result of input sizes\): it has no value until the graph runs$/,
  );
});

test("a layer whose kernel has no ONNX form is refused by the kernel's name", async () => {
  const model = layers.sequential({
    layers: [layers.layers.conv3d({ filters: 2, kernelSize: 2, inputShape: [3, 4, 5, 1] })],
  });
  await expect(convert({ model: await save("volumes", model) })).rejects.toThrow(
    /^Cannot convert ".*": Cannot trace the kernel Conv3D: it has no ONNX lowering/,
  );
});

test("a graph model keeps its numbers, at any batch size", async () => {
  const { format, graph, parity } = await convert({ model: graphModel("graph") });
  expect(format).toBe("graph model");
  expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([["picture", ["batch", 7, 6, 3]]]);
  expect(graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([["classes", ["batch", 5]]]);
  expect(graph.nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(["Conv", "Relu", "Gemm", "Softmax"]));
  expect(parity.map(({ batch }) => batch)).toEqual([1, 2, 7, 1, 2, 7]);
});

test("an operation that has no ONNX form is named, by tfjs's converter or by the compiler", async () => {
  const unknown = graphModel("unknown-op", ({ modelTopology: { node } }) => {
    Object.assign(node.find((n) => (n as { name: string }).name === "hidden")!, { op: "Fancy" });
  });
  await expect(convert({ model: unknown })).rejects.toThrow(/^Cannot convert ".*": .*Fancy.*$/);
  const random = graphModel("random-op", ({ modelTopology: { node } }) => {
    const shape = { name: "shape", op: "Const", attr: { dtype: { type: "DT_INT32" } } };
    node.splice(0, node.length, placeholder("picture", [-1, 2]), shape, {
      name: "noise",
      op: "Multinomial",
      input: ["picture", "shape"],
      attr: { seed: { i: "1" } },
    });
  });
  await expect(convert({ model: random })).rejects.toThrow(/Cannot convert/);
});

test("a missing or short shard, another file, and options that cannot be used are one-line errors", async () => {
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] });
  const file = await save("broken", model);
  const shard = path.join(path.dirname(file), "group1-shard2of2.bin");
  const bytes = readFileSync(shard);
  const refused = async (wanted: RegExp, kind: typeof UsageError | typeof FailureError, options = {}) => {
    const attempt = convert({ model: file, ...options });
    await expect(attempt).rejects.toThrow(wanted);
    await expect(attempt).rejects.toThrow(kind);
    await attempt.catch((error: Error) => expect(error.message).not.toContain("\n"));
  };
  writeFileSync(shard, bytes.subarray(1));
  await refused(/its weight shards must hold 32 bytes, got 31; copy them again/, FailureError);
  rmSync(shard);
  await refused(/weight shard "group1-shard2of2.bin" must lie beside it/, FailureError);
  writeFileSync(shard, bytes);
  await refused(/opset must be 17, got 9/, UsageError, { opset: 9 });
  await refused(/batch must be dynamic or a whole number from 1 to 65536, got 0/, UsageError, { batch: 0 });
  const other = (name: string, json: object): object => ({ model: writeJson(name, json) });
  await refused(/got nothing there/, UsageError, { model: path.join(folder, "nowhere.json") });
  await refused(/got a folder; name the file in it/, UsageError, { model: folder });
  await refused(/got a file that is not JSON/, UsageError, { model: shard });
  await refused(/got JSON without "modelTopology"/, UsageError, other("a", { name: "package" }));
  await refused(/got JSON without "weightsManifest"/, UsageError, other("b", { modelTopology: {} }));
  const layer = { class_name: "Sequential", config: { layers: [{ class_name: "Fancy", config: {} }] } };
  await refused(/Unknown layer: Fancy/, FailureError, other("c", { modelTopology: layer, weightsManifest: [] }));
  const open = layers.sequential({
    layers: [layers.layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [null, 4, 1] })],
  });
  await refused(/must have fixed sizes but for its first axis, got \[\?, \?, 4, 1\]/, UsageError, {
    model: await save("open", open),
  });
});

test("a weight that is NaN or infinite is refused by its name, its place and its value", async () => {
  const dense = layers.layers.dense({ units: 2, inputShape: [3], name: "scores" });
  const model = layers.sequential({ layers: [dense] });
  for (const [i, bad] of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].entries()) {
    model.setWeights([tf.tensor2d([1, 2, 3, bad, bad, 6], [3, 2]), tf.tensor1d([1, 2])]);
    const out = path.join(folder, `not-finite-${i}.onnx`);
    const attempt = convert({ model: await save(`not-finite-${i}`, model), out });
    await expect(attempt).rejects.toThrow(FailureError);
    await expect(attempt).rejects.toThrow(`weight "scores/kernel" must be finite numbers, got ${bad} at [1, 1]; `);
    expect(existsSync(out)).toBe(false);
  }
  const graph = graphModel("not-finite-graph");
  const shard = path.join(path.dirname(graph), "weights.bin");
  const bytes = readFileSync(shard);
  bytes.writeFloatLE(Number.NaN, 4 * (3 * 2 * 3 * 4 + 3));
  writeFileSync(shard, bytes);
  await expect(convert({ model: graph })).rejects.toThrow('weight "bias" must be finite numbers, got NaN at [3]; ');
});

test("a single infinity in a graph model is a bound, and stays", async () => {
  const modelTopology = {
    node: [
      placeholder("picture", [-1, 2]),
      { name: "bound", op: "Const", attr: { dtype: { type: "DT_FLOAT" } } },
      { name: "below", op: "Minimum", input: ["picture", "bound"], attr: {} },
    ],
    versions: { producer: 987 },
  };
  const weightsManifest = [{ paths: ["weights.bin"], weights: [{ name: "bound", shape: [], dtype: "float32" }] }];
  const model = writeJson("bound", { format: "graph-model", modelTopology, weightsManifest });
  writeFileSync(path.join(path.dirname(model), "weights.bin"), Buffer.from(Float32Array.of(Infinity).buffer));
  const { parity } = await convert({ model });
  expect(parity.length).toBeGreaterThan(0);
});

test("a failed conversion leaves the file that was there, and nothing beside it", async () => {
  const dir = path.join(folder, "kept");
  mkdirSync(dir);
  const out = path.join(dir, "model.onnx");
  writeFileSync(out, "older");
  await expect(convert({ model: path.join(folder, "nowhere.json"), out })).rejects.toThrow(UsageError);
  expect(readFileSync(out, "utf8")).toBe("older");
  expect(readdirSync(dir)).toEqual(["model.onnx"]);
});

test("a file of the model itself is never written over, by whatever path it is named", async () => {
  const file = await save("own", layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] }));
  const dir = path.dirname(file);
  const shard = path.join(dir, "group1-shard2of2.bin");
  symlinkSync(file, path.join(folder, "own-link.onnx"));
  symlinkSync(dir, path.join(folder, "own-folder"));
  const before = readdirSync(dir).map((name) => readFileSync(path.join(dir, name)));
  for (const out of [
    file,
    `${folder}/./fixed/../own/model.json`,
    path.relative(process.cwd(), file),
    shard,
    path.join(folder, "own-link.onnx"),
    path.join(folder, "own-folder", path.basename(shard)),
  ]) {
    const attempt = convert({ model: file, out });
    await expect(attempt, out).rejects.toThrow(UsageError);
    await expect(attempt, out).rejects.toThrow(
      /^Cannot convert ".*model.json": out must be a file of its own, got ".*", which is the model's ".*"; choose another/,
    );
  }
  expect(readdirSync(dir).map((name) => readFileSync(path.join(dir, name)))).toEqual(before);
});

test("`cominfo convert` writes the file that its flags ask for", async () => {
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 2, inputShape: [3] })] });
  const file = await save("verb", model);
  const out = path.join(folder, "verb.onnx");
  const program = new Command().exitOverride();
  addConvertCommand(program);
  await program.parseAsync(["convert", file, "--out", out, "--batch", "2"], { from: "user" });
  const session = await createSession(out);
  expect(session.inputNames).toEqual([model.inputs[0]!.sourceLayer.name]);
  expect(session.inputs[0]!.shape).toEqual([2, 3]);
  await session.release();
});

test("a batch that is no size, or one that no memory holds, is refused as an option", async () => {
  const program = new Command().exitOverride();
  addConvertCommand(program);
  for (const text of ["x", "", "0", "-1", "1.5", "65537", "1000000000000", "9".repeat(400)]) {
    const attempt = program.parseAsync(["convert", "m.json", "--out", "o.onnx", "--batch", text], { from: "user" });
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(
      `Cannot convert: --batch must be dynamic or a whole number from 1 to 65536, got "${text}"`,
    );
  }
  const tooLarge = convert({ model: graphModel("too-large"), batch: 1e12 });
  await expect(tooLarge).rejects.toThrow(
    /": batch must be dynamic or a whole number from 1 to 65536, got 1000000000000$/,
  );
});

test("a batch whose input no memory holds is refused with the input", async () => {
  const scale = layers.layers.globalAveragePooling2d({ inputShape: [224, 224, 3], dataFormat: "channelsLast" });
  const attempt = convert({ model: await save("pictures", layers.sequential({ layers: [scale] })), batch: 65_536 });
  await expect(attempt).rejects.toThrow(UsageError);
  await expect(attempt).rejects.toThrow(
    /input "\w+" must hold at most 134217728 numbers to be compared with tfjs, got 9865003008 \(\[65536, 224, 224, 3\]\); choose/,
  );
});

test("an opset that the compiler does not write is refused with the text that was given", async () => {
  const program = new Command().exitOverride();
  addConvertCommand(program);
  for (const text of ["abc", "", "9", "18"]) {
    const attempt = program.parseAsync(["convert", "m.json", "--out", "o.onnx", "--opset", text], { from: "user" });
    await expect(attempt).rejects.toThrow(UsageError);
    await expect(attempt).rejects.toThrow(`Cannot convert: --opset must be 17, got "${text}"`);
  }
  const asked = program.parseAsync(["convert", "m.json", "--out", "o.onnx", "--opset", "17"], { from: "user" });
  await expect(asked).rejects.toThrow("got nothing there");
});
