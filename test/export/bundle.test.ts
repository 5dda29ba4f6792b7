import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import * as tf from "@tensorflow/tfjs-core";
import { ModelProtoSchema } from "onnx-buf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type BundleOptions, type BundleTask, writeBundle } from "../../export/bundle.ts";
import { tritonConfig } from "../../export/triton-config.ts";
import { replaceFolder } from "../../files/replace-folder.ts";
import { createSession } from "../../runtime/create-session.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { manifestSchema } from "../../schemas/manifest.ts";
import { validate } from "../../schemas/validate.ts";

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "cominfo-bundle-"));
  await tf.setBackend("cpu");
  tf.variable(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), true, "kernel");
});
afterEach(() => {
  tf.disposeVariables();
  rmSync(folder, { recursive: true, force: true });
});

const kernel = (): tf.Tensor2D =>
  (tf.engine().state as unknown as { registeredVariables: Record<string, tf.Variable> }).registeredVariables
    .kernel as unknown as tf.Tensor2D;

const project: BundleTask = {
  name: "project",
  description: "Projects three numbers to two",
  fn: ({ x }) => {
    const y = tf.matMul(x as tf.Tensor2D, kernel());
    return { y, total: tf.sum(y, 1) };
  },
  inputs: { x: { shape: ["batch", 3], dtype: "float32", description: "three numbers" } },
  outputs: {
    y: { description: "the projection", unit: "1", names: ["left", "right"] },
    total: { description: "its sum | over both", unit: "nats" },
  },
};

const brighten: BundleTask = {
  name: "brighten",
  description: "Doubles a picture",
  fn: ({ picture }) => ({ bright: tf.mul(tf.cast(picture!, "float32"), 2) }),
  inputs: { picture: { shape: ["batch", 5, 4, 3], dtype: "uint8", description: "intensity 0..255" } },
  outputs: { bright: { description: "twice as bright", unit: "uint8 intensity" } },
};

const options = (changes: Partial<BundleOptions> = {}): BundleOptions => ({
  dir: path.join(folder, "toy"),
  about: {
    name: "toy",
    title: "A toy",
    family: "toy-family",
    recipe: "toy-recipe",
    seed: 7,
    steps: 1234,
    parameters: 6,
    created: "2026-01-02T03:04:05.000Z",
    producer: "cominfo 0.0.0",
    data: {
      name: "coins",
      summary: "two coins",
      factors: [{ name: "side", size: 2, role: "common" }],
      commonInformationBits: 1,
      provenance: { generator: "coins 1" },
    },
    latents: [{ name: "common", dimensions: ["common_0"] }],
    evaluation: [
      {
        quantity: "usable.side.common",
        unit: "bits",
        value: 0.987654,
        estimator: "linear probe",
        n: 2000,
        seed: 7,
        interval: [0.9, 1],
        minimum: 0.9,
        met: true,
      },
    ],
  },
  tasks: [project, brighten],
  ...changes,
});

const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

