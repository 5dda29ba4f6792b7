import "../../../export/tfjs-setup.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, expect, test } from "vitest";
import { dspritesOptionsSchema } from "../../../schemas/data.ts";
import type { Recipe } from "../../../schemas/recipe.ts";
import { validate } from "../../../schemas/validate.ts";
import { openSource, sourceNeedsFiles } from "../../../train/data/open-source.ts";
import type { SourceDescription } from "../../../train/data/pair-source.ts";
import { jointName } from "../../../train/evaluate/asked-factors.ts";
import { judgeQuantities } from "../../../train/evaluate/judge.ts";
import { generationQuantities } from "../../../train/evaluate/w-vae-generation.ts";
import { familyByName } from "../../../train/models/registry.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import { readRecipe, recipeNames } from "../../../train/recipes/read-recipe.ts";
import { testData } from "../../files/test-data.ts";
import { writeNorb } from "../data/made-norb.ts";

const blocks = ["common", "unique_1", "unique_2", "unique", "all"];

const artwork = testData("sprites");
const cars = testData("cars3d");

/** The description of a recipe's source; for MNIST and SmallNORB made files do. Undefined where the artwork of Sprites or Cars3D is missing. */
function describe({ data }: Recipe): SourceDescription | undefined {
  if (!sourceNeedsFiles(data.source)) return openSource(data).description;
  if (data.source === "sprites-video") {
    return artwork.missing ? undefined : openSource(data, { dataDir: artwork.folder }).description;
  }
  if (data.source === "cars3d") {
    return cars.missing ? undefined : openSource({ ...data, cars: 1 }, { dataDir: cars.folder }).description;
  }
  return openSource(data, { dataDir: madeFiles }).description;
}

/** MNIST files of one black digit of each class, SmallNORB files of a few grey images. */
const madeFiles = mkdtempSync(path.join(tmpdir(), "cominfo-recipes-"));
afterAll(() => rmSync(madeFiles, { recursive: true }));
for (const part of ["train", "test"] as const) writeNorb(madeFiles, part, { rows: 2, shade: 0, zip: false });
for (const split of ["train", "t10k"]) {
  const images = [0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28, ...new Uint8Array(7840)];
  const labels = [0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  writeFileSync(path.join(madeFiles, `${split}-images-idx3-ubyte`), Uint8Array.from(images));
  writeFileSync(path.join(madeFiles, `${split}-labels-idx1-ubyte`), Uint8Array.from(labels));
}

/** Recipes of family rine have sources and a target instead of two views: rine-recipes.test.ts. */
const twoView = recipeNames().filter((name) => !name.startsWith("rine-"));

for (const name of twoView) {
  test(`recipe ${name} bears its file's name, and its model takes the images that its source draws`, async ({
    skip,
  }) => {
    const recipe = await readRecipe(name);
    expect(recipe.name).toBe(name);
    const { views } = describe(recipe) ?? skip(`${artwork.title} ${cars.title}`);
    const inputs = familyByName(recipe.family).inputs(recipe.model);
    for (const view of views) {
      expect(inputs[view.name]).toMatchObject({
        shape: ["batch", view.height, view.width, view.channels],
        dtype: "uint8",
      });
    }
    const images = Object.values(inputs).filter(({ dtype }) => dtype === "uint8");
    expect(images).toHaveLength(views.length);
  });

  test(`recipe ${name} expects only quantities that an evaluation gives, each with a source`, async ({ skip }) => {
    const recipe = await readRecipe(name);
    const { factors } = describe(recipe) ?? skip(`${artwork.title} ${cars.title}`);
    const known = [
      ...[...factors, { name: jointName }].flatMap((factor) => blocks.map((block) => `usable.${factor.name}.${block}`)),
      ...["common", "common_2", "unique_1", "unique_2"].map((block) => `rate.${block}`),
      "disagreement.common",
      ...factors.map((factor) => `purity.${factor.name}`),
      ...["mig-hist20-means", "reconstruction", "rate", "informative_latents"],
      ...judgeQuantities,
      ...generationQuantities,
    ];
    for (const { quantity, unit, source, paper, minimum, maximum, full } of recipe.expected) {
      expect(known).toContain(quantity);
      expect(["bits", "1"]).toContain(unit);
      const bounds = [minimum, maximum, full?.minimum, full?.maximum].filter((bound) => bound !== undefined);
      expect([paper, ...bounds].some((value) => value !== undefined)).toBe(true);
      // A bound is never passed off as the paper's.
      if (bounds.length > 0) expect(source).toMatch(/\bours\b/i);
    }
  });

  test(`recipe ${name} has budgets that are smaller than its full training`, async () => {
    const full = await readRecipe(name);
    for (const budget of Object.keys(full.budgets ?? {})) {
      const reduced = await readRecipe(name, { budget });
      expect(reduced.training.steps).toBeLessThan(full.training.steps);
      expect(reduced.model).toEqual(full.model);
    }
  });
}

test("the paper's recipes have its settings, and the networks its parameter counts", async () => {
  const cases = [
    { name: "rotated-mnist", size: 32, common: 4, steps: 23_450, parameters: 933_210 },
    { name: "common-dsprites", size: 64, common: 3, steps: 403_200, parameters: 997_334 },
  ];
  for (const { name, size, common, steps, parameters } of cases) {
    const { model, family, training } = await readRecipe(name);
    expect(model).toMatchObject({
      image: { size, channels: 1 },
      latents: { common, unique: 2 },
      decoders: "all-latents",
      prior: "fixed",
      weights: { prior: 1, unique: 10, common: 0.1, matching: 0.1 },
      matchingReduction: "sum",
      matchingRampSteps: 0,
      learningRateEnd: 1,
      uniqueWarmUp: { weight: 1 },
      freeNats: 0.1,
      optimiser: { kind: "adam", learningRate: 1e-3, beta1: 0.9, beta2: 0.999, weightDecay: 0 },
    });
    expect(training).toMatchObject({ batchSize: 128, steps });
    expect(countParameters(familyByName(family).networks(model, 0))).toBe(parameters);
    tf.disposeVariables();
  }
});

test("common-dsprites draws the whole grid with positions unique: 9.492 bits are common", async () => {
  const { data } = await readRecipe("common-dsprites");
  expect(openSource(data).description.commonInformationBits).toBeCloseTo(9.492, 3);
  expect(validate(dspritesOptionsSchema, structuredClone(data), "read data")).toMatchObject({
    size: 64,
    scales: 6,
    orientations: 40,
    positions: 32,
  });
});
