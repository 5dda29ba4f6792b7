import * as tf from "@tensorflow/tfjs-core";

/**
 * Bernoulli cross-entropy of images, summed over pixels and channels.
 *
 *   -ln p(x) = sum ( softplus(logit) - logit x ),   x in 0..1
 *
 * Equal to binary cross-entropy after a sigmoid, without its overflow: the sigmoid is never formed.
 * For x strictly between 0 and 1 the minimum over logits is the entropy of x, not 0.
 *
 * @param logits [batch, height, width, channels]
 * @param target intensity 0..1, same shape
 * @returns [batch], nats
 */
export function bernoulliCrossEntropy(logits: tf.Tensor4D, target: tf.Tensor4D): tf.Tensor1D {
  const terms = tf.sub(tf.softplus(logits), tf.mul(logits, target));
  return tf.sum(terms, [1, 2, 3]) as tf.Tensor1D;
}
