import { expect, test } from "vitest";
import { type BatchOptions, createBatches } from "../../../train/engine/batches.ts";
import { toyFamily, toyRecipe, toySource } from "./toy-family.ts";

const noise = toyFamily.noise(toyRecipe().model as never, 8);
const options: BatchOptions = { source: toySource, inputs: ["view_1"], noise, seed: 1, batchSize: 8 };

test("a step's batch and noise depend on seed and step alone, not on what was drawn before", () => {
  const batches = createBatches(options);
  const inOrder = [1, 2, 3].map((step) => batches(step));
  expect(createBatches(options)(3)).toEqual(inOrder[2]);
  expect(batches(1)).toEqual(inOrder[0]);
  expect(inOrder[1]).not.toEqual(inOrder[0]);
  expect(createBatches({ ...options, seed: 2 })(1)).not.toEqual(inOrder[0]);
});

test("feeds bear the names of the step's inputs", () => {
  const feeds = createBatches(options)(1);
  expect(Object.keys(feeds)).toEqual(["batch/view_1", "noise/epsilon"]);
  expect(feeds["batch/view_1"]).toMatchObject({ dtype: "uint8", shape: [8, 4] });
  expect(feeds["noise/epsilon"]).toMatchObject({ dtype: "float32", shape: [8, 3] });
});

test("a source that lacks an input of the family is refused by name", () => {
  expect(() => createBatches({ ...options, inputs: ["view_1", "view_2"] })(1)).toThrow(
    'Cannot train on toy: it must give "view_2", got view_1',
  );
});
