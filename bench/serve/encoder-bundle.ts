import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import { gkVaeConfigSchema } from "../../schemas/gk-vae-config.ts";
import type { Manifest, TaskManifest } from "../../schemas/manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { gkVae } from "../../train/models/gk-vae.ts";

/**
 * A bundle with one task, the encoder of one 64x64x3 view of the GK-VAE, with fresh weights: how fast it answers does not
 * depend on what it has learned.
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
  const graph = trace((inputs) => task.run(networks, inputs), {
    name: "encode",
    inputs: task.inputs,
    variables: "frozen",
  });
  for (const variable of Object.values(networks)) variable.dispose();
  const bytes = writeOnnx(graph);
  const specs = (values: typeof graph.inputs): TaskManifest["inputs"] =>
    values.map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape: shape.map((size) => (typeof size === "number" ? size : -1)),
      description: "",
    }));
  const spec: TaskManifest = {
    description: task.description,
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
    title: "Encoder of one 64x64x3 view, fresh weights",
    family: "gk-vae",
    recipe: "none",
    seed: 0,
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
