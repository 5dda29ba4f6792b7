import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import type { Gaussian } from "./gaussian.ts";
import { addGlorotLayer, type MutableNetworks, parameter } from "./parameters.ts";

/**
 * Convolutional encoder and decoder of disentanglement_lib (`conv_encoder`, `deconv_decoder`), for 64x64 images, and for
 * 32x32 with one deconvolution less: the encoder keeps its four convolutions there, so that a split stands at the same
 * layer.
 *
 * The third and fourth convolution have 2x2 kernels, as the code has; the papers' tables say 4x4.
 *
 * Source: Locatello et al. 2019, https://arxiv.org/abs/1811.12359, table 1, and disentanglement_lib
 */

export interface ImageShape {
  /** Height and width in pixels. */
  readonly size: 32 | 64;
  readonly channels: number;
  /** Channels of the first two convolutions, half those of the others. disentanglement_lib: 32. */
  readonly filters: number;
}

interface Convolution {
  readonly filters: number;
  readonly kernel: number;
}

/** Number of convolutions of the encoder. */
export const depth = 4;

/** The encoder's convolutions, all with stride 2 and padding `same`. */
export function convolutions({ filters }: Pick<ImageShape, "filters">): readonly Convolution[] {
  return [
    { filters, kernel: 4 },
    { filters, kernel: 4 },
    { filters: 2 * filters, kernel: 2 },
    { filters: 2 * filters, kernel: 2 },
  ];
}
const stride = 2;
const decoderHidden = 256;
const decoderKernel = 4;
/** Height and width that the decoder starts from. */
const coarse = 4;

/** Length of a flattened image after the first `count` convolutions. */
export function featuresAfter(count: number, shape: ImageShape): number {
  return (shape.size / stride ** count) ** 2 * (count === 0 ? shape.channels : convolutions(shape)[count - 1]!.filters);
}

/** Variables `<prefix>.conv_1 ..<count>`, each with `.kernel` and `.bias`. */
export function initConvolutions(
  prefix: string,
  shape: ImageShape,
  { count, seed }: { count: number; seed: number },
): MutableNetworks {
  const made: MutableNetworks = {};
  const layers = convolutions(shape).slice(0, count);
  for (const [i, { filters, kernel }] of layers.entries()) {
    const from = i === 0 ? shape.channels : layers[i - 1]!.filters;
    const area = kernel ** 2;
    addGlorotLayer(made, `${prefix}.conv_${i + 1}`, {
      kernel: [kernel, kernel, from, filters],
      bias: [filters],
      fanIn: from * area,
      fanOut: filters * area,
      seed,
    });
  }
  return made;
}

/** @param x float32 [batch, size, size, channels], intensity 0..1 @returns [batch, side, side, filters] after every convolution of `prefix` */
export function applyConvolutions(networks: Networks, prefix: string, x: tf.Tensor4D): tf.Tensor4D {
  let image = x;
  for (let i = 1; `${prefix}.conv_${i}.kernel` in networks; i++) {
    const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.conv_${i}.kernel`);
    const bias = parameter(networks, `${prefix}.conv_${i}.bias`);
    image = tf.relu(tf.add(tf.conv2d(image, kernel, stride, "same"), bias)) as tf.Tensor4D;
  }
  return image;
}

export const locatelloEncoder = {
  /** Convolutions, `<prefix>.dense_1`, and the two heads `<prefix>.mean` and `<prefix>.logvar`. */
  init(
    prefix: string,
    shape: ImageShape,
    { latents, hidden, seed }: { latents: number; hidden: number; seed: number },
  ): MutableNetworks {
    const made = initConvolutions(prefix, shape, { count: depth, seed });
    addDense(made, `${prefix}.dense_1`, { from: featuresAfter(depth, shape), to: hidden, seed });
    for (const head of ["mean", "logvar"]) addDense(made, `${prefix}.${head}`, { from: hidden, to: latents, seed });
    return made;
  },

  /** @param x float32 [batch, size, size, channels], intensity 0..1 @returns mean and logvar, [batch, latents] */
  apply(networks: Networks, prefix: string, x: tf.Tensor4D): Gaussian {
    const hidden = tf.relu(dense(networks, `${prefix}.dense_1`, flat(applyConvolutions(networks, prefix, x))));
    return { mean: dense(networks, `${prefix}.mean`, hidden), logvar: dense(networks, `${prefix}.logvar`, hidden) };
  },
};

export const locatelloDecoder = {
  /** Variables `<prefix>.dense_1`, `.dense_2` and `.deconv_1 ..`; reads `latents` values. */
  init(
    prefix: string,
    { size, channels, filters }: ImageShape,
    { latents, seed }: { latents: number; seed: number },
  ): MutableNetworks {
    const made: MutableNetworks = {};
    addDense(made, `${prefix}.dense_1`, { from: latents, to: decoderHidden, seed });
    addDense(made, `${prefix}.dense_2`, { from: decoderHidden, to: coarse ** 2 * 2 * filters, seed });
    const widths = [2 * filters, 2 * filters, ...(size === 64 ? [filters, filters] : [filters]), channels];
    for (let i = 1; i < widths.length; i++) {
      const [from, to] = [widths[i - 1]!, widths[i]!];
      const area = decoderKernel ** 2;
      addGlorotLayer(made, `${prefix}.deconv_${i}`, {
        kernel: [decoderKernel, decoderKernel, to, from],
        bias: [to],
        fanIn: to * area,
        fanOut: from * area,
        seed,
      });
    }
    return made;
  },

  /** @param z [batch, latents] @returns logits [batch, size, size, channels]; their sigmoid is the intensity 0..1 */
  apply(networks: Networks, prefix: string, z: tf.Tensor2D): tf.Tensor4D {
    const first = tf.relu(dense(networks, `${prefix}.dense_1`, z));
    const second = tf.relu(dense(networks, `${prefix}.dense_2`, first));
    let image = tf.reshape(second, [z.shape[0], coarse, coarse, second.shape[1] / coarse ** 2]) as tf.Tensor4D;
    for (let i = 1; `${prefix}.deconv_${i}.kernel` in networks; i++) {
      const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.deconv_${i}.kernel`);
      const bias = parameter(networks, `${prefix}.deconv_${i}.bias`);
      const [batch, height, width] = image.shape;
      const size: [number, number, number, number] = [batch, height * stride, width * stride, kernel.shape[2]];
      const next: tf.Tensor4D = tf.add(tf.conv2dTranspose(image, kernel, size, stride, "same"), bias);
      image = `${prefix}.deconv_${i + 1}.kernel` in networks ? tf.relu(next) : next;
    }
    return image;
  },
};

/** Rows of pixels of channels as one row an image. */
export function flat(image: tf.Tensor4D): tf.Tensor2D {
  const [batch, height, width, channels] = image.shape;
  return tf.reshape(image, [batch, height * width * channels]);
}

/** Adds a dense layer with TensorFlow's default initial values. */
export function addDense(
  into: MutableNetworks,
  name: string,
  { from, to, seed }: { from: number; to: number; seed: number },
): void {
  addGlorotLayer(into, name, { kernel: [from, to], bias: [to], fanIn: from, fanOut: to, seed });
}

export function dense(networks: Networks, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const kernel = parameter<tf.Rank.R2>(networks, `${name}.kernel`);
  return tf.add(tf.matMul(x, kernel), parameter(networks, `${name}.bias`));
}
