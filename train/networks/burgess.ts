import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { addLayer, type MutableNetworks, parameter } from "./parameters.ts";

/**
 * Convolutional encoder and decoder of Burgess et al. 2018 (https://arxiv.org/abs/1804.03599, appendix A), for 32x32
 * and 64x64 images with any number of channels, as functions over named variables.
 *
 * Equal to the PyTorch nets of the GK-VAE authors layer by layer: 4x4 convolutions with stride 2 and one pixel of
 * padding, which for even sizes is what tfjs calls `same`. Weights are not interchangeable as they stand: tfjs keeps
 * images as NHWC, so the flattened features of the last convolution run (row, column, channel) here and (channel, row,
 * column) there; the rows of the dense layer next to it have to be permuted, and kernels transposed.
 */

const kernelSize = 4;
const stride = 2;
/** Height and width that the convolutions reduce every image to. */
const coarse = 4;

export interface BurgessShape {
  /** Height and width in pixels. */
  readonly size: 32 | 64;
  readonly channels: number;
  /** Channels of every hidden convolution. Paper: 32. */
  readonly filters: number;
  /** Width of the dense layers. Paper: 256. */
  readonly hidden: number;
}

const stages = (size: number): number => Math.log2(size / coarse);

export const burgessEncoder = {
  /** Variables `<prefix>.conv_1 ...` and `<prefix>.dense_1 ..3`, each with `.kernel` and `.bias`; ends with `outputs` values. */
  init(prefix: string, shape: BurgessShape, outputs: number, seed: number): MutableNetworks {
    const { filters, hidden } = shape;
    const made: MutableNetworks = {};
    for (let i = 1; i <= stages(shape.size); i++) {
      const from = i === 1 ? shape.channels : filters;
      const kernel = [kernelSize, kernelSize, from, filters];
      addLayer(made, `${prefix}.conv_${i}`, { kernel, bias: filters, fanIn: from * kernelSize ** 2, seed });
    }
    const widths = [filters * coarse ** 2, hidden, hidden, outputs];
    addDenseLayers(made, prefix, widths, seed);
    return made;
  },

  /** @param x float32 [batch, size, size, channels], intensity 0..1 @returns [batch, outputs] */
  apply(networks: Networks, prefix: string, x: tf.Tensor4D): tf.Tensor2D {
    let image = x;
    for (let i = 1; `${prefix}.conv_${i}.kernel` in networks; i++) {
      const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.conv_${i}.kernel`);
      const bias = parameter(networks, `${prefix}.conv_${i}.bias`);
      image = tf.relu(tf.add(tf.conv2d(image, kernel, stride, "same"), bias)) as tf.Tensor4D;
    }
    const [batch, height, width, filters] = image.shape;
    const flat = tf.reshape(image, [batch, height * width * filters]) as tf.Tensor2D;
    const first = tf.relu(dense(networks, `${prefix}.dense_1`, flat));
    const second = tf.relu(dense(networks, `${prefix}.dense_2`, first));
    return dense(networks, `${prefix}.dense_3`, second);
  },
};

export const burgessDecoder = {
  /** Variables `<prefix>.dense_1 ..3` and `<prefix>.deconv_1 ...`, each with `.kernel` and `.bias`; reads `inputs` values. */
  init(prefix: string, shape: BurgessShape, inputs: number, seed: number): MutableNetworks {
    const { filters, hidden } = shape;
    const made: MutableNetworks = {};
    addDenseLayers(made, prefix, [inputs, hidden, hidden, filters * coarse ** 2], seed);
    const last = stages(shape.size);
    for (let i = 1; i <= last; i++) {
      const to = i === last ? shape.channels : filters;
      // PyTorch takes the second axis of a transposed kernel as its input, so fan-in counts output channels.
      const kernel = [kernelSize, kernelSize, to, filters];
      addLayer(made, `${prefix}.deconv_${i}`, { kernel, bias: to, fanIn: to * kernelSize ** 2, seed });
    }
    return made;
  },

  /** @param z [batch, inputs] @returns logits [batch, size, size, channels]; their sigmoid is the intensity 0..1 */
  apply(networks: Networks, prefix: string, z: tf.Tensor2D): tf.Tensor4D {
    let flat = z;
    for (let i = 1; i <= 3; i++) flat = tf.relu(dense(networks, `${prefix}.dense_${i}`, flat));
    const [batch, features] = flat.shape;
    let image = tf.reshape(flat, [batch, coarse, coarse, features / coarse ** 2]) as tf.Tensor4D;
    for (let i = 1; `${prefix}.deconv_${i}.kernel` in networks; i++) {
      const kernel = parameter<tf.Rank.R4>(networks, `${prefix}.deconv_${i}.kernel`);
      const bias = parameter(networks, `${prefix}.deconv_${i}.bias`);
      const size: [number, number, number, number] = [
        batch,
        image.shape[1] * stride,
        image.shape[2] * stride,
        kernel.shape[2],
      ];
      const next: tf.Tensor4D = tf.add(tf.conv2dTranspose(image, kernel, size, stride, "same"), bias);
      image = `${prefix}.deconv_${i + 1}.kernel` in networks ? tf.relu(next) : next;
    }
    return image;
  },
};

function addDenseLayers(into: MutableNetworks, prefix: string, widths: readonly number[], seed: number): void {
  for (let i = 1; i < widths.length; i++) {
    const from = widths[i - 1]!;
    const to = widths[i]!;
    addLayer(into, `${prefix}.dense_${i}`, { kernel: [from, to], bias: to, fanIn: from, seed });
  }
}

function dense(networks: Networks, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const kernel = parameter<tf.Rank.R2>(networks, `${name}.kernel`);
  return tf.add(tf.matMul(x, kernel), parameter(networks, `${name}.bias`));
}
