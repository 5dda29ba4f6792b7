import "../../../export/tfjs-setup.ts";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { saveCheckpoint } from "../../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../../train/engine/configuration.ts";
import { evaluateRun } from "../../../train/evaluate/evaluate-run.ts";
import { formatTable } from "../../../train/evaluate/format-table.ts";
import { type Answers, askNetworks } from "../../../train/evaluate/rine-examples.ts";
import { rineFigures } from "../../../train/evaluate/rine-figures.ts";
import { checkModelConfig, familyByName } from "../../../train/models/registry.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";
import { numbersConfig } from "../models/rine-setup.ts";

beforeAll(() => tf.setBackend("cpu"));

const config = numbersConfig({ problems: [{ name: "P", classes: 2, classNames: ["no", "yes"] }], joint: true });
const labels = Int32Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
const constant = (nats: number) => new Float64Array(labels.length).fill(nats);

/** H(Y) = h(1/4) = 0.8113 bits; each network's cross-entropy is planted. */
function planted(nats: Record<string, number>): Answers {
  const crossEntropy = Object.fromEntries(Object.entries(nats).map(([name, value]) => [name, constant(value)]));
  return { labels, crossEntropy, disagreement: { beta0: 0.5, beta15: 0.01 } };
}

const base = { "beta0.x1": 0.1, "beta0.x2": 0.2, "beta15.x1": 0.3, "beta15.x2": 0.34, joint: 0.05 };
const figuresOf = (checkpoints: readonly Answers[]) => {
  const [problem] = config.problems;
  const figures = rineFigures({ config, problem: problem!, checkpoints, over: "a test", seed: 1 });
  return (quantity: string) => figures.find((figure) => figure.quantity === quantity)!;
};
const bits = (nats: number): number => nats / Math.LN2;
const entropy = 2 - 0.75 * Math.log2(3);

test("redundant information is H(Y) minus the mean cross-entropy of the sources, averaged over the checkpoints", () => {
  const of = figuresOf([planted({ ...base, "beta15.x1": 0.5 }), planted(base)]);
  expect(of("entropy.P").value).toBeCloseTo(entropy, 12);
  expect(of("redundant.P.beta15").value).toBeCloseTo(entropy - bits((0.5 + 0.34 + 0.3 + 0.34) / 4), 12);
  expect(of("redundant_final.P.beta15").value).toBeCloseTo(entropy - bits(0.32), 12);
  expect(of("redundant_authors.P.beta15").value).toBeCloseTo(1 - 1.44 * 0.37, 12);
  expect(of("disagreement.P.beta15")).toMatchObject({ value: 0.01, unit: "1" });
});

test("unique, redundant and synergistic parts add up to what the joint network finds, and a source's to its own", () => {
  const of = figuresOf([planted(base)]);
  const value = (quantity: string) => of(quantity).value;
  const redundant = value("redundant.P.beta15");
  expect(value("usable.P.joint")).toBeCloseTo(entropy - bits(0.05), 12);
  expect(value("unique.P.x1") + value("unique.P.x2") + value("synergistic.P") + redundant).toBeCloseTo(
    value("usable.P.joint"),
    12,
  );
  expect(value("unique.P.x2") + redundant).toBeCloseTo(value("usable.P.x2"), 12);
});

test("the interval of a difference is that of its rows: what two networks share cancels in it", () => {
  const noisy = Float64Array.from(labels, (_, i) => (i % 7) / 2);
  const answers = planted(base);
  const both = { ...answers.crossEntropy, "beta0.x1": noisy, "beta15.x1": noisy, "beta15.x2": noisy };
  const of = figuresOf([{ ...answers, crossEntropy: both }]);
  const width = (quantity: string) => of(quantity).interval![1] - of(quantity).interval![0];
  expect(width("usable.P.x1")).toBeGreaterThan(0.1);
  expect(width("unique.P.x1")).toBeLessThan(1e-9);
});

test("classes share the redundant information by their frequencies", () => {
  const of = figuresOf([planted(base)]);
  const [no, yes] = [of("class.P.no.beta15"), of("class.P.yes.beta15")];
  expect([no.n, yes.n]).toEqual([300, 100]);
  expect(yes.value).toBeCloseTo(2 - bits(0.32), 12);
  expect(0.75 * no.value + 0.25 * yes.value).toBeCloseTo(of("redundant_final.P.beta15").value, 12);
});