test("writeBundle() writes a Triton repository with manifest and card, all hashed, and nothing beside it", async () => {
  const stages: string[] = [];
  const manifest = await writeBundle(
    options({ onProgress: ({ task, index, count, stage }) => stages.push(`${index}/${count} ${task} ${stage}`) }),
  );
  const dir = path.join(folder, "toy");
  expect(readdirSync(folder)).toEqual(["toy"]);
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
  expect(files).toEqual([
    "README.md",
    "brighten/1/model.onnx",
    "brighten/config.pbtxt",
    "manifest.json",
    "project/1/model.onnx",
    "project/config.pbtxt",
  ]);
  const stored = JSON.parse(readFileSync(path.join(dir, "manifest.json"), "utf8")) as unknown;
  expect(validate(manifestSchema, stored, "read it")).toEqual(manifest);
  expect(Object.keys(manifest.files).sort()).toEqual(files.filter((file) => file !== "manifest.json"));
  for (const [file, hash] of Object.entries(manifest.files)) expect(sha256(path.join(dir, file)), file).toBe(hash);
  expect(manifest.tasks.project!.sha256).toBe(manifest.files["project/1/model.onnx"]);
  expect(manifest.tasks.project!.outputs).toEqual([
    { name: "y", dtype: "float32", shape: [-1, 2], description: "the projection", unit: "1", names: ["left", "right"] },
    { name: "total", dtype: "float32", shape: [-1], description: "its sum | over both", unit: "nats" },
  ]);
  expect(manifest.tasks.brighten!.parity.map(({ reference, batch }) => `${reference} ${batch}`)).toEqual(
    ["onnxruntime wasm", "tfjs cpu, eager"].flatMap((name) => [1, 2, 7].map((batch) => `${name} ${batch}`)),
  );
  expect(stages).toEqual(
    ["1/2 project", "2/2 brighten"].flatMap((task) =>
      ["trace", "check", "parity", "done"].map((stage) => `${task} ${stage}`),
    ),
  );
});

test("a task's file computes with the frozen values and carries names and units in its metadata", async () => {
  await writeBundle(options());
  const file = path.join(folder, "toy/project/1/model.onnx");
  const session = await createSession(file);
  const { y, total } = await session.run({ x: { dtype: "float32", shape: [1, 3], data: Float32Array.of(1, 10, 100) } });
  expect(Array.from(y!.data as Float32Array)).toEqual([531, 642]);
  expect(Array.from(total!.data as Float32Array)).toEqual([1173]);
  await session.release();
  const model = fromBinary(ModelProtoSchema, readFileSync(file));
  expect(Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]))).toEqual({
    bundle: "toy",
    task: "project",
    description: "Projects three numbers to two",
    family: "toy-family",
    recipe: "toy-recipe",
    seed: "7",
    producer: "cominfo 0.0.0",
    "input.x": "three numbers",
    "output.y": "the projection",
    "output.y.unit": "1",
    "output.y.names": "left, right",
    "output.total": "its sum | over both",
    "output.total.unit": "nats",
  });
});

test("the same bundle written twice has the same bytes", async () => {
  const first = await writeBundle(options());
  expect(await writeBundle(options())).toEqual(first);
});

test("the model card has the tasks with shapes and units, the figures in bits and the commands", async () => {
  await writeBundle(options());
  const card = readFileSync(path.join(folder, "toy/README.md"), "utf8");
  expect(card).toContain("# A toy\n");
  expect(card).toContain("| out | `total` | float32 [-1] | nats | its sum \\| over both |");
  expect(card).toContain(
    "| `usable.side.common` | bits | 0.988 | 0.900 to 1.000 | at least 0.9 | yes | linear probe | 2,000 |",
  );
  expect(card).toContain("| side | 2 | 1.000 | common to both views |");
  expect(card).toContain("/v2/models/toy.project/infer");
  expect(card).toContain('ort.InferenceSession("project/1/model.onnx")');
  expect(card).toMatch(/tritonserver --model-repository/);
});

test("the model card tells the tolerance that the files were proved with", async () => {
  const cardOf = async (changes: Partial<BundleOptions>): Promise<string> => {
    await writeBundle(options({ tasks: [project], ...changes }));
    return readFileSync(path.join(folder, "toy/README.md"), "utf8");
  };
  expect(await cardOf({})).toContain("An export above 1e-5 is refused.");
  expect(await cardOf({ tolerance: 2e-5 })).toContain("An export above 2e-5 is refused.");
});

