import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import type { Gaussian } from "./gaussian.ts";
import {
  addDense,
  applyConvolutions,
  convolutions,
  dense,
  depth,
  featuresAfter,
  flat,
  type ImageShape,
  initConvolutions,
} from "./locatello.ts";
import { addGlorotLayer, type MutableNetworks, parameter } from "./parameters.ts";

/**
 * Split encoder: the encoder of `locatello.ts` up to a layer, and from there a branch of its own for every latent, none
 * of whose parameters serve another.
 *
 * A layer of all branches is one operation: where they read the same features, one product with the branches side by
 * side in the columns; after that, one batched product with a matrix a branch. (tfjs has no grouped convolution; a 2x2
 * convolution of stride 2 has no overlap and is a product of its cells.)
 *
 * Source: Yang et al., "Bridging Disentanglement with Independence and Conditional Independence via Mutual Information
 * for Representation Learning", section 4.2. The paper tells neither where it splits nor how wide a branch is.
 */

/** `conv2`: branches have their own third and fourth convolution; `conv4`: from the dense layer on; `fc`: after it. */
export type SplitAfter = "conv2" | "conv4" | "fc";

export interface SplitShape extends ImageShape {
  readonly latents: number;
  readonly splitAfter: SplitAfter;
  /** Width of a branch's hidden layer. */
  readonly branchWidth: number;
  /** Channels of a branch's own convolutions, where it has some. */
  readonly branchFilters: number;
  /** Width of the shared dense layer, where there is one. */
  readonly hidden: number;
}

const shared: Readonly<Record<SplitAfter, number>> = { conv2: 2, conv4: depth, fc: depth };
/** Of the third and fourth convolution, which is also their stride. */
const cell = 2;

export const splitEncoder = {
  /**
   * Shared layers as of `locatelloEncoder`; `<prefix>.branches.conv_3`, `.conv_4` with `conv2`; `.dense`; `.head`, whose
   * last axis is mean and logvar. What branches read alike has them side by side along the last axis, the rest along
   * the first.
   */
  init(prefix: string, shape: SplitShape, seed: number): MutableNetworks {
    const { latents, splitAfter, branchWidth: width, branchFilters: own, hidden } = shape;
    const made = initConvolutions(prefix, shape, { count: shared[splitAfter], seed });
    const features = featuresAfter(depth, shape);
    const name = `${prefix}.branches`;
    if (splitAfter === "conv2") {
      const from = convolutions(shape)[1]!.filters;
      const area = cell ** 2;
      const flattened = ownFeatures(shape);
      const third = { kernel: [cell, cell, from, latents * own], bias: [latents * own], fanIn: area * from };
      addGlorotLayer(made, `${name}.conv_3`, { ...third, fanOut: area * own, seed });
      const fourth = { kernel: [latents, area * own, own], bias: [latents, 1, own], fanIn: area * own };
      addGlorotLayer(made, `${name}.conv_4`, { ...fourth, fanOut: area * own, seed });
      const layer = { kernel: [latents, flattened, width], bias: [latents, 1, width], fanIn: flattened };
      addGlorotLayer(made, `${name}.dense`, { ...layer, fanOut: width, seed });
    } else {
      if (splitAfter === "fc") addDense(made, `${prefix}.dense_1`, { from: features, to: hidden, seed });
      const from = splitAfter === "fc" ? hidden : features;
      const layer = { kernel: [from, latents * width], bias: [latents * width], fanIn: from, fanOut: width };
      addGlorotLayer(made, `${name}.dense`, { ...layer, seed });
    }
    // As in the vanilla encoder mean and logvar are two layers, here of one output each.
    const head = { kernel: [latents, width, 2], bias: [latents, 1, 2], fanIn: width, fanOut: 1 };
    addGlorotLayer(made, `${name}.head`, { ...head, seed });
    return made;
  },

  /** @param x float32 [batch, size, size, channels], intensity 0..1 @returns mean and logvar, [batch, latents] */
  apply(networks: Networks, prefix: string, x: tf.Tensor4D): Gaussian {
    const name = `${prefix}.branches`;
    const trunk = applyConvolutions(networks, prefix, x);
    const hidden =
      `${name}.conv_3.kernel` in networks
        ? tf.relu(perBranch(networks, `${name}.dense`, ownConvolutions(networks, name, trunk)))
        : sharedInput(networks, prefix, trunk);
    const moments = perBranch(networks, `${name}.head`, hidden as tf.Tensor3D);
    const [latents, batch] = moments.shape;
    const moment = (k: number) =>
      tf.transpose(tf.reshape(tf.slice3d(moments, [0, 0, k], [latents, batch, 1]), [latents, batch]));
    return { mean: moment(0), logvar: moment(1) };
  },
};

