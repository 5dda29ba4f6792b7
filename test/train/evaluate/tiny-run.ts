import "../../../export/tfjs-setup.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { saveCheckpoint } from "../../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../../train/engine/configuration.ts";
import { checkModelConfig, familyByName } from "../../../train/models/registry.ts";

/** A run folder of a very small GK-VAE with random weights, as the engine would leave it. */

export const tinyMetrics = [10, 20, 30].map((step) => ({
  step,
  phase: "joint",
  terms: { loss: 1000 / step, rate_common_1: step / 10, clamped_rate_common_1: step / 10 },
  seconds: step,
  examplesPerSecond: 4,
}));

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Steps of the checkpoint; the last line of the metrics comes after it. */
export const tinyStep = 20;

export function tinyRecipe(expected: Recipe["expected"] = []): Recipe {
  const recipe: Recipe = {
    format: 1,
    name: "tiny",
    title: 'A tiny run of <two> "views" & a name',
    source: "a test",
    family: "gk-vae",
    model: {
      image: { size: 32, channels: 1 },
      latents: { common: 2, unique: 1 },
      networks: { filters: 2, hidden: 8 },
      prior: "learned",
    },
    data: { source: "dsprites", size: 32, scales: 2, orientations: 1, positions: 2 } as Recipe["data"],
    training: { seed: 5, batchSize: 4, steps: 40, microBatch: 0, logEvery: 10, checkpointEvery: 10 },
    evaluation: { pairs: 120, classifier: "linear" },
    expected,
  };
  checkModelConfig("gk-vae", recipe.model, "test"); // fills in the defaults
  return recipe;
}

export async function tinyRun(recipe: Recipe): Promise<{ run: string; values: Map<string, HostTensor> }> {
  await tf.setBackend("cpu");
  const networks = familyByName(recipe.family).networks(recipe.model, 99);
  const values = new Map(
    Object.entries(networks).map(([name, variable]): [string, HostTensor] => {
      const data = Float32Array.from(variable.dataSync());
      if (name.startsWith("prior.")) for (const i of data.keys()) data[i] = 0.3 * (i + 1);
      return [name, { dtype: "float32", shape: variable.shape, data }];
    }),
  );
  tf.disposeVariables();
  const run = mkdtempSync(path.join(tmpdir(), "cominfo-test-"));
  folders.push(run);
  writeFileSync(path.join(run, "recipe.json"), JSON.stringify(recipe));
  writeFileSync(path.join(run, "metrics.jsonl"), tinyMetrics.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const configuration = configurationOf(recipe);
  const head = { steps: 40, phase: "joint", seconds: 1, engine: "compiled", device: "cpu", threads: 1 };
  await saveCheckpoint(run, { ...head, step: tinyStep, configuration, recipeHash: hashOf(configuration) }, values);
  return { run, values };
}
