import * as tf from "@tensorflow/tfjs-core";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import { autoencoder } from "../networks/autoencoder.ts";
import { mlp } from "../networks/mlp.ts";
import type { Networks } from "./family.ts";
import { toIntensity } from "./gk-vae-networks.ts";
import { type LatentSpace, latentSpace } from "./latent-space.ts";

/**
 * Networks of the W-VAE: one autoencoder for both views, and between feature vectors of 3 x 512 networks without shared
 * weights: q(z|x,y) q(u|x,y) q(v|x,y), x(z,u), y(z,v), q(z|x) q(u|x,z), q(z|y) q(v|y,z).
 */

export type View = 1 | 2;
export type Feature = tf.Tensor2D;

/** What an encoder says of its blocks. `unique` is missing where the model has no local latents. */
export interface Posterior {
  readonly common: tf.Tensor2D;
  readonly unique?: tf.Tensor2D;
}

export interface Spaces {
  readonly common: LatentSpace;
  /** Undefined without local latents (the JVAE). */
  readonly unique: LatentSpace | undefined;
}

export function spacesOf(config: WVaeConfig): Spaces {
  const unique = latentSpace(config, "unique");
  return { common: latentSpace(config, "common"), unique: unique.variables === 0 ? undefined : unique };
}

export function wVaeNetworks(config: WVaeConfig, seed: number): Networks {
  const { common, unique } = spacesOf(config);
  const { features } = config.autoencoder;
  const net = (name: string, inputs: number, outputs: number) =>
    mlp.init(name, { inputs, ...config.networks, outputs }, seed);
  const own = unique?.codeSize ?? 0;
  const ofView = (view: View) => ({
    ...net(`decoder_${view}`, common.codeSize + own, features),
    ...net(`marginal_${view}.common`, features, common.parameterSize),
    ...(unique === undefined
      ? {}
      : {
          ...net(`joint.unique_${view}`, 2 * features, unique.parameterSize),
          ...net(
            `marginal_${view}.unique`,
            features + (config.uniqueReadsCommon ? common.codeSize : 0),
            unique.parameterSize,
          ),
        }),
  });
  return {
    ...autoencoder.init({ ...config.image, ...config.autoencoder }, seed),
    ...net("joint.common", 2 * features, common.parameterSize),
    ...ofView(1),
    ...ofView(2),
  };
}

/** @param image 0..255 [batch, size, size, channels] */
export function featureOf(networks: Networks, image: tf.Tensor): Feature {
  return autoencoder.encode(networks, toIntensity(image));
}

/** Parameters of q(z|x,y), q(u|x,y) and q(v|x,y). */
export function jointPosterior(networks: Networks, config: WVaeConfig, x: Feature, y: Feature) {
  const pair = tf.concat2d([x, y], 1);
  const own = (view: View) =>
    config.latents.unique.variables === 0 ? undefined : mlp.apply(networks, `joint.unique_${view}`, pair);
  return { common: mlp.apply(networks, "joint.common", pair), unique_1: own(1), unique_2: own(2) };
}

/** Parameters of q(z|x), or q(z|y). */
export function marginalCommon(networks: Networks, view: View, feature: Feature): tf.Tensor2D {
  return mlp.apply(networks, `marginal_${view}.common`, feature);
}

/**
 * Parameters of q(u|x,z), or q(u|x) with `uniqueReadsCommon: false`; of the other view's alike.
 *
 * @param common code of z
 */
export function marginalUnique(
  networks: Networks,
  config: WVaeConfig,
  { view, feature, common }: { view: View; feature: Feature; common: tf.Tensor2D },
): tf.Tensor2D {
  const read = config.uniqueReadsCommon ? tf.concat2d([feature, common], 1) : feature;
  return mlp.apply(networks, `marginal_${view}.unique`, read);
}

/** Feature vector of `view` by its decoder: x(z, u) or y(z, v). */
export function decodeFeature(networks: Networks, view: View, common: tf.Tensor2D, unique?: tf.Tensor2D): Feature {
  return mlp.apply(networks, `decoder_${view}`, unique === undefined ? common : tf.concat2d([common, unique], 1));
}

/** @returns intensity 0..1 [batch, size, size, channels] */
export function pictureOf(networks: Networks, feature: Feature): tf.Tensor4D {
  return tf.sigmoid(autoencoder.decode(networks, feature));
}
