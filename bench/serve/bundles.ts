import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import type { TensorFunction } from "../../export/traced-function.ts";
import { gkVaeConfigSchema } from "../../schemas/gk-vae-config.ts";
import type { Manifest, TaskManifest } from "../../schemas/manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { gkVae } from "../../train/models/gk-vae.ts";

/** Bundles that need no training, with one task, `encode`. */

/**
 * The encoder of one 64x64x3 view of the GK-VAE, with fresh weights: how fast it answers does not depend on what it has
 * learned.
 */
export async function writeEncoderBundle(folder: string): Promise<TaskManifest> {
  const config = validate(
    gkVaeConfigSchema,
    { image: { size: 64, channels: 3 }, latents: { common: 3, unique: 3 } },
    "configure the benchmark",
  );
  await tf.setBackend("cpu");
  const networks = gkVae.networks(config, 0);
  const task = gkVae.tasks(config).encode_1!;
  try {
    return writeTraced(folder, { fn: (inputs) => task.run(networks, inputs), inputs: task.inputs });
  } finally {
    for (const variable of Object.values(networks)) variable.dispose();
  }
}

/** `y[n, 1] = x[n, 1]`, int32. @param state changes the manifest, and with it what a reload sees */
export async function writeCopyBundle(folder: string, state: number): Promise<TaskManifest> {
  await tf.setBackend("cpu");
  return writeTraced(folder, {
    fn: ({ x }) => ({ y: tf.add(x!, tf.scalar(0, "int32")) }),
    inputs: { x: { dtype: "int32", shape: ["batch", 1] } },
    state,
  });
}

function writeTraced(
  folder: string,
  { fn, inputs, state = 0 }: { fn: TensorFunction; inputs: Parameters<typeof trace>[1]["inputs"]; state?: number },
): TaskManifest {
  const graph = trace(fn, { name: "encode", inputs, variables: "frozen" });
  const bytes = writeOnnx(graph);
  const specs = (values: typeof graph.inputs): TaskManifest["inputs"] =>
    values.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: shape.map((size) => (typeof size === "number" ? size : -1)),
      description: "",
    }));
  const spec: TaskManifest = {
    description: "no description",
    version: "1",
    file: "encode/1/model.onnx",
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes: bytes.length,
    opset: graph.opset,
    inputs: specs(graph.inputs),
    outputs: specs(graph.outputs),
    parity: [],
  };
  const manifest: Manifest = {
    format: 1,
    name: path.basename(folder),
    title: "Made by a benchmark",
    family: "none",
    recipe: "none",
    seed: state,
    steps: 0,
    parameters: 0,
    created: "2026-01-01T00:00:00Z",
    producer: "bench",
    data: { name: "none", summary: "no data", factors: [], provenance: {} },
    latents: [],
    tasks: { encode: spec },
    evaluation: [],
    files: {},
  };
  mkdirSync(path.join(folder, "encode", "1"), { recursive: true });
  writeFileSync(path.join(folder, spec.file), bytes);
  writeFileSync(path.join(folder, "manifest.json"), JSON.stringify(manifest));
  return spec;
}
