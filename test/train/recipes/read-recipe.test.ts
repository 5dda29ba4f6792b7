import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readRecipe, recipeNames } from "../../../train/recipes/read-recipe.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";

const tiny = {
  format: 1,
  name: "tiny",
  title: "Tiny",
  source: "none",
  family: "gk-vae",
  model: { image: { size: 32, channels: 1 }, latents: { common: 2, unique: 1 } },
  data: { source: "dsprites", size: 32 },
  training: { seed: 1, batchSize: 4, steps: 10 },
  evaluation: {},
  budgets: { hour: { steps: 500, batchSize: 32 }, minute: { steps: 5 } },
  expected: [],
};

function fileOf(recipe: unknown): string {
  const file = path.join(temporaryFolder(), "tiny.json");
  writeFileSync(file, typeof recipe === "string" ? recipe : JSON.stringify(recipe));
  return file;
}

test("a file is read with the defaults of the recipe and of its family", async () => {
  const recipe = await readRecipe(fileOf(tiny));
  expect(recipe.training).toEqual({
    seed: 1,
    batchSize: 4,
    steps: 10,
    microBatch: 0,
    logEvery: 50,
    checkpointEvery: 500,
  });
  expect(recipe.model).toMatchObject({ decoders: "all-latents", networks: { filters: 32, hidden: 256 } });
});

test("every recipe of the package is valid, bears its file's name, and all its budgets apply", async () => {
  for (const name of recipeNames()) {
    const recipe = await readRecipe(name);
    expect(recipe.name).toBe(name);
    for (const budget of Object.keys(recipe.budgets ?? {})) await readRecipe(name, { budget });
  }
});

const varied = {
  ...tiny,
  variants: { "per-view": { title: "Tiny per view", source: "figure 5", set: ["model.decoders=per-view"] } },
};

test("a variant is a recipe of its own: its name, title and source, what it sets, and no variants", async () => {
  const recipe = await readRecipe(fileOf(varied), { variant: "per-view", budget: "minute" });
  expect(recipe).toMatchObject({ name: "tiny-per-view", title: "Tiny per view", source: "figure 5" });
  expect(recipe.model).toMatchObject({ decoders: "per-view" });
  expect(recipe.training.steps).toBe(5);
  expect(recipe).not.toHaveProperty("variants");
  expect(await readRecipe(fileOf(varied))).toEqual(await readRecipe(fileOf(tiny)));
});

test("a variant of the package has one name and two ways to say it", async () => {
  const named = await readRecipe("common-3dshapes-per-view");
  expect(named).toEqual(await readRecipe("common-3dshapes", { variant: "per-view" }));
  expect(named.model).toEqual({ ...(await readRecipe("common-3dshapes")).model, decoders: "per-view" });
});

test("a budget changes what it names and nothing else: the defaults of the others stay out of it", async () => {
  const training = { ...tiny.training, logEvery: 7, checkpointEvery: 79, microBatch: 2 };
  const recipe = await readRecipe(fileOf({ ...tiny, training }), { budget: "minute" });
  expect(recipe.training).toEqual({ ...training, steps: 5 });
});

test("overrides win in the order budget, --set, named numbers", async () => {
  const set = ["training.steps=50", "training.seed=9", "model.decoders=per-view", "model.weights.unique=3.5"];
  const { training, model } = await readRecipe(fileOf(tiny), { budget: "hour", set, seed: 3 });
  expect(training).toMatchObject({ batchSize: 32, steps: 50, seed: 3 });
  expect(model).toMatchObject({ decoders: "per-view", weights: { unique: 3.5, common: 0.1 } });
});

