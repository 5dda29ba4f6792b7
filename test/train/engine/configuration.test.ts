import { expect, test } from "vitest";
import type { CheckpointState } from "../../../schemas/checkpoint.ts";
import type { Recipe } from "../../../schemas/recipe.ts";
import { configurationOf, hashOf, requireSameConfiguration } from "../../../train/engine/configuration.ts";
import type { Schedule } from "../../../train/models/family.ts";
import { fall } from "../../../train/models/schedules.ts";
import { toyRecipe } from "./toy-family.ts";

function stateOf(recipe: Recipe, step = 20): CheckpointState {
  const configuration = configurationOf(recipe);
  const { steps } = recipe.training;
  const recipeHash = hashOf(configuration);
  const where = { engine: "compiled", device: "cpu", threads: 2 };
  return {
    format: 1,
    step,
    steps,
    phase: "all",
    seconds: 1,
    configuration,
    recipeHash,
    ...where,
    sha256: "0".repeat(64),
    variables: [],
  };
}

const check =
  (saved: Recipe, given: Recipe, names = ["all"], scalars: Record<string, Schedule> = {}) =>
  () => {
    const phases = names.map((name) => ({ name, scalars }));
    requireSameConfiguration(stateOf(saved), given, { folder: "runs/toy", phases });
  };

test("what does not change the values may differ: title, expected figures, how often to log and save", () => {
  const given = { ...toyRecipe({ logEvery: 1, checkpointEvery: 3 }), title: "Another", expected: [] };
  expect(check(toyRecipe(), given)).not.toThrow();
});

test("the order of keys does not count", () => {
  const { kind, learningRate, explodeAt } = toyRecipe().model;
  const given = { ...toyRecipe(), model: { explodeAt, learningRate, kind } };
  expect(check(toyRecipe(), given)).not.toThrow();
  expect(hashOf(configurationOf(given))).toBe(hashOf(configurationOf(toyRecipe())));
});

test.each([
  ["model.learningRate must be 0.01 as in its checkpoint, got 0.02", toyRecipe({}, { learningRate: 0.02 })],
  ["training.seed must be 7 as in its checkpoint, got 8", toyRecipe({ seed: 8 })],
  ["training.batchSize must be 8 as in its checkpoint, got 16", toyRecipe({ batchSize: 16 })],
  ['family must be "toy" as in its checkpoint, got "gk-vae"', { ...toyRecipe(), family: "gk-vae" }],
  ["data.size must be nothing as in its checkpoint, got 32", { ...toyRecipe(), data: { source: "toy", size: 32 } }],
  ["training.steps must be at least 20, the steps already done, got 10", toyRecipe({ steps: 10 })],
])("refused: %s", (message, given) => {
  expect(check(toyRecipe(), given)).toThrow(`Cannot resume "runs/toy": ${message}`);
});

test("a run of one phase may be made longer, one of several may not: their borders would move", () => {
  expect(check(toyRecipe(), toyRecipe({ steps: 80 }))).not.toThrow();
  expect(check(toyRecipe(), toyRecipe({ steps: 80 }), ["first", "all"])).toThrow(
    "training.steps must be 40 as in its checkpoint, got 80",
  );
});

test("a checkpoint of a phase that the family does not have is refused, with the nearest it has", () => {
  expect(check(toyRecipe(), toyRecipe(), ["first", "alll"])).toThrow(
    'Cannot resume "runs/toy": the phase of its checkpoint must be one of first, alll, got "all", did you mean "alll"?',
  );
});

test("a run whose schedule ends with it may not be made longer: what it has done would have been done otherwise", () => {
  const longer = toyRecipe({ steps: 80 });
  expect(check(toyRecipe(), longer, ["all"], { rate: (step) => 0.9 ** step })).not.toThrow();
  expect(check(toyRecipe(), longer, ["all"], { rate: fall(1, 0.05) })).toThrow(
    "training.steps must be 40 as in its checkpoint, got 80",
  );
});
