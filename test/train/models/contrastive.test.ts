import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import "../../../export/tfjs-setup.ts";
import { writeOnnx } from "../../../export/onnx-writer.ts";
import { trace } from "../../../export/trace.ts";
import { createSession } from "../../../runtime/create-session.ts";
import { type ContrastiveConfig, contrastiveConfigSchema } from "../../../schemas/contrastive-config.ts";
import { validate } from "../../../schemas/validate.ts";
import { contrastive } from "../../../train/models/contrastive.ts";
import { stream } from "../../../train/random.ts";

const config: ContrastiveConfig = validate(
  contrastiveConfigSchema,
  { image: { size: 32, channels: 1 }, embedding: 5, networks: { filters: 4, hidden: 16 } },
  "configure the test",
);
const n = 6;
const pixels = (name: string): Uint8Array => {
  const random = stream(3, "contrastive test", name);
  return Uint8Array.from({ length: n * 32 * 32 }, () => random.integer(256));
};
const views = { view_1: pixels("one"), view_2: pixels("two") };
const tensors = () =>
  Object.fromEntries(Object.entries(views).map(([name, data]) => [name, tf.tensor(data, [n, 32, 32, 1], "int32")]));

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const lossesOf = (microBatch: number) => {
  const networks = contrastive.networks(config, 0);
  const terms = contrastive
    .phases(config)[0]!
    .losses(networks, { batch: tensors(), noise: {}, scalars: {}, microBatch });
  const values = Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, term.dataSync()[0]!]));
  tf.disposeVariables();
  return values;
};

test("the loss is InfoNCE of the embeddings in both directions, and bound is ln n minus it", () => {
  const networks = contrastive.networks(config, 0);
  const codes = contrastive.tasks(config).encode!.run(networks, tensors());
  const [z1, z2] = [codes.common_mean!, codes.common_2_mean!].map((z) => z.arraySync() as number[][]);
  const score = (i: number, j: number): number => z1![i]!.reduce((sum, x, d) => sum + x * z2![j]![d]!, 0) / 0.07;
  const rows = Array.from({ length: n }, (_, i) => i);
  const direction = (at: (i: number, j: number) => number): number =>
    rows.reduce((sum, i) => sum + Math.log(rows.reduce((all, j) => all + Math.exp(at(i, j)), 0)) - at(i, i), 0) / n;
  const [forward, backward] = [direction(score), direction((i, j) => score(j, i))];
  tf.disposeVariables();
  const terms = lossesOf(0);
  expect(terms.infonce_1to2).toBeCloseTo(forward, 4);
  expect(terms.infonce_2to1).toBeCloseTo(backward, 4);
  expect(terms.loss).toBeCloseTo((forward + backward) / 2, 4);
  expect(terms.bound).toBeCloseTo(Math.log(n) - terms.loss!, 4);
});

test("micro-batches change nothing: negatives come from the whole minibatch", () => {
  const [whole, parts] = [lossesOf(0), lossesOf(2)];
  for (const name of Object.keys(whole)) expect(parts[name]).toBeCloseTo(whole[name]!, 4);
});

test("the exported encode gives unit vectors, those of eager tfjs", async () => {
  const networks = contrastive.networks(config, 0);
  const { inputs, run } = contrastive.tasks(config).encode!;
  const graph = trace((given) => run(networks, given), { name: "encode", inputs, variables: "frozen" });
  const session = await createSession(writeOnnx(graph));
  const feeds = Object.entries(views).map(([name, data]) => [
    name,
    { dtype: "uint8" as const, shape: [n, 32, 32, 1], data },
  ]);
  const actual = await session.run(Object.fromEntries(feeds));
  for (const [name, expected] of Object.entries(run(networks, tensors()))) {
    const [wanted, got] = [expected.dataSync(), actual[name]!.data as Float32Array];
    wanted.forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 5);
    });
    for (let row = 0; row < n; row++) {
      const squares = got.slice(row * 5, row * 5 + 5).reduce((sum, x) => sum + x * x, 0);
      expect(squares).toBeCloseTo(1, 5);
    }
  }
  await session.release();
});
