import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { addBatchNorm, batchNorm, type NormMode } from "./batch-norm.ts";
import { type MutableNetworks, parameter, uniformVariable } from "./parameters.ts";

export interface ResnetShape {
  readonly channels: number;
  /** Of the 3x3 convolution that comes first; the paper's is 1. */
  readonly stemStride: number;
  /** Channels of each stage; the first has the image at the stem's size, every later one halves it. */
  readonly filters: readonly number[];
  /** Residual blocks of each stage. */
  readonly blocks: number;
}

/**
 * Pre-activation residual network for small images, as the RINE authors have it: stem with batch norm and ReLU, blocks of
 * two 3x3 convolutions with batch norm and ReLU before each, 1x1 shortcuts where the shape changes, taken behind the
 * first ReLU and without norm, no norm after the last block, average over the image, a dense layer. No bias but the
 * last. With 3 channels, filters [64, 128, 256, 512] and 2 blocks: ResNet-18, 11,171,274 parameters for 10 classes.
 *
 * Drawn as PyTorch draws `nn.Conv2d` and `nn.Linear`: all within 1 / sqrt(fan-in).
 *
 * Source: He et al. 2016, https://arxiv.org/abs/1603.05027
 */
export const resnet = {
  /** Variables `<prefix>.stem`, `<prefix>.block_1 ...` and `<prefix>.dense`. */
  init(prefix: string, { channels, filters, blocks }: ResnetShape, outputs: number, seed: number): MutableNetworks {
    const made: MutableNetworks = {};
    const convolution = (name: string, size: number, from: number, to: number): void => {
      const kernel = `${name}.kernel`;
      made[kernel] = uniformVariable(kernel, [size, size, from, to], 1 / Math.sqrt(from * size ** 2), seed);
    };
    convolution(`${prefix}.stem`, 3, channels, filters[0]!);
    addBatchNorm(made, `${prefix}.stem.norm`, filters[0]!);
    for (const { name, from, to, isNarrower } of blocksOf(prefix, filters, blocks)) {
      addBatchNorm(made, `${name}.norm_1`, from);
      convolution(`${name}.conv_1`, 3, from, to);
      addBatchNorm(made, `${name}.norm_2`, to);
      convolution(`${name}.conv_2`, 3, to, to);
      if (isNarrower || from !== to) convolution(`${name}.shortcut`, 1, from, to);
    }
    const last = filters.at(-1)!;
    made[`${prefix}.dense.kernel`] = uniformVariable(
      `${prefix}.dense.kernel`,
      [last, outputs],
      1 / Math.sqrt(last),
      seed,
    );
    made[`${prefix}.dense.bias`] = uniformVariable(`${prefix}.dense.bias`, [outputs], 1 / Math.sqrt(last), seed);
    return made;
  },

  /** @param x [batch, size, size, channels], normalised @returns logits [batch, outputs] */
  apply(
    networks: Networks,
    prefix: string,
    { x, stemStride, filters, blocks }: Omit<ResnetShape, "channels"> & { readonly x: tf.Tensor4D },
    mode: NormMode,
  ): tf.Tensor2D {
    const convolve = (name: string, input: tf.Tensor4D, stride: number): tf.Tensor4D => {
      const kernel = parameter<tf.Rank.R4>(networks, `${name}.kernel`);
      const pad = (kernel.shape[0] - 1) / 2; // on all sides: PyTorch's; tfjs's "same" pads one side with stride 2
      return tf.conv2d(input, kernel, stride, pad);
    };
    const normed = (name: string, input: tf.Tensor4D) => tf.relu(batchNorm(networks, name, input, mode));
    let h = normed(`${prefix}.stem.norm`, convolve(`${prefix}.stem`, x, stemStride));
    for (const { name, isNarrower } of blocksOf(prefix, filters, blocks)) {
      const stride = isNarrower ? 2 : 1;
      const open = normed(`${name}.norm_1`, h);
      const inner = normed(`${name}.norm_2`, convolve(`${name}.conv_1`, open, stride));
      const shortcut = `${name}.shortcut.kernel` in networks ? convolve(`${name}.shortcut`, open, stride) : h;
      h = tf.add(convolve(`${name}.conv_2`, inner, 1), shortcut);
    }
    const pooled = tf.mean(h, [1, 2]) as tf.Tensor2D;
    const kernel = parameter<tf.Rank.R2>(networks, `${prefix}.dense.kernel`);
    return tf.add(tf.matMul(pooled, kernel), parameter(networks, `${prefix}.dense.bias`));
  },
};

function blocksOf(prefix: string, filters: readonly number[], blocks: number) {
  return filters.flatMap((to, stage) =>
    Array.from({ length: blocks }, (_, i) => ({
      name: `${prefix}.block_${stage * blocks + i + 1}`,
      from: i > 0 || stage === 0 ? to : filters[stage - 1]!,
      to,
      isNarrower: stage > 0 && i === 0,
    })),
  );
}
