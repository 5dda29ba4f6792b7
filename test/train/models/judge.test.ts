import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { judgeConfigSchema } from "../../../schemas/judge-config.ts";
import { validate } from "../../../schemas/validate.ts";
import { judge } from "../../../train/models/judge.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import { images } from "./w-vae-setup.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const config = validate(
  judgeConfigSchema,
  { image: { size: 32, channels: 1 }, classes: 3, filters: 2, features: 4 },
  "configure the test",
);

test("the loss is the cross-entropy of the logits, and the error share that of their largest", () => {
  const networks = judge.networks(config, 0);
  const view_1 = images(5, "judged");
  const labels = [0, 2, 1, 1, 0];
  const logits = judge.tasks(config).classify!.run(networks, { view_1 }).logits!.arraySync() as number[][];
  const batch = { view_1, label: tf.tensor1d(labels, "int32") };
  const [whole, parts] = [0, 2].map((microBatch) =>
    judge.phases(config)[0]!.losses(networks, { batch, noise: {}, scalars: {}, microBatch }),
  );
  const loss = logits.reduce((sum, row, i) => {
    const total = row.reduce((all, value) => all + Math.exp(value), 0);
    return sum - Math.log(Math.exp(row[labels[i]!]!) / total) / 5;
  }, 0);
  const wrong = logits.filter((row, i) => row.indexOf(Math.max(...row)) !== labels[i]).length;
  expect(whole!.loss!.arraySync()).toBeCloseTo(loss, 5);
  expect(parts!.loss!.arraySync()).toBeCloseTo(loss, 5);
  expect(whole!.error_share!.arraySync()).toBeCloseTo(wrong / 5, 6);
});

test("the features are what the last layer reads, and the parameters are those of three convolutions and two layers", () => {
  const networks = judge.networks(config, 0);
  const { logits, features } = judge.tasks(config).classify!.run(networks, { view_1: images(2, "judged") });
  const kernel = networks["judge.output.kernel"] as tf.Tensor2D;
  const again = tf.add(tf.matMul(features as tf.Tensor2D, kernel), networks["judge.output.bias"]!);
  expect(tf.max(tf.abs(tf.sub(again, logits!))).arraySync()).toBeLessThan(1e-6);
  expect(features!.shape).toEqual([2, 4]);
  const kernels = 9 * (1 * 2 + 2 * 4 + 4 * 8) + 8 * 16 * 4 + 4 * 3;
  expect(countParameters(networks)).toBe(kernels + 2 + 4 + 8 + 4 + 3);
});

test("the learning rate halves every so many steps, however long the run is", () => {
  const rate = judge.phases(config)[0]!.scalars["learning_rate.model"]!;
  expect([rate(0, 10), rate(600, 10), rate(1200, 9999)]).toEqual([1, 0.5, 0.25]);
});
