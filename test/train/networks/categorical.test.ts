import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  categoricalRate,
  categoricalSample,
  hardCode,
  normalToGumbel,
  probabilities,
} from "../../../train/networks/categorical.ts";
import { stream } from "../../../train/random.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const sizes = { variables: 2, values: 3 };

test("the rate is 0 for equal logits, ln K for a certain value, and the sum over values in between", () => {
  const logits = tf.tensor2d([
    [5, 5, 5, 0, 0, 200],
    [Math.log(0.5), Math.log(0.25), Math.log(0.25), 1, 2, 3],
  ]);
  const rate = categoricalRate(logits, sizes).arraySync();
  expect(rate[0]![0]).toBeCloseTo(0, 6);
  expect(rate[0]![1]).toBeCloseTo(Math.log(3), 6);
  expect(rate[1]![0]).toBeCloseTo(0.5 * Math.log(1.5) + 0.5 * Math.log(0.75), 6);
  const sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
  const wanted = [1, 2, 3].reduce((total, l) => total + (Math.exp(l) / sum) * (l - Math.log(sum) + Math.log(3)), 0);
  expect(rate[1]![1]).toBeCloseTo(wanted, 6);
});

test("the divergence from another posterior is 0 from itself and the sum over values from another", () => {
  const [p, q] = [tf.tensor2d([[0, 0, 0, 1, 0, 0]]), tf.tensor2d([[0, 1, 0, 1, 0, 0]])];
  expect(categoricalRate(q, { ...sizes, prior: q }).arraySync()[0]![0]).toBeCloseTo(0, 6);
  const between = categoricalRate(q, { ...sizes, prior: p }).arraySync()[0]!;
  const total = 2 + Math.E;
  const wanted = (2 / total) * Math.log(3 / total) + (Math.E / total) * Math.log((3 * Math.E) / total);
  expect(between[0]).toBeCloseTo(wanted, 6);
  expect(between[1]).toBeCloseTo(0, 6);
});

test("relaxed samples add up to 1 for each variable and become the hard code as the temperature falls", () => {
  const random = stream(1, "gumbel");
  const make = () =>
    tf.tensor2d(
      Float32Array.from({ length: 60 }, () => 2 * random.normal()),
      [10, 6],
    );
  const [logits, noise] = [make(), make()];
  const soft = categoricalSample(logits, noise, { ...sizes, temperature: tf.scalar(0.8) });
  for (const row of tf.sum(tf.reshape(soft, [10, 2, 3]), 2).arraySync() as number[][]) {
    for (const sum of row) expect(sum).toBeCloseTo(1, 5);
  }
  const cold = categoricalSample(logits, noise, { ...sizes, temperature: tf.scalar(1e-3) });
  const hard = hardCode(tf.add(logits, noise), sizes);
  expect(tf.max(tf.abs(tf.sub(cold, hard))).arraySync()).toBeLessThan(1e-5);
});

test("the hard code takes the largest entry of each variable, the first of equal ones", () => {
  expect(hardCode(tf.tensor2d([[1, 3, 2, 0, 0, 0]]), sizes).arraySync()).toEqual([[0, 1, 0, 1, 0, 0]]);
});

test("normal noise draws values with the probabilities of the posterior", () => {
  const rows = 20_000;
  const random = stream(2, "draws");
  const one = [0, Math.log(2), Math.log(5), 0, 0, 0];
  const noise = tf.tensor2d(
    Float32Array.from({ length: rows * 6 }, () => random.normal()),
    [rows, 6],
  );
  const drawn = hardCode(tf.add(tf.tensor2d([one]), normalToGumbel(noise)), sizes);
  const shares = tf.mean(drawn, 0).arraySync() as number[];
  const wanted = [1 / 8, 2 / 8, 5 / 8, 1 / 3, 1 / 3, 1 / 3];
  const chi = shares.reduce((sum, share, i) => sum + (rows * (share - wanted[i]!) ** 2) / wanted[i]!, 0);
  expect(chi).toBeLessThan(18.5); // 0.1 %, 2 + 2 degrees of freedom
  expect(probabilities(tf.tensor2d([one]), sizes).arraySync()[0]![2]).toBeCloseTo(5 / 8, 6);
});

test("normal noise far out gives finite Gumbel noise", () => {
  const far = normalToGumbel(tf.tensor2d([[-40, -6, 0, 6, 40]])).arraySync()[0]!;
  expect(far.every(Number.isFinite)).toBe(true);
  expect(far[2]).toBeCloseTo(-Math.log(Math.log(2)), 5);
  expect(far).toEqual([...far].sort((a, b) => a - b));
});
