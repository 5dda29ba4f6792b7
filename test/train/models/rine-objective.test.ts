import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { RineConfig } from "../../../schemas/rine-config.ts";
import type { Tensors } from "../../../train/models/family.ts";
import { rine } from "../../../train/models/rine.ts";
import { classify, networkName, readSources } from "../../../train/models/rine-networks.ts";
import { crossEntropyRows, predictionDistance, rineSchedules } from "../../../train/models/rine-objective.ts";
import { labels, numbers, numbersConfig, rows } from "./rine-setup.ts";

beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

function termsOf(config: RineConfig, batch: Tensors, growth = 0.6): Record<string, number> {
  const networks = rine.networks(config, 4);
  const scalars = { beta_growth: tf.scalar(growth) };
  const terms = rine.phases(config)[0]!.losses(networks, { batch, noise: {}, scalars });
  const values = Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, term.dataSync()[0]!]));
  tf.disposeVariables();
  return values;
}

/** softmax of the networks of one weight, by source, [rows][classes]. */
function predictionsOf(config: RineConfig, batch: Tensors, beta: number): number[][][] {
  const networks = rine.networks(config, 4);
  const problem = config.problems[0]!;
  const found = readSources(config, problem, batch).map((x, i) => {
    const prefix = networkName(problem, beta, i + 1);
    return tf.softmax(classify(networks, config, { prefix, x, mode: "training" })).arraySync() as number[][];
  });
  tf.disposeVariables();
  return found;
}

for (const reduction of ["mean", "l1"] as const) {
  test(`the loss is 1/2 (CE1 + CE2) + beta_i D with D reduced by ${reduction}, written out in loops`, () => {
    const config = numbersConfig({ distance: { reduction, form: "all-pairs" }, betas: [15] });
    const batch = numbers();
    const [p1, p2] = predictionsOf(config, batch, 15) as [number[][], number[][]];
    let crossEntropy = 0;
    let distance = 0;
    for (let i = 0; i < rows; i++) {
      crossEntropy -= 0.5 * (Math.log(p1[i]![i % 3]!) + Math.log(p2[i]![i % 3]!));
      for (let k = 0; k < 3; k++) distance += Math.abs(p1[i]![k]! - p2[i]![k]!);
    }
    const terms = termsOf(config, batch);
    const weight = 15 * 0.6 * (reduction === "mean" ? 1 / 3 : 1);
    expect(terms.P_beta15).toBeCloseTo(crossEntropy / rows, 5);
    expect(terms["P-apart_beta15_share"]).toBeCloseTo(distance / 2 / rows, 5);
    expect(terms.loss).toBeCloseTo((crossEntropy + weight * distance) / rows, 4);
  });
}

test("problems and weights side by side are trained as each alone: the loss is their sum, gradients are their own", () => {
  const both = numbersConfig({
    problems: [
      { name: "P", classes: 3 },
      { name: "Q", classes: 2, from: "Q" },
    ],
  });
  const batch = numbers();
  const other = { Q_x1: batch.x2!, Q_x2: batch.x1!, Q_y: labels(2) };
  const alone = numbersConfig({ betas: [15] });
  const gradientOf = (config: RineConfig, given: Tensors): Float32Array => {
    const networks = rine.networks(config, 4);
    const name = "P.beta15.x2.dense_2.kernel";
    const scalars = { beta_growth: tf.scalar(0.6) };
    const loss = () => rine.phases(config)[0]!.losses(networks, { batch: given, noise: {}, scalars }).loss!;
    const { grads } = tf.variableGrads(loss, [networks[name]!]);
    const found = grads[name]!.dataSync() as Float32Array;
    tf.disposeVariables();
    return found;
  };
  const [together, own] = [gradientOf(both, { ...batch, ...other }), gradientOf(alone, batch)];
  for (const [i, value] of own.entries()) expect(together[i]).toBeCloseTo(value, 6);
  expect(own.some((value) => value !== 0)).toBe(true);
  const first = termsOf(alone, batch).loss! + termsOf(numbersConfig({ betas: [0] }), batch).loss!;
  const second = termsOf({ ...both, problems: [both.problems[1]!] }, other).loss!;
  expect(termsOf(both, { ...batch, ...other }).loss).toBeCloseTo(first + second, 4);
});

const distributions = (seed: number) => tf.softmax(tf.randomNormal([20, 4], 0, 2, "float32", seed)) as tf.Tensor2D;

test("star and all-pairs distance are equal for two sources", () => {
  const two = [distributions(1), distributions(2)];
  const [star, pairs] = [predictionDistance(two, "star").dataSync(), predictionDistance(two, "all-pairs").dataSync()];
  for (const [i, value] of pairs.entries()) expect(star[i]).toBeCloseTo(value, 5);
});

test("for four sources n/2 star <= all-pairs <= (n - 1) star, and both are 0 where all agree", () => {
  const four = [1, 2, 3, 4].map(distributions);
  const [star, pairs] = [predictionDistance(four, "star").dataSync(), predictionDistance(four, "all-pairs").dataSync()];
  for (const [i, value] of pairs.entries()) {
    expect(value).toBeGreaterThanOrEqual(2 * star[i]! - 1e-5);
    expect(value).toBeLessThanOrEqual(3 * star[i]! + 1e-5);
  }
  const same = [four[0]!, four[0]!, four[0]!];
  for (const form of ["star", "all-pairs"] as const) {
    expect(Math.max(...predictionDistance(same, form).dataSync())).toBeLessThan(1e-6);
  }
});

test("three sources train with either form of the distance", () => {
  for (const form of ["all-pairs", "star"] as const) {
    const config = numbersConfig({ sources: 3, distance: { reduction: "mean", form } });
    const terms = termsOf(config, numbers(3));
    expect(terms.loss).toBeGreaterThan(terms.P_beta15! + terms.P_beta0!);
    expect(terms["P-apart_beta15_share"]).toBeLessThanOrEqual(1);
  }
});

test("beta grows as in the authors' code: 0 in the first epoch, 15 to 8.8 in the 30th and 50 to 34.8 in the 40th", () => {
  const schedules = rineSchedules(numbersConfig());
  const growth = schedules.beta_growth!;
  expect([growth(0), growth(9)]).toEqual([0, 0]);
  expect(growth(10)).toBeCloseTo(0.03, 12);
  expect(15 * growth(299)).toBeCloseTo(8.8, 2);
  expect(50 * growth(399)).toBeCloseTo(34.76, 2);
  expect(schedules["learning_rate.model"]!(299)).toBeCloseTo(0.97 ** 29, 12);
});

test("a fixed beta and a constant learning rate have no schedule", () => {
  expect(rineSchedules(numbersConfig({ betaSchedule: "fixed", learningRateDecay: 1 }))).toEqual({});
});

test("the cross-entropy of a label that is no class is NaN, so that it cannot pass for certainty", () => {
  const found = crossEntropyRows(tf.zeros([3, 2]), tf.tensor1d([1, 2, -1], "int32")).dataSync();
  expect(found[0]).toBeCloseTo(Math.LN2, 6);
  expect([found[1], found[2]]).toEqual([Number.NaN, Number.NaN]);
});
