import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { writeOnnx } from "../../../export/onnx-writer.ts";
import { trace } from "../../../export/trace.ts";
import { createSession } from "../../../runtime/create-session.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import type { TaskSpec } from "../../../train/models/family.ts";
import { rine } from "../../../train/models/rine.ts";
import { disturb, imagesConfig, labels, numbersConfig, picture, pixels, rows } from "./rine-setup.ts";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

const config = imagesConfig();
const networksOf = () => {
  const networks = rine.networks(config, 2);
  disturb(networks);
  return networks;
};

const hosts: Record<string, HostTensor> = {
  x1: { dtype: "uint8", shape: [rows, 8, 8, 3], data: pixels("one") },
  x2: { dtype: "uint8", shape: [rows, 8, 8, 3], data: pixels("two") },
  y: { dtype: "int32", shape: [rows], data: Int32Array.from({ length: rows }, (_, i) => i % 3) },
};
const given = () => ({ x1: picture(pixels("one")), x2: picture(pixels("two")), y: labels() });

test("a model of one problem answers predict_1, predict_2, redundant_information and partial_information", () => {
  expect(Object.keys(rine.tasks(config))).toEqual([
    "predict_1",
    "predict_2",
    "redundant_information",
    "partial_information",
  ]);
  const two = numbersConfig({
    problems: [
      { name: "UNQ", classes: 4, from: "UNQ" },
      { name: "AND", classes: 2, from: "AND" },
    ],
  });
  expect(Object.keys(rine.tasks(two))).toContain("redundant_information_unq");
});

for (const [name, task] of Object.entries(rine.tasks(config)) as [string, TaskSpec][]) {
  test(`the exported ${name} takes uint8 images and answers as eager tfjs`, async () => {
    const networks = networksOf();
    const graph = trace((inputs) => task.run(networks, inputs), { name, inputs: task.inputs, variables: "frozen" });
    const session = await createSession(writeOnnx(graph));
    const feeds = Object.fromEntries(Object.keys(task.inputs).map((input) => [input, hosts[input]!]));
    const actual = await session.run(feeds);
    for (const [output, expected] of Object.entries(task.run(networks, given()))) {
      expect(actual[output]!.shape).toEqual(expected.shape);
      expected.dataSync().forEach((value, i) => {
        expect(Number(actual[output]!.data[i])).toBeCloseTo(value, 4);
      });
    }
    await session.release();
  });
}

test("a source is blind to the part of its image that it does not have", () => {
  const networks = networksOf();
  const { predict_2: task } = rine.tasks(config); // columns 0 to 4 of channel 1
  const answer = (data: Uint8Array) => [...task!.run(networks, { x2: picture(data) }).probabilities!.dataSync()];
  const image = pixels("two");
  const changed = (isHit: (column: number, channel: number) => boolean) =>
    image.map((value, i) => (isHit(Math.floor(i / 3) % 8, i % 3) ? 255 - value : value));
  expect(answer(changed((column, channel) => column >= 4 || channel !== 1))).toEqual(answer(image));
  expect(answer(changed((column, channel) => column < 4 && channel === 1))).not.toEqual(answer(image));
});

test("redundant_information is partial_information's columns of the largest weight", () => {
  const networks = networksOf();
  const { redundant_information: redundant, partial_information: partial } = rine.tasks(config);
  expect(partial!.outputs.cross_entropy!.names).toEqual(["beta0.x1", "beta0.x2", "beta15.x1", "beta15.x2", "joint"]);
  const one = redundant!.run(networks, given());
  const all = partial!.run(networks, given());
  const table = all.cross_entropy!.arraySync() as number[][];
  const apart = all.disagreement!.arraySync() as number[][];
  const [first, second, distance] = ["cross_entropy_1", "cross_entropy_2", "disagreement"].map((name) =>
    one[name]!.dataSync(),
  );
  for (let i = 0; i < rows; i++) {
    expect(table[i]![2]).toBeCloseTo(first![i]!, 5);
    expect(table[i]![3]).toBeCloseTo(second![i]!, 5);
    expect(apart[i]![1]).toBeCloseTo(distance![i]!, 5);
    expect(distance![i]).toBeLessThanOrEqual(2);
  }
});
