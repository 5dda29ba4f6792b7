import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import { createDsprites } from "../../../train/data/dsprites.ts";
import { loadRun } from "../../../train/engine/load-run.ts";
import { runTraining } from "../../../train/engine/run.ts";
import { familyByName } from "../../../train/models/registry.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const data = { source: "dsprites", size: 32 };

const recipe: Recipe = {
  format: 1,
  name: "tiny",
  title: "Tiny",
  source: "none",
  family: "gk-vae",
  model: {
    image: { size: 32, channels: 1 },
    latents: { common: 2, unique: 1 },
    networks: { filters: 2, hidden: 4 },
    weights: {},
    optimiser: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    decoders: "all-latents",
    prior: "fixed",
    matchingReduction: "mean",
    matchingRampSteps: 0,
    learningRateEnd: 1,
    uniqueWarmUp: { weight: 1, share: 0.6 },
    freeNats: 0.1,
  },
  data,
  training: { seed: 1, batchSize: 2, steps: 3, microBatch: 0, logEvery: 1, checkpointEvery: 2 },
  evaluation: { pairs: 100, classifier: "linear" },
  expected: [],
};

test("a finished run gives its recipe and the values of its last checkpoint, slots included", async () => {
  const outDir = path.join(temporaryFolder(), "run");
  const source = createDsprites({ source: "dsprites", views: 2, size: 32, scales: 6, orientations: 40, positions: 32 });
  const model = { ...recipe.model, weights: { prior: 1, unique: 10, common: 0.1, matching: 12.8 } };
  const whole = { ...recipe, model };
  await runTraining({ recipe: whole, family: familyByName("gk-vae"), source, outDir, device: "cpu" });
  const run = await loadRun(outDir);
  expect(run).toMatchObject({ recipe: whole, step: 3, status: "finished" });
  const names = [...run.values.keys()];
  const parameters = names.filter((name) => !name.startsWith("adam."));
  expect(parameters.length).toBeGreaterThan(20);
  for (const name of parameters) expect(names).toContain(`adam.m/${name}`);

  const warnings: string[] = [];
  rmSync(path.join(outDir, "checkpoints", "step-000003", "state.safetensors"));
  const before = await loadRun(outDir, (text) => warnings.push(text));
  expect(before.step).toBe(2);
  expect(warnings).toHaveLength(1);
});

test("a folder without a run, and a run without a checkpoint, are told apart", async () => {
  const folder = path.join(temporaryFolder(), "run");
  await expect(loadRun(folder)).rejects.toMatchObject({ name: "UsageError", code: "no_run" });
  mkdirSync(folder);
  writeFileSync(path.join(folder, "recipe.json"), JSON.stringify(recipe));
  await expect(loadRun(folder)).rejects.toThrow(
    `Cannot load run "${folder}": it must hold a checkpoint, got none; train it further`,
  );
  writeFileSync(path.join(folder, "recipe.json"), "{");
  await expect(loadRun(folder)).rejects.toThrow("it must be JSON, got something else");
});
