import * as tf from "@tensorflow/tfjs-core";

/** Blocks of categorical variables side by side: [batch, variables x values], the values of one variable together. */
export interface CategoricalSizes {
  readonly variables: number;
  readonly values: number;
}

/** Keeps both logarithms of a Gumbel draw finite; float32 reaches no further into either tail. */
const tail = 1e-6;

/**
 * KL divergence of every variable's posterior from its prior, exact.
 *
 *   KL_ij = sum_k q_ijk ( ln q_ijk - ln p_ijk ),   q = softmax(logits)
 *
 * @param prior logits of p; left out: uniform, and KL_ij is ln values minus the entropy of q_ij
 * @returns [batch, variables], nats, at least 0 up to rounding
 */
export function categoricalRate(
  logits: tf.Tensor2D,
  { variables, values, prior }: CategoricalSizes & { readonly prior?: tf.Tensor2D },
): tf.Tensor2D {
  const perVariable = (flat: tf.Tensor2D) => tf.reshape(flat, [flat.shape[0], variables, values]);
  const log = tf.logSoftmax(perVariable(logits));
  const against = prior === undefined ? -Math.log(values) : tf.logSoftmax(perVariable(prior));
  return tf.sum(tf.mul(tf.exp(log), tf.sub(log, against)), 2);
}

/**
 * Relaxed sample of every variable: softmax( (logits + noise) / temperature ).
 *
 * Source: Jang et al. 2017, https://arxiv.org/abs/1611.01144, and Maddison et al. 2017, https://arxiv.org/abs/1611.00712
 *
 * @param noise standard Gumbel, [batch, variables x values]
 * @returns [batch, variables x values], the values of each variable adding up to 1
 */
export function categoricalSample(
  logits: tf.Tensor2D,
  noise: tf.Tensor,
  { variables, values, temperature }: CategoricalSizes & { readonly temperature: tf.Tensor },
): tf.Tensor2D {
  const scores = tf.div(tf.add(logits, noise), temperature);
  return probabilities(scores as tf.Tensor2D, { variables, values });
}

/** Softmax over the values of each variable. */
export function probabilities(logits: tf.Tensor2D, { variables, values }: CategoricalSizes): tf.Tensor2D {
  const batch = logits.shape[0];
  return tf.reshape(tf.softmax(tf.reshape(logits, [batch, variables, values])), [batch, variables * values]);
}

/** One-hot code of the largest score of each variable, the first where several are equal. Has no gradient. */
export function hardCode(scores: tf.Tensor2D, { variables, values }: CategoricalSizes): tf.Tensor2D {
  const batch = scores.shape[0];
  const winner = tf.argMax(tf.reshape(scores, [batch, variables, values]), 2);
  return tf.reshape(tf.cast(tf.oneHot(tf.cast(winner, "int32"), values), "float32"), [batch, variables * values]);
}

/**
 * Standard Gumbel noise from standard normal noise, by way of the uniform distribution: -ln( -ln Phi(x) ). So all noise
 * that a user gives is of one kind, and an exact draw from a posterior is the largest of logits plus this.
 */
export function normalToGumbel(noise: tf.Tensor2D): tf.Tensor2D {
  const uniform = tf.mul(tf.add(tf.erf(tf.div(noise, Math.SQRT2)), 1), 0.5);
  return tf.neg(tf.log(tf.neg(tf.log(tf.clipByValue(uniform, tail, 1 - tail))))) as tf.Tensor2D;
}
