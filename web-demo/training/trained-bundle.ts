import { zipSync } from "fflate";
import { sha256Words } from "../../information/sha256.ts";
import type { Manifest } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { mergeWeights } from "./merge-weights.ts";
import type { StepFiles } from "./step-files.ts";

/** Name of the bundle and of its folder: unzip it into `models/` and serve it. */
export const trainedName = "trained-in-the-page";

/** The trained model as a bundle that `cominfo serve` takes: one self-contained ONNX file a task, and the manifest. */
export async function trainedBundle(
  { about, task: taskFile }: Pick<StepFiles, "about" | "task">,
  { state, seed, step }: { state: ReadonlyMap<string, HostTensor>; seed: number; step: number },
): Promise<Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const tasks: Manifest["tasks"] = {};
  for (const [name, { description, opset, inputs, outputs }] of Object.entries(about.tasks)) {
    const bytes = mergeWeights(await taskFile(name), state);
    const file = `${name}/1/model.onnx`;
    files[file] = bytes;
    const sha256 = hashOf(bytes);
    tasks[name] = { description, version: "1", file, sha256, bytes: bytes.length, opset, inputs, outputs, parity: [] };
  }
  const manifest: Manifest = {
    format: 1,
    name: trainedName,
    title: `${about.title}, trained in a browser for ${step} steps`,
    family: about.family,
    recipe: about.recipe,
    seed,
    steps: step,
    parameters: about.parameters,
    created: new Date().toISOString(),
    producer: `${about.producer}, browser demo`,
    data: about.data,
    latents: about.latents,
    evaluation: [],
    tasks,
    files: Object.fromEntries(Object.entries(files).map(([file, bytes]) => [file, hashOf(bytes)])),
  };
  files["manifest.json"] = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  return zipSync(Object.fromEntries(Object.entries(files).map(([file, bytes]) => [`${trainedName}/${file}`, bytes])));
}

function hashOf(bytes: Uint8Array): string {
  return Array.from(sha256Words(bytes), (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}
