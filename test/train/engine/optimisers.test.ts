import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import type { OptimiserConfig } from "../../../schemas/recipe.ts";
import { optimiserOf } from "../../../train/engine/optimisers.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

type Gradient = (parameter: readonly number[], step: number) => number[];

/** Parameters after each step, by the host loop that the engine runs. */
function run(config: OptimiserConfig, { start, steps, gradient, rate = () => 1 }: RunOptions): number[][] {
  const optimiser = optimiserOf(config);
  let parameter: tf.Tensor = tf.tensor1d(start as number[]);
  let slots = Object.fromEntries(optimiser.slots.map((name) => [name, tf.zerosLike(parameter)]));
  const path: number[][] = [];
  for (let step = 1; step <= steps; step++) {
    const scalars = Object.entries(optimiser.scalars(step, rate(step)));
    const update = optimiser.update(
      parameter,
      tf.tensor1d(gradient([...parameter.dataSync()], step)),
      slots,
      Object.fromEntries(scalars.map(([name, value]) => [name, tf.scalar(value)])),
    );
    parameter = update.parameter;
    slots = { ...update.slots };
    path.push([...parameter.dataSync()]);
  }
  return path;
}

interface RunOptions {
  readonly start: readonly number[];
  readonly steps: number;
  readonly gradient: Gradient;
  readonly rate?: (step: number) => number;
}

function expectClose(actual: readonly number[], wanted: readonly number[], tolerance = 2e-6): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of actual.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance);
}

const plainAdam = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
const quadratic: Gradient = (parameter) => parameter.map((p, i) => (i + 1) * p);

test("the first Adam step moves each parameter by the learning rate against the sign of its gradient", () => {
  // m / (1 - beta1) = g and v / (1 - beta2) = g^2, so the step is rate g / |g|
  const [first] = run(plainAdam, { start: [1, -2], steps: 1, gradient: () => [0.001, -1000] });
  expectClose(first!, [0.9, -1.9], 2e-5); // epsilon 1e-8 against a root of 1e-3
});

test("two Adam steps by hand: gradients 1 then 3", () => {
  // m = 0.1, 0.39; v = 0.001, 0.009999; corrected m = 1, 0.39/0.19; corrected v = 1, 0.009999/0.001999
  const path = run(plainAdam, { start: [0], steps: 2, gradient: (_, step) => [step === 1 ? 1 : 3] });
  expectClose(path[0]!, [-0.1]);
  expectClose(path[1]!, [-0.1 - (0.1 * (0.39 / 0.19)) / Math.sqrt(0.009999 / 0.001999)]);
});

test("Adam takes the same path as tf.train.adam", () => {
  const theirs = tf.variable(tf.tensor1d([1, -2, 3]));
  const optimiser = tf.train.adam(0.05, 0.8, 0.95, 1e-4);
  const wanted = Array.from({ length: 30 }, () => {
    optimiser.minimize(() => tf.sum(tf.mul(tf.tensor1d([0.5, 1, 1.5]), tf.square(theirs))) as tf.Scalar);
    return [...theirs.dataSync()];
  });
  const config = { ...plainAdam, learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 1e-4 };
  const path = run(config, { start: [1, -2, 3], steps: 30, gradient: quadratic });
  for (const [step, parameters] of path.entries()) expectClose(parameters, wanted[step]!, 2e-5);
});

test("SGD with momentum takes the same path as tf.train.momentum", () => {
  const theirs = tf.variable(tf.tensor1d([1, -2, 3]));
  const optimiser = tf.train.momentum(0.05, 0.9);
  const config = { kind: "sgd", learningRate: 0.05, momentum: 0.9, weightDecay: 0 } as const;
  const path = run(config, { start: [1, -2, 3], steps: 30, gradient: quadratic });
  for (const parameters of path) {
    optimiser.minimize(() => tf.sum(tf.mul(tf.tensor1d([0.5, 1, 1.5]), tf.square(theirs))) as tf.Scalar);
    expectClose(parameters, [...theirs.dataSync()]);
  }
});

test("SGD without momentum keeps no slot and follows the gradient", () => {
  const config = { kind: "sgd", learningRate: 0.5, momentum: 0, weightDecay: 0 } as const;
  expect(optimiserOf(config).slots).toEqual([]);
  expect(run(config, { start: [4], steps: 3, gradient: ([p]) => [p!] }).flat()).toEqual([2, 1, 0.5]);
});

/** The gradient of the reference below: t (0.5, 0.25) p. */
const growing: Gradient = (parameter, step) => [0.5 * step * parameter[0]!, 0.25 * step * parameter[1]!];

// PyTorch 1.13, float64: torch.optim.Adam([p], lr=0.1, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.05)
test("Adam's weight decay is torch's: L2 added to the gradient", () => {
  const config = { ...plainAdam, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.05 };
  const path = run(config, { start: [1, -2], steps: 3, gradient: growing });
  expectClose(path[0]!, [0.900181488, -1.900166389]);
  expectClose(path[1]!, [0.8024043, -1.802500732]);
  expectClose(path[2]!, [0.70470885, -1.705267478]);
});

// PyTorch 1.13, float64: torch.optim.SGD([p], lr=0.1, momentum=0.8, weight_decay=0.05)
test("SGD's weight decay and momentum are torch's", () => {
  const config = { kind: "sgd", learningRate: 0.1, momentum: 0.8, weightDecay: 0.05 } as const;
  const path = run(config, { start: [1, -2], steps: 3, gradient: growing });
  expectClose(path[0]!, [0.945, -1.94]);
  expectClose(path[1]!, [0.801775, -1.7853]);
  expectClose(path[2]!, [0.562919875, -1.518716]);
});

test("a schedule multiplies the learning rate of its step alone", () => {
  const config = { kind: "sgd", learningRate: 1, momentum: 0, weightDecay: 0 } as const;
  const rate = (step: number): number => [0, 0.5, 0, 0.25][step]!;
  expect(run(config, { start: [0], steps: 3, gradient: () => [1], rate }).flat()).toEqual([-0.5, -0.5, -0.75]);
  expect(optimiserOf(plainAdam).scalars(1, 0.5).step_size).toBeCloseTo(0.5, 12); // 0.1 x 0.5 / (1 - 0.9)
});
