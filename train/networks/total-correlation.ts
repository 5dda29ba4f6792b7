import * as tf from "@tensorflow/tfjs-core";
import type { Gaussian } from "./gaussian.ts";

/**
 * Two estimates of the total correlation of a code, KL( q(z) || prod_j q(z_j) ), that a loss can contain. Both are
 * estimates of one minibatch and can be negative, which the quantity itself cannot.
 */

const lnTwoPi = Math.log(2 * Math.PI);

/**
 * beta-TCVAE's estimate as disentanglement_lib has it, without the size of the data set:
 *
 *   mean_i ( ln sum_m prod_j q(z_ij | x_m) - sum_j ln sum_m q(z_ij | x_m) )
 *
 * Leaving the constants out moves it by a constant, (dims - 1) ln (n N), and changes no gradient.
 *
 * Source: Chen et al. 2018, https://arxiv.org/abs/1802.04942, section 4.1; disentanglement_lib (`total_correlation`)
 *
 * @param z [batch, dims], row i drawn from row i of `q`; takes batch x batch x dims numbers
 * @returns nats
 */
export function minibatchTotalCorrelation(z: tf.Tensor, q: Gaussian): tf.Scalar {
  const [batch, dims] = z.shape as [number, number];
  const apart = tf.sub(tf.reshape(z, [batch, 1, dims]), tf.reshape(q.mean, [1, batch, dims]));
  const logvar = tf.reshape(q.logvar, [1, batch, dims]);
  const square = tf.mul(tf.square(apart), tf.exp(tf.neg(logvar)));
  const densities = tf.mul(tf.add(tf.add(square, logvar), lnTwoPi), -0.5);
  const whole = tf.logSumExp(tf.sum(densities, 2), 1);
  const single = tf.sum(tf.logSumExp(densities, 1), 1);
  return tf.mean(tf.sub(whole, single)) as tf.Scalar;
}

/** @param logits [batch, 2] of the discriminator for codes drawn whole @returns nats: mean ln of how much likelier whole is */
export function densityRatioTotalCorrelation(logits: tf.Tensor2D): tf.Scalar {
  const [whole, mixed] = tf.split(logits, 2, 1);
  return tf.mean(tf.sub(whole!, mixed!)) as tf.Scalar;
}

/** Probabilities are kept this far from 0 and 1 before their logarithm is taken, as in disentanglement_lib. */
const clip = 1e-6;

/**
 * What the discriminator minimises: -1/2 mean ln p(whole) over codes drawn whole - 1/2 mean ln p(mixed) over others.
 *
 * Source: Kim & Mnih 2018, https://arxiv.org/abs/1802.05983, section 4; disentanglement_lib (`factor_vae`)
 *
 * @returns nats; ln 2 for one that cannot tell
 */
export function discriminatorLoss(whole: tf.Tensor2D, mixed: tf.Tensor2D): tf.Scalar {
  const logOf = (logits: tf.Tensor2D, answer: 0 | 1): tf.Tensor => {
    const probability = tf.slice2d(tf.softmax(logits), [0, answer], [logits.shape[0], 1]);
    return tf.mean(tf.log(tf.clipByValue(probability, clip, 1 - clip)));
  };
  return tf.mul(tf.add(logOf(whole, 0), logOf(mixed, 1)), -0.5) as tf.Scalar;
}

/**
 * Codes put together from several rows: every column of z in an order of its own, which keeps what each dimension is
 * distributed like and breaks what it has to do with the others.
 *
 * @param z [batch, dims]
 * @param orders [dims, batch], each row a permutation of 0 .. batch - 1, as float32
 */
export function permuteColumns(z: tf.Tensor, orders: tf.Tensor): tf.Tensor2D {
  const [batch, dims] = z.shape as [number, number];
  const starts = tf.reshape(tf.range(0, dims * batch, batch, "int32"), [dims, 1]);
  const places = tf.reshape(tf.add(tf.cast(orders, "int32"), starts), [dims * batch]);
  const columns = tf.reshape(tf.transpose(z), [dims * batch]);
  return tf.transpose(tf.reshape(tf.gather(columns, places as tf.Tensor1D), [dims, batch])) as tf.Tensor2D;
}
