import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import {
  doublySymmetricBinary,
  type KnownPair,
  symmetricErasure,
} from "../../../information/common-information-examples.ts";
import { adam } from "../../../train/engine/optimisers.ts";
import { categoricalRate } from "../../../train/networks/categorical.ts";
import { stream } from "../../../train/random.ts";

/**
 * The W-model on sources so small that nothing is sampled: z takes a few values, the encoder is a table q(z|x,y) and the
 * decoders are tables p(x|z) and p(y|z). The paper's equation 5, every expectation a sum:
 *
 *   E[ (1 + lambda) KL( q(z|x,y) || p(z) ) - ln p(x|z) - ln p(y|z) ],   p(z) uniform
 *
 * How it comes to Wyner's common information: at lambda = 0 this is D(q || p) up to a constant and any exact model
 * reaches its minimum, however much z tells. At lambda > 0 it is D + lambda I, and of the exact models the one of least
 * I(X,Y;Z) is best: as lambda falls to 0, D goes to 0 and I to Wyner's. The uniform prior costs nothing where z has
 * values enough: equal ones stand for one of greater probability.
 */

const values = 8;
const steps = 900;
const lambda = { start: 0.5, end: 0.02 };
const optimiser = adam({ kind: "adam", learningRate: 0.05, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 });

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

interface Learned {
  /** I(X,Y;Z) of the encoder, bits. */
  readonly bits: number;
  /** D( q(x,y) || p(x,y) ), bits: how far the decoders are from the source. */
  readonly mismatchBits: number;
}

function learn({ joint }: KnownPair, finalLambda = lambda.end): Learned {
  const cells = Array.from(joint.probabilities, (p, i) => ({
    p,
    x: joint.outcomes[2 * i]!,
    y: joint.outcomes[2 * i + 1]!,
  }));
  const [xs, ys] = joint.variables.map(({ symbols }) => symbols.length);
  const random = stream(1, "w-model");
  const table = (rows: number, columns: number) =>
    tf.variable(
      tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.normal()),
        [rows, columns],
      ),
    );
  const [encoder, decoderX, decoderY] = [table(cells.length, values), table(values, xs!), table(values, ys!)] as const;
  const parameters = [encoder, decoderX, decoderY];
  const weights = tf.tensor1d(cells.map(({ p }) => p));
  const [atX, atY] = [
    tf.tensor1d(
      cells.map(({ x }) => x),
      "int32",
    ),
    tf.tensor1d(
      cells.map(({ y }) => y),
      "int32",
    ),
  ];

  const objective = (strength: number): tf.Scalar => {
    const rate = tf.sum(categoricalRate(encoder, { variables: 1, values }), 1);
    const likelihood = tf.add(
      tf.gather(tf.transpose(tf.logSoftmax(decoderX)), atX),
      tf.gather(tf.transpose(tf.logSoftmax(decoderY)), atY),
    );
    const distortion = tf.neg(tf.sum(tf.mul(tf.softmax(encoder), likelihood), 1));
    return tf.sum(tf.mul(weights, tf.add(tf.mul(rate, 1 + strength), distortion))) as tf.Scalar;
  };

  const slots = parameters.map(() => ({ m: [] as tf.Tensor[] }));
  for (let step = 1; step <= steps; step++) {
    const strength = lambda.start * (finalLambda / lambda.start) ** Math.min(1, step / (0.7 * steps));
    const { grads } = tf.variableGrads(() => objective(strength), parameters);
    const scalars = optimiser.scalars(step, Math.min(1, 3 * (1 - step / steps)));
    for (const [i, parameter] of parameters.entries()) {
      const old = slots[i]!.m;
      const next = tf.tidy(() => {
        const [m, v] = old.length === 0 ? [tf.zerosLike(parameter), tf.zerosLike(parameter)] : old;
        const named = { "adam.m": m!, "adam.v": v! };
        const given = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, tf.scalar(value)]));
        const update = optimiser.update(parameter, grads[parameter.name]!, named, given);
        parameter.assign(update.parameter as tf.Tensor2D);
        return [update.slots["adam.m"]!, update.slots["adam.v"]!];
      });
      tf.dispose(old);
      slots[i]!.m = next;
    }
    tf.dispose(grads);
  }

  const [q, px, py] = parameters.map((parameter) => tf.softmax(parameter).arraySync() as number[][]);
  const pz = Array.from({ length: values }, (_, z) => cells.reduce((sum, { p }, i) => sum + p * q![i]![z]!, 0));
  const model = (x: number, y: number): number =>
    pz.reduce((sum, _, z) => sum + (px![z]![x]! * py![z]![y]!) / values, 0);
  return {
    bits: cells.reduce(
      (sum, { p }, i) => sum + p * q![i]!.reduce((all, r, z) => all + r * Math.log2(r / pz[z]!), 0),
      0,
    ),
    mismatchBits: cells.reduce((sum, { p, x, y }) => sum + p * Math.log2(p / model(x, y)), 0),
  };
}

test.each([
  ["doubly symmetric binary, 0.1", doublySymmetricBinary(0.1)],
  ["doubly symmetric binary, 0.25", doublySymmetricBinary(0.25)],
  ["symmetric erasure, 0.25", symmetricErasure(0.25)],
  ["symmetric erasure, 0.75", symmetricErasure(0.75)],
])(
  "%s: the rate of z comes within 0.1 bit of Wyner's common information, well above the mutual information",
  (_, source) => {
    const { bits, mismatchBits } = learn(source);
    expect(mismatchBits).toBeLessThan(0.01);
    expect(Math.abs(bits - source.wynerBits)).toBeLessThan(0.1);
    expect(bits).toBeGreaterThan(source.mutualInformationBits + 0.1);
  },
);

test("a large lambda buys a smaller rate with a model that no longer is the source", () => {
  const source = doublySymmetricBinary(0.1);
  const { bits, mismatchBits } = learn(source, 0.4);
  expect(bits).toBeLessThan(source.wynerBits - 0.1);
  expect(mismatchBits).toBeGreaterThan(0.005);
  expect(learn(source).mismatchBits).toBeLessThan(mismatchBits / 10);
});