/** Trained values of a split encoder, without making it. */
export function splitEncoderParameters(shape: SplitShape): number {
  const { latents, splitAfter, branchWidth: width, branchFilters: own, hidden } = shape;
  const features = featuresAfter(depth, shape);
  const area = cell ** 2;
  const convolved = (area * convolutions(shape)[1]!.filters + 1) * own + (area * own + 1) * own;
  const read = { conv2: ownFeatures(shape), conv4: features, fc: hidden }[splitAfter];
  const branch = (splitAfter === "conv2" ? convolved : 0) + (read + 1) * width + 2 * (width + 1);
  const sharedDense = splitAfter === "fc" ? (features + 1) * hidden : 0;
  return sharedParameters(shape, shared[splitAfter]) + sharedDense + latents * branch;
}

/**
 * Width of the vanilla encoder's dense layer at which it has as many parameters as this split encoder, up to the
 * rounding of the width: the control that tells a split from more parameters. The paper has none.
 */
export function matchedHidden(shape: SplitShape): number {
  const features = featuresAfter(depth, shape);
  const free = splitEncoderParameters(shape) - sharedParameters(shape, depth) - 2 * shape.latents;
  return Math.max(1, Math.round(free / (features + 1 + 2 * shape.latents)));
}

/** Length of what a branch's own convolutions end with. */
function ownFeatures({ size, branchFilters }: SplitShape): number {
  return (size / 2 ** depth) ** 2 * branchFilters;
}

function sharedParameters(shape: ImageShape, count: number): number {
  const layers = convolutions(shape).slice(0, count);
  return layers.reduce((sum, { filters, kernel }, i) => {
    const from = i === 0 ? shape.channels : layers[i - 1]!.filters;
    return sum + (kernel ** 2 * from + 1) * filters;
  }, 0);
}

/** @returns [latents, batch, width] */
function sharedInput(networks: Networks, prefix: string, trunk: tf.Tensor4D): tf.Tensor3D {
  const features = flat(trunk);
  const read =
    `${prefix}.dense_1.kernel` in networks ? tf.relu(dense(networks, `${prefix}.dense_1`, features)) : features;
  const all = tf.relu(dense(networks, `${prefix}.branches.dense`, read));
  const [latents, width] = parameter<tf.Rank.R3>(networks, `${prefix}.branches.head.kernel`).shape;
  return tf.transpose(tf.reshape(all, [all.shape[0], latents, width]), [1, 0, 2]);
}

/** @param trunk [batch, side, side, filters] after two convolutions @returns [latents, batch, features of a branch] */
function ownConvolutions(networks: Networks, name: string, trunk: tf.Tensor4D): tf.Tensor3D {
  const kernel = parameter<tf.Rank.R4>(networks, `${name}.conv_3.kernel`);
  const bias = parameter(networks, `${name}.conv_3.bias`);
  const third = tf.relu(tf.add(tf.conv2d(trunk, kernel, cell, "same"), bias)) as tf.Tensor4D;
  const [latents, , filters] = parameter<tf.Rank.R3>(networks, `${name}.conv_4.kernel`).shape;
  const [batch, height, width] = third.shape;
  const [rows, columns] = [height / cell, width / cell];
  const cells = tf.reshape(third, [batch * rows, cell, columns, cell, latents, filters]);
  const inBranches = tf.transpose(cells, [4, 0, 2, 1, 3, 5]);
  const patches = tf.reshape(inBranches, [latents, batch * rows * columns, cell ** 2 * filters]) as tf.Tensor3D;
  const fourth = tf.relu(perBranch(networks, `${name}.conv_4`, patches));
  return tf.reshape(fourth, [latents, batch, rows * columns * filters]);
}

/** @param x [latents, rows, from] @returns [latents, rows, to]: every branch with its own matrix */
function perBranch(networks: Networks, name: string, x: tf.Tensor3D): tf.Tensor3D {
  const kernel = parameter<tf.Rank.R3>(networks, `${name}.kernel`);
  return tf.add(tf.matMul(x, kernel), parameter(networks, `${name}.bias`));
}
