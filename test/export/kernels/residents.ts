import * as tf from "@tensorflow/tfjs-core";

/** x through a convolution that changes no number: a traced tensor then lives in NCHW, as after a real layer. */
export function throughConvolution(x: tf.Tensor): tf.Tensor {
  const channels = x.shape[3]!;
  const filter = tf.reshape(tf.eye(channels), [1, 1, channels, channels]) as tf.Tensor4D;
  return tf.conv2d(x as tf.Tensor4D, filter, 1, "same");
}