test("Triton's dimensions leave the batch out; a tensor without others is [1] and reshaped", () => {
  const spec = (name: string, shape: number[]) => ({ name, dtype: "float32" as const, shape, description: "" });
  expect(tritonConfig("t", { inputs: [spec("x", [-1, 3])], outputs: [spec("y", [-1])] })).toBe(
    `name: "t"
platform: "onnxruntime_onnx"
max_batch_size: 128
input [
  {
    name: "x"
    data_type: TYPE_FP32
    dims: [ 3 ]
  }
]
output [
  {
    name: "y"
    data_type: TYPE_FP32
    dims: [ 1 ]
    reshape { shape: [ ] }
  }
]
dynamic_batching { }
`,
  );
});

test("Triton batches nothing where an output has no batch dimension", () => {
  const spec = (name: string, shape: number[]) => ({ name, dtype: "uint8" as const, shape, description: "" });
  const config = tritonConfig("t", { inputs: [spec("x", [-1, 3])], outputs: [spec("mean", [3])] });
  expect(config).toContain("max_batch_size: 0");
  expect(config).toContain("dims: [ -1, 3 ]");
  expect(config).not.toContain("dynamic_batching");
});

test("an export replaces a bundle and leaves nothing of it", async () => {
  await writeBundle(options());
  await writeBundle(options({ tasks: [brighten] }));
  expect(readdirSync(path.join(folder, "toy")).sort()).toEqual(["README.md", "brighten", "manifest.json"]);
  expect(readdirSync(folder)).toEqual(["toy"]);
});

test("an export to a link goes where it leads, replaces the bundle there, and leaves the link", async () => {
  mkdirSync(path.join(folder, "disk"));
  symlinkSync(path.join("disk", "toy-2"), path.join(folder, "toy"));
  await writeBundle(options());
  await writeBundle(options({ tasks: [brighten], keepVersions: 1 }));
  expect(lstatSync(path.join(folder, "toy")).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["disk", "toy"]);
  expect(readdirSync(path.join(folder, "disk"))).toEqual(["toy-2"]);
  expect(readdirSync(path.join(folder, "disk/toy-2")).sort()).toEqual(["README.md", "brighten", "manifest.json"]);
  expect(readdirSync(path.join(folder, "disk/toy-2/brighten")).sort()).toEqual(["1", "2", "config.pbtxt"]);
});

test("an export refuses a folder that holds something else, and a file, before it works", async () => {
  mkdirSync(path.join(folder, "toy"));
  writeFileSync(path.join(folder, "toy", "thesis.txt"), "mine");
  const stages: string[] = [];
  const attempt = options({ onProgress: ({ stage }) => stages.push(stage) });
  await expect(writeBundle(attempt)).rejects.toThrow(
    /Cannot export to ".*toy": it must be a bundle or empty, got a folder with "thesis.txt"/,
  );
  expect(stages).toEqual([]);
  expect(readFileSync(path.join(folder, "toy", "thesis.txt"), "utf8")).toBe("mine");
  writeFileSync(path.join(folder, "file"), "");
  await expect(writeBundle(options({ dir: path.join(folder, "file") }))).rejects.toThrow(
    /it must be a folder, got a file/,
  );
  await expect(writeBundle(options({ dir: path.join(folder, "file", "below") }))).rejects.toThrow(UsageError);
});

test("a failed export leaves the old bundle as it was and nothing beside it", async () => {
  await writeBundle(options());
  const before = sha256(path.join(folder, "toy/manifest.json"));
  let calls = 0;
  const unsteady: BundleTask = {
    ...project,
    name: "unsteady",
    fn: ({ x }) => ({ y: tf.add(x!, calls++ < 2 ? 1 : 2), total: tf.sum(x!, 1) }), // the trace makes two calls
  };
  const attempt = writeBundle(options({ tasks: [project, unsteady] }));
  await expect(attempt).rejects.toThrow(FailureError);
  await expect(attempt).rejects.toThrow(/Cannot export "unsteady": output "y" must agree with tfjs cpu, eager/);
  expect(sha256(path.join(folder, "toy/manifest.json"))).toBe(before);
  expect(readdirSync(folder)).toEqual(["toy"]);
});

