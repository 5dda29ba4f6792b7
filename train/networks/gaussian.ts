import * as tf from "@tensorflow/tfjs-core";

/** Diagonal Gaussian by mean and natural logarithm of the variance, both [batch, dims] or, for a prior, [dims]. */
export interface Gaussian {
  readonly mean: tf.Tensor;
  readonly logvar: tf.Tensor;
}

/**
 * KL divergence of `q` from the standard normal, dimension by dimension.
 *
 *   KL_ij = 1/2 ( mean_ij^2 + exp(logvar_ij) - logvar_ij - 1 )
 *
 * Source: Kingma & Welling 2014, appendix B, https://arxiv.org/abs/1312.6114
 *
 * @returns [batch, dims], nats, at least 0 up to rounding
 */
export function klToStandardNormal(q: Gaussian): tf.Tensor {
  const spread = tf.sub(tf.sub(tf.exp(q.logvar), q.logvar), 1);
  return tf.mul(tf.add(tf.square(q.mean), spread), 0.5);
}

/**
 * KL(q || p) of two diagonal Gaussians, dimension by dimension; `p` may be one row for all of `q`.
 *
 *   KL_ij = 1/2 ( logvar_p - logvar_q + (exp(logvar_q) + (mean_q - mean_p)^2) / exp(logvar_p) - 1 )
 *
 * @returns [batch, dims], nats, at least 0 up to rounding
 */
export function klBetween(q: Gaussian, p: Gaussian): tf.Tensor {
  const moved = tf.square(tf.sub(q.mean, p.mean));
  const ratio = tf.mul(tf.add(tf.exp(q.logvar), moved), tf.exp(tf.neg(p.logvar)));
  return tf.mul(tf.sub(tf.add(tf.sub(p.logvar, q.logvar), ratio), 1), 0.5);
}

/** The same Gaussian with `amount` added to every variance. */
export function withVarianceAdded(q: Gaussian, amount: number): Gaussian {
  return { mean: q.mean, logvar: tf.log(tf.add(tf.exp(q.logvar), amount)) };
}

/** The sample of `q` that standard normal `noise` of the shape of `q` stands for: mean + exp(logvar / 2) noise. */
export function sample(q: Gaussian, noise: tf.Tensor): tf.Tensor {
  return tf.add(q.mean, tf.mul(tf.exp(tf.mul(q.logvar, 0.5)), noise));
}
