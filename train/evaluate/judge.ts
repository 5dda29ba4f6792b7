import { bootstrapMean } from "../../information/bootstrap.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { loadSource } from "../data/open-source.ts";
import type { PairSource } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import type { Findings, Subject } from "./protocol.ts";

/** Figures of a classifier. */
export const judgeQuantities = ["accuracy.test"];

const blockRows = 500;

/** Classifiers: how many test images they name rightly. The test part is the other split of the same source. */
export async function judgeProtocol(subject: Subject): Promise<Findings> {
  const { tasks, recipe, pairs, seed, onProgress } = subject;
  const source = await testSource(subject);
  onProgress(`classifying ${pairs} images`);
  const right = new Float64Array(pairs);
  for (let start = 0; start < pairs; start += blockRows) {
    const rows = Math.min(blockRows, pairs - start);
    const { tensors } = source.draw(rows, stream(seed, "evaluation", start / blockRows));
    const logits = (await tasks.run("classify", { view_1: tensors.view_1! })).logits!;
    const classes = logits.shape[1]!;
    for (let row = 0; row < rows; row++) {
      const said = largest(logits.data as Float32Array, { start: row * classes, length: classes });
      right[start + row] = said === Number(tensors.label!.data[row]) ? 1 : 0;
    }
  }
  const value = right.reduce((sum, one) => sum + one, 0) / pairs;
  const interval = bootstrapMean(right, { draw: stream(seed, "bootstrap", "accuracy.test").integer });
  const split = isTrainSplit(recipe) ? "the test split" : "the source itself";
  const estimator = `share of images named rightly; ${pairs} draws with replacement from ${split}`;
  const figure = { quantity: "accuracy.test", unit: "1", value, estimator, n: pairs, seed, interval };
  return { figures: [figure], tables: () => [], pictures: async () => [] };
}

/** The source with its test split in place of the training one; the source itself where it has no splits. */
export async function testSource({ recipe, source, dataDir }: Subject): Promise<PairSource> {
  return isTrainSplit(recipe) ? loadSource({ ...recipe.data, split: "test" }, { dataDir }) : source;
}

function isTrainSplit({ data }: Recipe): boolean {
  return "split" in data && data.split === "train";
}

/** Place of the largest value among `length` values from `start`, the first of equal ones. */
export function largest(values: Float32Array, { start, length }: { start: number; length: number }): number {
  let best = 0;
  for (let i = 1; i < length; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}
