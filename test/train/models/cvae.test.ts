import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { cvaeConfigSchema } from "../../../schemas/cvae-config.ts";
import { validate } from "../../../schemas/validate.ts";
import { cvae } from "../../../train/models/cvae.ts";
import { featureOf } from "../../../train/models/w-vae-networks.ts";
import { mlp } from "../../../train/networks/mlp.ts";
import { images, normal } from "./w-vae-setup.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const config = validate(
  cvaeConfigSchema,
  {
    image: { size: 32, channels: 1 },
    latents: { unique: { variables: 2, values: 3 } },
    autoencoder: { filters: 2, features: 4 },
    networks: { layers: 1, hidden: 5 },
    noiseVariance: 0.3,
  },
  "configure the test",
);

test("each view is decoded from the other one's features and a relaxed sample of its own posterior", () => {
  const networks = cvae.networks(config, 1);
  const batch = { view_1: images(3, "1"), view_2: images(3, "2") };
  const noise = { noise_unique_1: normal([3, 6], "a"), noise_unique_2: normal([3, 6], "b") };
  const scalars = { temperature: tf.scalar(0.8) };
  const terms = cvae.phases(config)[1]!.losses(networks, { batch, noise, scalars });
  const [x, y] = [featureOf(networks, batch.view_1), featureOf(networks, batch.view_2)];
  let loss = 0;
  for (const [view, own, other] of [
    [1, x, y],
    [2, y, x],
  ] as const) {
    const q = mlp.apply(networks, `encoder_${view}`, tf.concat2d([x, y], 1)).arraySync();
    const drawn = noise[`noise_unique_${view}`].arraySync() as number[][];
    const code = q.map((row, i) => softmax(row.map((logit, k) => (logit + drawn[i]![k]!) / 0.8)));
    const decoded = mlp.apply(networks, `decoder_${view}`, tf.concat2d([other, tf.tensor2d(code)], 1));
    const error = (tf.sum(tf.squaredDifference(own, decoded)).arraySync() as number) / 3 / 0.3;
    const rate = q.flatMap(softmax).reduce((sum, p) => sum + p * Math.log(3 * p), 0) / 3;
    expect(terms[`reconstruction_${view}`]!.arraySync() / error).toBeCloseTo(1, 4);
    expect(terms[`rate_unique_${view}`]!.arraySync()).toBeCloseTo(rate, 4);
    loss += error + rate;
  }
  expect(terms.loss!.arraySync() / loss).toBeCloseTo(1, 4);
});

/** Of each variable's three values. */
function softmax(logits: readonly number[]): number[] {
  return logits.map((value, k) => {
    const start = k - (k % 3);
    return Math.exp(value) / logits.slice(start, start + 3).reduce((sum, one) => sum + Math.exp(one), 0);
  });
}

test("it generates either view from the other, and both what is given and the noise matter", () => {
  const networks = cvae.networks(config, 1);
  const tasks = cvae.tasks(config);
  expect(Object.keys(tasks)).toEqual(["conditional_1to2", "conditional_2to1"]);
  const drawn = (view: tf.Tensor, noise: tf.Tensor) =>
    tasks.conditional_2to1!.run(networks, { view_2: view, noise_unique_1: noise }).view_1!;
  const [one, two] = [images(2, "1"), images(2, "2")];
  const [a, b] = [
    tf.tensor2d([
      [1, 0, 0, 1, 0, 0],
      [1, 0, 0, 1, 0, 0],
    ]),
    tf.tensor2d([
      [0, 1, 0, 0, 0, 1],
      [0, 1, 0, 0, 0, 1],
    ]),
  ];
  const off = (first: tf.Tensor, second: tf.Tensor) => tf.max(tf.abs(tf.sub(first, second))).arraySync() as number;
  expect(drawn(one, a).shape).toEqual([2, 32, 32, 1]);
  expect(off(drawn(one, a), drawn(two, a))).toBeGreaterThan(1e-5);
  expect(off(drawn(one, a), drawn(one, b))).toBeGreaterThan(1e-5);
  expect(off(drawn(one, a), drawn(one, tf.mul(a, 7)))).toBe(0);
});