const column = (data: readonly number[]): HostTensor => ({
  dtype: "float32",
  shape: [data.length, 2],
  data: new Float32Array(2 * data.length),
});
const target = (data: readonly number[]): HostTensor => ({
  dtype: "int32",
  shape: [data.length],
  data: Int32Array.from(data),
});
const answering = {
  specs: {},
  run: async (_name: string, { y }: Readonly<Record<string, HostTensor>>) => ({
    cross_entropy: {
      dtype: "float32" as const,
      shape: [y!.data.length, 5],
      data: new Float32Array(5 * y!.data.length),
    },
    disagreement: { dtype: "float32" as const, shape: [y!.data.length, 2], data: new Float32Array(2 * y!.data.length) },
  }),
  load: async () => {},
  close: async () => {},
};
const ask = (block: Record<string, HostTensor>) => askNetworks(answering, config, { count: 3, blocks: () => [block] });

test("a label that is no class, sources of different lengths and a class that no example has are told by name", async () => {
  const x = column([0, 0, 0]);
  await expect(ask({ x1: x, x2: x, y: target([0, 2, 1]) })).rejects.toThrow(
    'Cannot measure redundant information: the label of example 1 of "P" must be 0 .. 1, got 2',
  );
  await expect(ask({ x1: x, x2: column([0, 0]), y: target([0, 1, 1]) })).rejects.toThrow(
    'sources and target of "P" must have one length, got x1: 3, x2: 2, y: 3',
  );
  await expect(ask({ x1: x, x2: x, y: target([0, 0, 0]) })).rejects.toThrow(
    'every class of "P" must be among the test examples, got none of class 1 (yes) in 3; use more with --pairs',
  );
  await expect(ask({ x1: x, y: target([0, 1, 1]) })).rejects.toThrow('the data must give "x2", got x1, y');
});

async function tinyRun(steps: readonly number[]): Promise<string> {
  const recipe: Recipe = {
    format: 1,
    name: "tiny-rine",
    title: "A tiny run",
    source: "a test",
    family: "rine",
    model: {
      problems: [{ name: "AND", classes: 2, from: "AND" }],
      input: { kind: "numbers", size: 1 },
      network: { kind: "mlp", hidden: [4] },
      betas: [0, 5],
      joint: true,
      epochSteps: 10,
      optimiser: { kind: "sgd", learningRate: 0.01, momentum: 0.9, weightDecay: 0 },
    },
    data: { source: "canonical-tasks" },
    training: {
      seed: 5,
      batchSize: 4,
      steps: 40,
      microBatch: 0,
      logEvery: 10,
      checkpointEvery: 10,
      keepCheckpoints: 5,
    },
    evaluation: { pairs: 300, classifier: "linear" },
    expected: [],
  };
  checkModelConfig("rine", recipe.model, "test");
  const run = temporaryFolder();
  writeFileSync(path.join(run, "recipe.json"), JSON.stringify(recipe));
  const configuration = configurationOf(recipe);
  const head = { steps: 40, phase: "joint", seconds: 1, engine: "compiled", device: "cpu", threads: 1 };
  for (const step of steps) {
    const networks = familyByName("rine").networks(recipe.model, step);
    const values = new Map(
      Object.entries(networks).map(([name, variable]): [string, HostTensor] => [
        name,
        { dtype: "float32", shape: variable.shape, data: Float32Array.from(variable.dataSync()) },
      ]),
    );
    tf.disposeVariables();
    await saveCheckpoint(run, { ...head, step, configuration, recipeHash: hashOf(configuration) }, values, { keep: 5 });
  }
  return run;
}

test("an evaluation averages over the newest five checkpoints, and knows a canonical task's exact values", async () => {
  const [one, two] = [await evaluateRun(await tinyRun([10])), await evaluateRun(await tinyRun([20]))];
  const run = await tinyRun([10, 20]);
  const both = await evaluateRun(run);
  const value = ({ figures }: typeof both, quantity: string) =>
    figures.find((figure) => figure.quantity === quantity)!.value;
  expect(value(both, "redundant.AND.beta5")).toBeCloseTo(
    (value(one, "redundant.AND.beta5") + value(two, "redundant.AND.beta5")) / 2,
    9,
  );
  expect(value(both, "redundant_final.AND.beta5")).toBeCloseTo(value(two, "redundant.AND.beta5"), 9);
  expect(value(both, "exact.AND.I_and")).toBe(0);
  expect(value(both, "optimum.AND.beta0")).toBeCloseTo(0.3113, 4);
  const table = formatTable(both);
  expect(table).toContain("Redundant information in bits after 20 steps (300 test examples)");
  expect(table).toMatch(/AND +0\.\d{3} +0\.000 +0\.123/);
  const report = readFileSync(path.join(run, "report.html"), "utf8");
  expect(report).toContain("<h2>Decomposition</h2>");
  expect(Object.keys(tf.engine().registeredVariables)).toEqual([]);
});
