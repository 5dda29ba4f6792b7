import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../../schemas/errors.ts";
import type { Networks } from "../models/family.ts";
import { stream } from "../random.ts";

/** Variables of one network while it is being built, by dotted name. */
export type MutableNetworks = Record<string, tf.Variable>;

/**
 * Adds `<name>.kernel` and `<name>.bias` to `into`, uniform as PyTorch draws them: weights by Kaiming's rule with the
 * gain of ReLU, within sqrt(6 / fanIn); biases within 1 / sqrt(fanIn).
 *
 * Every variable has its own random stream, so adding a layer leaves the others as they were.
 *
 * Source: He et al. 2015, https://arxiv.org/abs/1502.01852, and the reset_parameters of PyTorch's layers
 */
export function addLayer(
  into: MutableNetworks,
  name: string,
  { kernel, bias, fanIn, seed }: { kernel: readonly number[]; bias: number; fanIn: number; seed: number },
): void {
  into[`${name}.kernel`] = uniformVariable(`${name}.kernel`, kernel, Math.sqrt(6 / fanIn), seed);
  into[`${name}.bias`] = uniformVariable(`${name}.bias`, [bias], 1 / Math.sqrt(fanIn), seed);
}

/**
 * Adds `<name>.kernel`, uniform within sqrt(6 / (fanIn + fanOut)), and `<name>.bias`, zero: TensorFlow's defaults.
 *
 * Source: Glorot & Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, equation 16
 *
 * @param bias shape of the bias
 */
export function addGlorotLayer(
  into: MutableNetworks,
  name: string,
  layer: { kernel: readonly number[]; bias: readonly number[]; fanIn: number; fanOut: number; seed: number },
): void {
  const { kernel, bias, fanIn, fanOut, seed } = layer;
  into[`${name}.kernel`] = uniformVariable(`${name}.kernel`, kernel, Math.sqrt(6 / (fanIn + fanOut)), seed);
  into[`${name}.bias`] = namedVariable(`${name}.bias`, () => tf.zeros([...bias]));
}

/** Numbers of one variable: 4 GiB of float32. */
const mostNumbers = 2 ** 30;

/**
 * Uniform in -bound .. bound, from a random stream of its own.
 *
 * @throws UsageError for more numbers than fit: sizes of a model may each be in their bounds and their product beyond
 */
export function uniformVariable(name: string, shape: readonly number[], bound: number, seed: number): tf.Variable {
  const length = tf.util.sizeFromShape([...shape]);
  if (length > mostNumbers) {
    throw new UsageError(`Cannot build the model: "${name}" must have at most ${mostNumbers} numbers, got ${length}`, {
      code: "invalid",
      path: ["model"],
    });
  }
  const random = stream(seed, "init", name);
  const values = Float32Array.from({ length }, () => bound * (2 * random.uniform() - 1));
  return namedVariable(name, () => tf.tensor(values, [...shape]));
}

/**
 * A variable that bears `name` in tfjs too. tfjs wants names unique among living variables: dispose one model before
 * building the next.
 */
export function namedVariable(name: string, value: () => tf.Tensor): tf.Variable {
  return tf.tidy(() => tf.variable(value(), true, name));
}

/** The variable called `name`. @throws Error if there is none: a defect, never an input of a user */
export function parameter<R extends tf.Rank>(networks: Networks, name: string): tf.Variable<R> {
  const variable = networks[name];
  if (variable === undefined) throw new Error(`Cannot apply network: there is no variable "${name}"`);
  return variable as tf.Variable<R>;
}

/** Number of trained values in the variables whose name starts with `prefix`. */
export function countParameters(networks: Networks, prefix = ""): number {
  return Object.entries(networks)
    .filter(([name, variable]) => variable.trainable && name.startsWith(prefix))
    .reduce((sum, [, variable]) => sum + variable.size, 0);
}
