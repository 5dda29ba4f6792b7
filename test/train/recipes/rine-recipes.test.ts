import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { RineConfig } from "../../../schemas/rine-config.ts";
import { openSource, sourceNeedsFiles } from "../../../train/data/open-source.ts";
import { rine } from "../../../train/models/rine.ts";
import { betaName } from "../../../train/models/rine-networks.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import { stream } from "../../../train/random.ts";
import { readRecipe, recipeNames } from "../../../train/recipes/read-recipe.ts";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

const names = recipeNames().filter((name) => name.startsWith("rine-"));

for (const name of names) {
  test(`recipe ${name} keeps a checkpoint of each of its last five epochs, and expects what an evaluation gives`, async () => {
    const recipe = await readRecipe(name);
    expect(recipe).toMatchObject({ name, family: "rine" });
    const { epochSteps, problems, betas } = recipe.model as RineConfig;
    expect(recipe.training).toMatchObject({ checkpointEvery: epochSteps, keepCheckpoints: 5 });
    for (const { steps } of [recipe.training, ...Object.values(recipe.budgets ?? {})]) {
      expect((steps ?? 0) % epochSteps).toBe(0);
      expect(steps).toBeLessThanOrEqual(recipe.training.steps);
    }
    const known = problems.flatMap((problem) => betas.map((beta) => `redundant.${problem.name}.${betaName(beta)}`));
    for (const { quantity, source, minimum, maximum } of recipe.expected) {
      expect(known).toContain(quantity);
      if (minimum !== undefined || maximum !== undefined) expect(source).toMatch(/\bours\b/i);
    }
  });
}

for (const name of names) {
  test(`the source of recipe ${name} draws what its model takes`, async ({ skip }) => {
    const { model, data } = await readRecipe(name);
    if (sourceNeedsFiles(data.source)) skip("the reader of the files is tested with the source");
    const { tensors } = openSource(data).draw(3, stream(0, "test"));
    for (const [input, { shape, dtype }] of Object.entries(rine.inputs(model as RineConfig))) {
      expect(tensors[input]).toMatchObject({ dtype, shape: shape.map((size) => (size === "batch" ? 3 : size)) });
    }
  });
}

test("the CIFAR-10 recipes have the paper's network and learning rates, and cut the images as the authors do", async () => {
  const cases = { crops: 0.0075, channels: 0.0075, frequencies: 0.05, "fixed-beta": 0.0075 };
  for (const [name, learningRate] of Object.entries(cases)) {
    const { model, training } = await readRecipe(`rine-cifar-${name}`);
    expect(model).toMatchObject({
      network: { kind: "resnet", stemStride: 1, filters: [64, 128, 256, 512], blocks: 2 },
      betaSchedule: name === "fixed-beta" ? "fixed" : "growing",
      optimiser: { learningRate, momentum: 0.9, weightDecay: 0.005 },
    });
    expect(training).toMatchObject({ batchSize: 128, steps: 40 * 391 });
  }
  const { problems } = (await readRecipe("rine-cifar-crops")).model as RineConfig;
  // View 1 keeps the last w columns, view 2 the first.
  expect(problems.map(({ parts }) => parts)).toEqual(
    [12, 16, 24, 32].map((w) => [{ columns: [32 - w, 32] }, { columns: [0, w] }]),
  );
  const [channels] = ((await readRecipe("rine-cifar-channels")).model as RineConfig).problems;
  expect(channels!.parts).toEqual([{ channels: [2] }, { channels: [0] }]); // blue, red
});

test("rine-canonical has the authors' settings: 30 epochs of 63 steps, SGD, nets of 537 and 569 parameters", async () => {
  const { model, training } = await readRecipe("rine-canonical");
  expect(model).toMatchObject({
    betas: [0, 5, 15],
    betaSchedule: "growing",
    gamma: 0.97,
    distance: { reduction: "mean", form: "all-pairs" },
    learningRateDecay: 0.97,
    optimiser: { kind: "sgd", learningRate: 0.01, momentum: 0.9, weightDecay: 0.005 },
  });
  expect(training).toMatchObject({ batchSize: 128, steps: 30 * 63 });
  const networks = rine.networks(model as RineConfig, 0);
  expect(countParameters(networks, "AND.beta15.x1.")).toBe(537);
  expect(countParameters(networks, "UNQ.beta15.x1.")).toBe(569);
});
