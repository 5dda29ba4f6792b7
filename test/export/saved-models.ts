import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as layers from "@tensorflow/tfjs-layers";
import { afterAll } from "vitest";
import "../../export/tfjs-setup.ts";

/** Models as tfjs saves them, in a folder that goes away with the test file. */

export const folder = mkdtempSync(path.join(tmpdir(), "cominfo-convert-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes model.json and its weights in two shards, as tfjs-node does. */
export async function save(name: string, model: layers.LayersModel): Promise<string> {
  const dir = path.join(folder, name);
  mkdirSync(dir, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData, ...rest }) => {
      const bytes = Buffer.from(weightData as ArrayBuffer);
      const half = Math.floor(bytes.length / 2);
      writeFileSync(path.join(dir, "group1-shard1of2.bin"), bytes.subarray(0, half));
      writeFileSync(path.join(dir, "group1-shard2of2.bin"), bytes.subarray(half));
      const paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
      writeJson(name, { ...rest, modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] });
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return path.join(dir, "model.json");
}

export function writeJson(name: string, json: object): string {
  mkdirSync(path.join(folder, name), { recursive: true });
  const file = path.join(folder, name, "model.json");
  writeFileSync(file, JSON.stringify(json));
  return file;
}

/** Weights that are no accident of an initialiser: moving averages of batch normalisation stay positive. */
export function setWeights(model: layers.LayersModel): void {
  let at = 0;
  const weights = model.getWeights().map((weight) => {
    const values = Float32Array.from({ length: weight.size }, () => {
      at = (at * 16807 + 11) % 2147483647;
      return 0.1 + 0.5 * (at / 2147483647 - 0.3);
    });
    return tf.tensor(values, weight.shape);
  });
  model.setWeights(weights);
}

export const placeholder = (name: string, sizes: readonly number[], dtype = "DT_FLOAT") => ({
  name,
  op: "Placeholder",
  attr: { shape: { shape: { dim: sizes.map((size) => ({ size: String(size) })) } }, dtype: { type: dtype } },
});
const constant = (name: string) => ({ name, op: "Const", attr: { dtype: { type: "DT_FLOAT" } } });
const text = (value: string) => ({ s: Buffer.from(value).toString("base64") });

/** relu(conv(x) + b) averaged over the picture, then softmax(h w + c): a GraphDef as TensorFlow's converter writes it. */
export function graphModel(
  name: string,
  change: (json: { modelTopology: { node: object[] } }) => void = () => {},
): string {
  const weights = [
    { name: "kernel", shape: [3, 2, 3, 4], dtype: "float32" },
    { name: "bias", shape: [4], dtype: "float32" },
    { name: "dense", shape: [4, 5], dtype: "float32" },
    { name: "offset", shape: [5], dtype: "float32" },
  ];
  const count = weights.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape), 0);
  const json = {
    format: "graph-model",
    modelTopology: {
      node: [
        placeholder("picture", [-1, 7, 6, 3]),
        constant("kernel"),
        constant("bias"),
        constant("dense"),
        constant("offset"),
        {
          name: "conv",
          op: "Conv2D",
          input: ["picture", "kernel"],
          attr: {
            strides: { list: { i: ["1", "2", "1", "1"] } },
            padding: text("SAME"),
            data_format: text("NHWC"),
            dilations: { list: { i: ["1", "1", "1", "1"] } },
            T: { type: "DT_FLOAT" },
          },
        },
        { name: "biased", op: "BiasAdd", input: ["conv", "bias"], attr: { data_format: text("NHWC") } },
        { name: "hidden", op: "Relu", input: ["biased"], attr: {} },
        { name: "axes", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "pooled", op: "Mean", input: ["hidden", "axes"], attr: { keep_dims: { b: false } } },
        {
          name: "product",
          op: "MatMul",
          input: ["pooled", "dense"],
          attr: { transpose_a: { b: false }, transpose_b: { b: false } },
        },
        { name: "logits", op: "BiasAdd", input: ["product", "offset"], attr: { data_format: text("NHWC") } },
        { name: "classes", op: "Softmax", input: ["logits"], attr: {} },
      ],
      versions: { producer: 987 },
    },
    weightsManifest: [{ paths: ["weights.bin"], weights: [...weights, { name: "axes", shape: [2], dtype: "int32" }] }],
  };
  change(json);
  const file = writeJson(name, json);
  const floats = Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) / 2);
  const axes = Int32Array.of(1, 2);
  writeFileSync(
    path.join(folder, name, "weights.bin"),
    Buffer.concat([Buffer.from(floats.buffer), Buffer.from(axes.buffer)]),
  );
  return file;
}
