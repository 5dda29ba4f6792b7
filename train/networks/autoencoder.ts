import * as tf from "@tensorflow/tfjs-core";
import { inChunks } from "../engine/in-chunks.ts";
import type { Networks } from "../models/family.ts";
import { bernoulliCrossEntropy } from "./bernoulli.ts";
import { dense } from "./mlp.ts";
import { addLayer, type MutableNetworks, namedVariable, parameter } from "./parameters.ts";

/**
 * Convolutional autoencoder between images and feature vectors. Features are standardised: over the images that it
 * was trained on each has mean 0 and variance 1, so that a squared error means the same in every one of them.
 */

const kernelSize = 4;
const stride = 2;
/** Height and width that the convolutions reduce every image to. */
const coarse = 4;
/** What a step leaves of the moving averages: they remember some hundred batches. */
const memory = 0.98;
const smallestVariance = 1e-5;

export interface AutoencoderShape {
  /** Height and width in pixels: 32 or 64. */
  readonly size: number;
  readonly channels: number;
  /** Channels of the first convolution; each later one has twice as many. */
  readonly filters: number;
  readonly features: number;
}

const prefix = "autoencoder";

export const autoencoder = {
  /** Name prefix of all its variables. */
  prefix: `${prefix}.`,

  init({ size, channels, filters, features }: AutoencoderShape, seed: number): MutableNetworks {
    const made: MutableNetworks = {};
    const stages = Math.log2(size / coarse);
    const widths = [channels, ...Array.from({ length: stages }, (_, i) => filters * 2 ** i)];
    const flat = widths[stages]! * coarse ** 2;
    for (let i = 1; i <= stages; i++) {
      const [from, to] = [widths[i - 1]!, widths[i]!];
      const area = kernelSize ** 2;
      const kernel = [kernelSize, kernelSize, from, to];
      addLayer(made, `${prefix}.encoder.conv_${i}`, { kernel, bias: to, fanIn: from * area, seed });
      // Each output pixel of a transposed convolution of stride 2 sees a quarter of the kernel.
      addLayer(made, `${prefix}.decoder.deconv_${i}`, { kernel, bias: from, fanIn: (to * area) / stride ** 2, seed });
    }
    addLayer(made, `${prefix}.encoder.dense`, { kernel: [flat, features], bias: features, fanIn: flat, seed });
    addLayer(made, `${prefix}.decoder.dense`, { kernel: [features, flat], bias: flat, fanIn: features, seed });
    made[`${prefix}.features.mean`] = buffer(`${prefix}.features.mean`, tf.zeros, features);
    made[`${prefix}.features.variance`] = buffer(`${prefix}.features.variance`, tf.ones, features);
    return made;
  },

  /** @param image intensity 0..1 [batch, size, size, channels] @returns [batch, features], standardised */
  encode(networks: Networks, image: tf.Tensor4D): tf.Tensor2D {
    const mean = parameter(networks, `${prefix}.features.mean`);
    const variance = parameter(networks, `${prefix}.features.variance`);
    return standardise(rawFeatures(networks, image), mean, variance);
  },

  /** @param features [batch, features], standardised @returns logits [batch, size, size, channels] */
  decode(networks: Networks, features: tf.Tensor2D): tf.Tensor4D {
    const flat = tf.relu(dense(networks, `${prefix}.decoder.dense`, features));
    const [batch, width] = flat.shape;
    let image = tf.reshape(flat, [batch, coarse, coarse, width / coarse ** 2]) as tf.Tensor4D;
    for (let i = stagesOf(networks); i >= 1; i--) {
      const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.decoder.deconv_${i}.kernel`);
      const bias = parameter(networks, `${prefix}.decoder.deconv_${i}.bias`);
      const side = image.shape[1] * stride;
      const next: tf.Tensor4D = tf.add(
        tf.conv2dTranspose(image, kernel, [batch, side, side, kernel.shape[2]], stride, "same"),
        bias,
      );
      image = i === 1 ? next : tf.relu(next);
    }
    return image;
  },

  /**
   * Reconstruction loss of a batch of images, in nats per image; moves the averages by which features are
   * standardised. While training, features are standardised by their own batch.
   *
   * Source of the standardisation: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, without scale and shift
   *
   * @param image intensity 0..1 [batch, size, size, channels]
   */
  loss(networks: Networks, image: tf.Tensor4D, microBatch: number): tf.Scalar {
    const { raw } = inChunks(
      (rows) => ({ raw: rawFeatures(networks, rows.image as tf.Tensor4D) }),
      { image },
      microBatch,
    );
    const { mean, variance } = tf.moments(raw, 0);
    for (const [name, now] of Object.entries({ mean, variance })) {
      const average = networks[`${prefix}.features.${name}`]!;
      average.assign(tf.add(tf.mul(average, memory), tf.mul(now, 1 - memory)));
    }
    const features = standardise(raw, mean, variance);
    const { error } = inChunks(
      (rows) => ({
        error: bernoulliCrossEntropy(
          autoencoder.decode(networks, rows.features as tf.Tensor2D),
          rows.image as tf.Tensor4D,
        ),
      }),
      { features, image },
      microBatch,
    );
    return tf.mean(error) as tf.Scalar;
  },
};

function rawFeatures(networks: Networks, image: tf.Tensor4D): tf.Tensor2D {
  let value = image;
  for (let i = 1; i <= stagesOf(networks); i++) {
    const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.encoder.conv_${i}.kernel`);
    const bias = parameter(networks, `${prefix}.encoder.conv_${i}.bias`);
    value = tf.relu(tf.add(tf.conv2d(value, kernel, stride, "same"), bias)) as tf.Tensor4D;
  }
  const [batch, height, width, filters] = value.shape;
  return dense(networks, `${prefix}.encoder.dense`, tf.reshape(value, [batch, height * width * filters]));
}

function stagesOf(networks: Networks): number {
  let stages = 0;
  while (`${prefix}.encoder.conv_${stages + 1}.kernel` in networks) stages++;
  return stages;
}

function standardise(raw: tf.Tensor2D, mean: tf.Tensor, variance: tf.Tensor): tf.Tensor2D {
  return tf.div(tf.sub(raw, mean), tf.sqrt(tf.add(variance, smallestVariance)));
}

function buffer(name: string, value: (shape: [number]) => tf.Tensor, size: number): tf.Variable {
  const variable = namedVariable(name, () => value([size]));
  variable.trainable = false;
  return variable;
}