test.each([
  ["an unknown key", { ...tiny, trainig: {} }, {}, 'unknown key "trainig", did you mean "training"?'],
  [
    "an unknown key of the model",
    { ...tiny, model: { ...tiny.model, decoder: 1 } },
    {},
    'unknown key "decoder", did you mean "decoders"?',
  ],
  ["an unknown family", { ...tiny, family: "gk-vea" }, {}, 'did you mean "gk-vae"?'],
  ["a missing part", { ...tiny, training: undefined }, {}, '"training" is missing'],
  ["an unknown variant", varied, { variant: "perview" }, 'has per-view, did you mean "per-view"?'],
  ["a variant where there are none", tiny, { variant: "per-view" }, 'Cannot use variant "per-view": recipe'],
  ["an unknown budget", tiny, { budget: "our" }, 'Cannot use budget "our": recipe'],
  ["an unknown budget, with the nearest", tiny, { budget: "our" }, 'did you mean "hour"?'],
  [
    "a set without value",
    tiny,
    { set: ["training.steps"] },
    'must be path=value, for instance training.logEvery=10, got "training.steps"',
  ],
  [
    "a set on the way to nowhere",
    tiny,
    { set: ["trainig.steps=1"] },
    'unknown key "trainig" in "trainig.steps=1", did you mean "training"?',
  ],
  ["a set of an unknown key", tiny, { set: ["training.step=1"] }, 'unknown key "training.step", did you mean "steps"?'],
  ["a set of a wrong type", tiny, { set: ["training.steps=many"] }, '"training.steps" must be integer, got "many"'],
  [
    "a set below a number",
    tiny,
    { set: ["model.latents.common.x=1"] },
    '"model.latents.common" of "model.latents.common.x=1" must be an object to have keys, got 2',
  ],
  [
    "a set below what only the prototype has",
    tiny,
    { set: ["model.toString.x=1"] },
    'unknown key "toString" in "model.toString.x=1"',
  ],
  [
    "a set of a list's length",
    tiny,
    { set: ["expected.length=-1"] },
    'a key of a list must be a number, got "length" in "expected.length=-1"',
  ],
  ["a number for training", tiny, { set: ["training=5"], steps: 2 }, '"training" must be object, got 5'],
  ["nothing for training", tiny, { set: ["training=null"], seed: 2 }, '"training" must be object, got null'],
  [
    "a variant that makes training nothing, with a budget",
    { ...varied, variants: { "per-view": { title: "", source: "", set: ["training=null"] } } },
    { variant: "per-view", budget: "minute" },
    '"training" must be object, got null',
  ],
  ["a set of the prototype", tiny, { set: ["__proto__.polluted=1"] }, "must be path=value"],
  [
    "more pairs than fit",
    tiny,
    { set: ["evaluation.pairs=10000000000"] },
    '"evaluation.pairs" must be <= 1000000, got 10000000000',
  ],
  ["a batch that does not fit", tiny, { batchSize: 1e10 }, '"training.batchSize" must be <= 65536, got 10000000000'],
  ["more steps than anyone has", tiny, { steps: 1e10 }, '"training.steps" must be <= 100000000, got 10000000000'],
  [
    "more latents than fit",
    tiny,
    { set: ["model.latents.common=100000000"] },
    '"latents.common" must be <= 4096, got 100000000',
  ],
  [
    "more filters than fit",
    tiny,
    { set: ["model.networks.filters=1000000"] },
    '"networks.filters" must be <= 2048, got 1000000',
  ],
  [
    "a layer wider than fits",
    tiny,
    { set: ["model.networks.hidden=1000000000"] },
    '"networks.hidden" must be <= 16384, got 1000000000',
  ],
  [
    "more channels than fit",
    tiny,
    { set: ["model.image.channels=1e9"] },
    '"image.channels" must be <= 16, got 1000000000',
  ],
  ["a number out of range", tiny, { steps: 0 }, '"training.steps" must be >= 1, got 0'],
])("%s is refused in one line", async (_what, recipe, overrides, message) => {
  await expect(readRecipe(fileOf(recipe), overrides)).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringContaining(message),
  });
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("a recipe that is not there, and a file that is not JSON, are refused", async () => {
  await expect(readRecipe("quickstrt")).rejects.toThrow(
    /^Cannot find recipe "quickstrt": it must be .* or the path of a JSON file/,
  );
  await expect(readRecipe("nowhere/tiny.json")).rejects.toThrow(
    'Cannot read recipe "nowhere/tiny.json": it must be a file, got nothing there',
  );
  await expect(readRecipe(fileOf("{"))).rejects.toThrow(/^Cannot read recipe ".*tiny.json": it must be JSON, got /);
});

test("a variant may have a budget of its own: small images need fewer pixels weighed and more steps", async () => {
  const { model, training } = await readRecipe("common-3dshapes-small", { budget: "reduced" });
  expect(training).toMatchObject({ steps: 60_000, batchSize: 32 });
  expect(model).toMatchObject({ image: { size: 32 }, weights: { unique: 2.5, common: 0.025, matching: 0.1 } });
  const { training: other } = await readRecipe("common-3dshapes-per-view", { budget: "reduced" });
  expect(other).toMatchObject({ steps: 8000, batchSize: 128 });
});
