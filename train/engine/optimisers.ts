import * as tf from "@tensorflow/tfjs-core";
import type { OptimiserConfig } from "../../schemas/recipe.ts";

/**
 * Optimisers as pure functions of tensors, so that one definition runs eagerly and inside a traced step.
 * What depends on the step number alone is computed on the host in float64 and enters as scalars.
 */

type Named = Readonly<Record<string, tf.Tensor>>;

export interface Update {
  readonly parameter: tf.Tensor;
  /** Next slots, by the names of `slots`. */
  readonly slots: Named;
}

export interface Optimiser {
  /** Names of the tensors kept for each parameter, zero at the start of a phase, for instance `adam.m`. */
  readonly slots: readonly string[];
  /** Values of the scalar inputs at `step`, counted from 1; `rate` multiplies the learning rate (a schedule). */
  scalars(step: number, rate: number): Record<string, number>;
  /** @param slots all of the parameter's shape */
  update(parameter: tf.Tensor, gradient: tf.Tensor, slots: Named, scalars: Named): Update;
}

type AdamConfig = Extract<OptimiserConfig, { kind: "adam" }>;
type SgdConfig = Extract<OptimiserConfig, { kind: "sgd" }>;

export function optimiserOf(config: OptimiserConfig): Optimiser {
  return config.kind === "adam" ? adam(config) : sgd(config);
}

/**
 * Adam with bias correction.
 *
 *   g  = gradient + weightDecay p
 *   m' = beta1 m + (1 - beta1) g
 *   v' = beta2 v + (1 - beta2) g^2
 *   p' = p - rate / (1 - beta1^t) m' / ( sqrt(v') / sqrt(1 - beta2^t) + epsilon )
 *
 * Source: Kingma & Ba 2015, algorithm 1, https://arxiv.org/abs/1412.6980; weight decay is L2 added to the gradient,
 * as in torch.optim.Adam, not the decoupled form of AdamW.
 *
 * Scalars: `step_size` = rate / (1 - beta1^t) and `correction` = 1 / sqrt(1 - beta2^t).
 */
export function adam({ learningRate, beta1, beta2, epsilon, weightDecay }: AdamConfig): Optimiser {
  return {
    slots: ["adam.m", "adam.v"],
    scalars: (step, rate) => ({
      step_size: (rate * learningRate) / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
    }),
    update(parameter, gradient, slots, scalars) {
      const g = withDecay(parameter, gradient, weightDecay);
      const m = tf.add(tf.mul(slots["adam.m"]!, beta1), tf.mul(g, 1 - beta1));
      const v = tf.add(tf.mul(slots["adam.v"]!, beta2), tf.mul(tf.mul(g, g), 1 - beta2));
      const scale = tf.add(tf.mul(tf.sqrt(v), scalars.correction!), epsilon);
      const next = tf.sub(parameter, tf.div(tf.mul(m, scalars.step_size!), scale));
      return { parameter: next, slots: { "adam.m": m, "adam.v": v } };
    },
  };
}

/**
 * Gradient descent with heavy-ball momentum.
 *
 *   g  = gradient + weightDecay p
 *   u' = momentum u + g
 *   p' = p - rate u'                  (u' = g, and no slot, without momentum)
 *
 * Source: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5, in the form of torch.optim.SGD (no dampening) and
 * of tf.train.momentum: the velocity is in units of the gradient, so a change of rate acts at once.
 *
 * Scalar: `step_size` = rate.
 */
export function sgd({ learningRate, momentum, weightDecay }: SgdConfig): Optimiser {
  return {
    slots: momentum === 0 ? [] : ["sgd.velocity"],
    scalars: (_step, rate) => ({ step_size: rate * learningRate }),
    update(parameter, gradient, slots, scalars) {
      const g = withDecay(parameter, gradient, weightDecay);
      const velocity = momentum === 0 ? g : tf.add(tf.mul(slots["sgd.velocity"]!, momentum), g);
      const next = tf.sub(parameter, tf.mul(velocity, scalars.step_size!));
      return { parameter: next, slots: momentum === 0 ? {} : { "sgd.velocity": velocity } };
    },
  };
}

function withDecay(parameter: tf.Tensor, gradient: tf.Tensor, weightDecay: number): tf.Tensor {
  return weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
}