test("an export that cannot be written says why in one line and leaves nothing", async () => {
  writeFileSync(path.join(folder, "file"), "");
  const attempt = replaceFolder(path.join(folder, "file", "bundle"), new Map([["a", new Uint8Array()]]));
  await expect(attempt).rejects.toThrow(/Cannot write ".*": it must be in a folder, got a file on the way to it/);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("an export clears away what a killed one left, and brings back a bundle that was moved aside", async () => {
  const dead = 2 ** 22 + 1; // above the largest process number of Linux
  mkdirSync(path.join(folder, `.toy.tmp-${dead}`));
  mkdirSync(path.join(folder, `.toy.old-${dead}`));
  mkdirSync(path.join(folder, `.other.tmp-${dead}`));
  writeFileSync(path.join(folder, `.toy.old-${dead}`, "manifest.json"), "{}");
  await replaceFolder(path.join(folder, "toy"), new Map([["deep/er/new", new Uint8Array([1])]]));
  expect(readdirSync(folder).sort()).toEqual([`.other.tmp-${dead}`, "toy"]);
  expect(existsSync(path.join(folder, "toy", "manifest.json"))).toBe(false);
  expect(readFileSync(path.join(folder, "toy/deep/er/new"))).toEqual(Buffer.from([1]));
});

test("a task whose input and output share a name, or whose outputs are not those declared, is refused", async () => {
  const clash = { ...brighten, outputs: { picture: { description: "", unit: "" } } };
  await expect(writeBundle(options({ tasks: [clash] }))).rejects.toThrow(
    /Cannot export "brighten": inputs and outputs must have different names.*got "picture" twice/,
  );
  const other = { ...brighten, outputs: { dark: { description: "", unit: "" } } };
  await expect(writeBundle(options({ tasks: [other] }))).rejects.toThrow(/its outputs must be dark, got bright/);
  await expect(writeBundle(options({ tasks: [] }))).rejects.toThrow(/must have a task/);
  await expect(writeBundle(options({ tasks: [{ ...project, name: "../x" }] }))).rejects.toThrow(/its name must be/);
  const doubled: BundleTask = {
    ...project,
    fn: ({ x }) => ({ y: tf.concat([x!, x!], 0), total: tf.sum(x!, 1) }),
  };
  await expect(writeBundle(options({ tasks: [doubled] }))).rejects.toThrow(
    /sizes of "y" must be numbers or the batch, got \[2\*batch, 3\]/,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test("keepVersions leaves earlier versions beside the new one, the newest first, and no more than asked for", async () => {
  await writeBundle(options());
  const first = readFileSync(path.join(folder, "toy", "project", "1", "model.onnx"));
  kernel().dispose();
  tf.disposeVariables();
  tf.variable(tf.tensor2d([6, 5, 4, 3, 2, 1], [3, 2]), true, "kernel");
  const second = await writeBundle(options({ keepVersions: 1 }));
  expect(second.tasks.project).toMatchObject({
    version: "2",
    earlier: [{ version: "1", file: "project/1/model.onnx" }],
  });
  expect(readFileSync(path.join(folder, "toy", "project", "1", "model.onnx"))).toEqual(first);
  const third = await writeBundle(options({ keepVersions: 1 }));
  expect(third.tasks.project).toMatchObject({ version: "3", earlier: [{ version: "2" }] });
  expect(third.tasks.project!.earlier![0], "nothing is nested").not.toHaveProperty("earlier");
  expect(readdirSync(path.join(folder, "toy", "project")).sort()).toEqual(["2", "3", "config.pbtxt"]);
  for (const [file, hash] of Object.entries(third.files)) {
    const bytes = readFileSync(path.join(folder, "toy", file));
    expect(createHash("sha256").update(bytes).digest("hex"), file).toBe(hash);
  }
  expect((await writeBundle(options())).tasks.project).toMatchObject({ version: "1" });
});
