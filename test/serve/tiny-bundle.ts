import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Manifest, TaskManifest, TensorSpec } from "../../schemas/manifest.ts";
import type { Dtype } from "../../schemas/tensor.ts";
import { type TinyModel, type TinyNode, type TinyValue, tinyModel } from "../tiny-models.ts";

/** Bundles with models of a few nodes, as the exporter would write them. -1 in a shape is the batch. */
export interface TinyTask {
  readonly inputs: readonly TinySpec[];
  readonly outputs: readonly TinySpec[];
  readonly nodes: readonly TinyNode[];
}

interface TinySpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly unit?: string;
  readonly range?: readonly [number, number];
}

/** Writes `<folder>/manifest.json` and its model files; returns the manifest. */
export async function writeTinyBundle(
  folder: string,
  tasks: Readonly<Record<string, TinyTask>>,
  version = "1",
): Promise<Manifest> {
  const entries = await Promise.all(
    Object.entries(tasks).map(
      async ([name, task]) => [name, await writeTask(folder, { name, task, version })] as const,
    ),
  );
  const manifest: Manifest = {
    format: 1,
    name: path.basename(folder),
    title: `Tiny bundle ${path.basename(folder)}`,
    family: "tiny",
    recipe: "tiny",
    seed: 1,
    steps: 1,
    parameters: 0,
    created: "2026-01-01T00:00:00Z",
    producer: "test",
    data: { name: "none", summary: "no data", factors: [], provenance: {} },
    latents: [],
    tasks: Object.fromEntries(entries),
    evaluation: [],
    files: {},
  };
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify(manifest));
  return manifest;
}

async function writeTask(
  folder: string,
  { name, task, version }: { name: string; task: TinyTask; version: string },
): Promise<TaskManifest> {
  const bytes = tinyModel(modelOf(task));
  const file = `${name}/${version}/model.onnx`;
  await mkdir(path.join(folder, name, version), { recursive: true });
  await writeFile(path.join(folder, file), bytes);
  const spec = ({ name: tensor, dtype, shape, unit, range }: TinySpec): TensorSpec => ({
    name: tensor,
    dtype,
    shape: [...shape],
    ...(unit === undefined ? {} : { unit }),
    ...(range === undefined ? {} : { range: [...range] }),
    description: "",
  });
  return {
    description: `tiny task ${name}`,
    version,
    file,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes: bytes.length,
    opset: 17,
    inputs: task.inputs.map(spec),
    outputs: task.outputs.map(spec),
    parity: [],
  };
}

function modelOf({ inputs, outputs, nodes }: TinyTask): TinyModel {
  const value = ({ name, dtype, shape }: TinySpec): TinyValue => ({
    name,
    dtype,
    shape: shape.map((size) => (size === -1 ? "n" : size)),
  });
  return { inputs: inputs.map(value), outputs: outputs.map(value), nodes };
}

/** `sum[n, 2] = left[n, 2] + right[n, 2]`, `product[n, 2] = left right`, float32. */
export const arithmetic: TinyTask = {
  inputs: [
    { name: "left", dtype: "float32", shape: [-1, 2] },
    { name: "right", dtype: "float32", shape: [-1, 2] },
  ],
  outputs: [
    { name: "sum", dtype: "float32", shape: [-1, 2] },
    { name: "product", dtype: "float32", shape: [-1, 2] },
  ],
  nodes: [
    { op: "Add", inputs: ["left", "right"], outputs: ["sum"] },
    { op: "Mul", inputs: ["left", "right"], outputs: ["product"] },
  ],
};

/** `image[n, 2, 3]` uint8 to float32. */
export const toFloat: TinyTask = {
  inputs: [{ name: "image", dtype: "uint8", shape: [-1, 2, 3] }],
  outputs: [{ name: "pixels", dtype: "float32", shape: [-1, 2, 3] }],
  nodes: [{ op: "Cast", inputs: ["image"], outputs: ["pixels"], ints: { to: 1 } }],
};

/** `y[n] = x[n]` of one element type. */
export function identity(dtype: Dtype): TinyTask {
  return {
    inputs: [{ name: "x", dtype, shape: [-1] }],
    outputs: [{ name: "y", dtype, shape: [-1] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  };
}

/** `y[n] = x[n]` of whole numbers from 0 to 9: a label of ten classes. */
export const label: TinyTask = {
  ...identity("int32"),
  inputs: [{ name: "x", dtype: "int32", shape: [-1], range: [0, 9] }],
};

/** `y[n] = log x[n]`: minus infinity at 0, NaN below. */
export const logarithm: TinyTask = {
  inputs: [{ name: "x", dtype: "float32", shape: [-1] }],
  outputs: [{ name: "y", dtype: "float32", shape: [-1] }],
  nodes: [{ op: "Log", inputs: ["x"], outputs: ["y"] }],
};

/** Six products of n x n matrices made of n numbers: 12 n^3 FLOP for a body of n numbers. `x = 0` gives `y[1, 1] = 0`. */
export const heavy: TinyTask = {
  inputs: [{ name: "x", dtype: "float32", shape: [-1, 1] }],
  outputs: [{ name: "y", dtype: "float32", shape: [1, 1] }],
  nodes: [
    { op: "Transpose", inputs: ["x"], outputs: ["t"] },
    { op: "MatMul", inputs: ["x", "t"], outputs: ["m0"] },
    ...[1, 2, 3, 4, 5, 6].map((i) => ({ op: "MatMul", inputs: [`m${i - 1}`, "m0"], outputs: [`m${i}`] })),
    { op: "ReduceMax", inputs: ["m6"], outputs: ["y"], ints: { keepdims: 1 } },
  ],
};
