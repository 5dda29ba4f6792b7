import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { addBatchNorm, batchNorm } from "../../../train/networks/batch-norm.ts";
import type { MutableNetworks } from "../../../train/networks/parameters.ts";
import { stream } from "../../../train/random.ts";

let networks: MutableNetworks;
beforeEach(() => {
  networks = {};
  addBatchNorm(networks, "norm", 2);
  networks["norm.scale"]!.assign(tf.tensor1d([2, -0.5]));
  networks["norm.offset"]!.assign(tf.tensor1d([1, 3]));
});
beforeAll(() => tf.setBackend("cpu"));
afterEach(() => tf.disposeVariables());

const random = stream(3, "batch norm");
const rows = Array.from({ length: 6 }, () => [random.normal() + 4, 3 * random.normal()] as const);
const moments = (column: 0 | 1) => {
  const mean = rows.reduce((sum, row) => sum + row[column], 0) / rows.length;
  const squares = rows.reduce((sum, row) => sum + (row[column] - mean) ** 2, 0);
  return { mean, squares };
};

test("in training a batch is normalised by its own moments, and the averages move a tenth towards them", () => {
  const x = tf.tensor2d(rows.map((row) => [...row]));
  const y = batchNorm(networks, "norm", x, "training").arraySync();
  for (const column of [0, 1] as const) {
    const { mean, squares } = moments(column);
    for (const [i, row] of rows.entries()) {
      const normal = (row[column] - mean) / Math.sqrt(squares / rows.length + 1e-5);
      expect(y[i]![column]).toBeCloseTo([2, -0.5][column]! * normal + [1, 3][column]!, 4);
    }
    expect(networks["norm.mean"]!.dataSync()[column]).toBeCloseTo(0.1 * mean, 5);
    expect(networks["norm.variance"]!.dataSync()[column]).toBeCloseTo(0.9 + (0.1 * squares) / (rows.length - 1), 4);
  }
});

test("in inference the averages normalise, whatever the batch, and stay as they are", () => {
  networks["norm.mean"]!.assign(tf.tensor1d([4, 0]));
  networks["norm.variance"]!.assign(tf.tensor1d([4, 9]));
  const y = batchNorm(networks, "norm", tf.tensor2d([[6, 3]]), "inference").arraySync();
  expect(y[0]![0]).toBeCloseTo(3, 4);
  expect(y[0]![1]).toBeCloseTo(2.5, 4);
  expect([...networks["norm.mean"]!.dataSync()]).toEqual([4, 0]);
});

test("the gradient by hand is that of finite differences, of input, scale and offset", () => {
  const x = tf.variable(tf.tensor2d(rows.map((row) => [...row])));
  const weights = tf.tensor2d(rows.map(() => [random.normal(), random.normal()]));
  const loss = (): tf.Scalar => tf.sum(tf.mul(weights, tf.square(batchNorm(networks, "norm", x, "training"))));
  for (const variable of [x, networks["norm.scale"]!, networks["norm.offset"]!]) {
    const { grads } = tf.variableGrads(loss, [variable]);
    const gradient = grads[variable.name]!.dataSync();
    const start = variable.dataSync().slice();
    for (let i = 0; i < Math.min(4, start.length); i++) {
      const at = (step: number): number => {
        variable.assign(
          tf.tensor(
            start.map((value, j) => (j === i ? value + step : value)),
            variable.shape,
          ),
        );
        return loss().dataSync()[0]!;
      };
      expect(gradient[i]).toBeCloseTo((at(1e-2) - at(-1e-2)) / 2e-2, 1);
    }
    variable.assign(tf.tensor(start, variable.shape));
  }
});
