import * as tf from "@tensorflow/tfjs-core";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import type { LossInputs, Networks } from "./family.ts";
import {
  decodeFeature,
  type Feature,
  jointPosterior,
  marginalCommon,
  marginalUnique,
  spacesOf,
  type View,
} from "./w-vae-networks.ts";
import { featureError, featuresOf, rateOf } from "./w-vae-objective.ts";

/**
 * Phase 3: the encoders of one view, everything else fixed; both views at once. Nats per pair.
 *
 *   loss = sum over views of  |f(x) - x(z,u)|^2 / (2 epsilon^2) + KL( q(z|x) || p(z) ) + KL( q(u|x,z) || p(u) )
 *
 * Source: Ryu et al., W-VAE paper, section 2.2, "Training"
 */
export function evidenceLosses(networks: Networks, config: WVaeConfig, inputs: LossInputs): Record<string, tf.Scalar> {
  const { noise, scalars } = inputs;
  const spaces = spacesOf(config);
  const { x, y } = featuresOf(networks, inputs);
  const temperature = scalars.temperature!;
  const ofView = (view: View, feature: Feature) => {
    const qz = marginalCommon(networks, view, feature);
    const z = spaces.common.soft(qz, noise[view === 1 ? "noise_common" : "noise_common_2"]!, temperature);
    const qu = spaces.unique && marginalUnique(networks, config, { view, feature, common: z });
    const u = qu && spaces.unique?.soft(qu, noise[`noise_unique_${view}`]!, temperature);
    return {
      reconstruction: featureError(config, feature, decodeFeature(networks, view, z, u)),
      common: rateOf(spaces, "common", qz),
      unique: rateOf(spaces, "unique", qu),
    };
  };
  const first = ofView(1, x);
  const second = ofView(2, y);
  const sum = (terms: Record<string, tf.Scalar>): tf.Scalar => tf.addN(Object.values(terms));
  return {
    loss: tf.add(sum(first), sum(second)) as tf.Scalar,
    reconstruction_1: first.reconstruction,
    reconstruction_2: second.reconstruction,
    rate_common_1: first.common,
    rate_common_2: second.common,
    rate_unique_1: first.unique,
    rate_unique_2: second.unique,
  };
}

/**
 * Phase 3 by the joint posterior, ours: the encoders of one view learn to guess what the encoder of both says. Nats per
 * pair.
 *
 *   loss = sum over views of  E KL( q(z|x,y) || q(z|x) ) + E KL( q(u|x,y) || q(u|x,z) ),   z from q(z|x,y)
 *
 * Its optimum is the joint posterior averaged over the other view. The evidence bound of the paper lets q(z|x) choose
 * any z that draws x well, also one that belongs to another digit: a 4 that looks like a 9.
 *
 * Source: after Suzuki et al. 2016, "Joint Multimodal Learning with Deep Generative Models", equation 9 (JMVAE-kl)
 */
export function posteriorLosses(networks: Networks, config: WVaeConfig, inputs: LossInputs): Record<string, tf.Scalar> {
  const { noise, scalars } = inputs;
  const spaces = spacesOf(config);
  const { x, y } = featuresOf(networks, inputs);
  const joint = jointPosterior(networks, config, x, y);
  const z = spaces.common.soft(joint.common, noise.noise_common!, scalars.temperature!);
  const apart = (space: typeof spaces.unique, from: tf.Tensor2D | undefined, to: tf.Tensor2D | undefined): tf.Scalar =>
    space === undefined || from === undefined || to === undefined
      ? tf.scalar(0)
      : tf.mean(tf.sum(space.divergence(from, to), 1));
  const ofView = (view: View, feature: Feature) => {
    const local = spaces.unique && marginalUnique(networks, config, { view, feature, common: z });
    return {
      common: apart(spaces.common, joint.common, marginalCommon(networks, view, feature)),
      unique: apart(spaces.unique, joint[`unique_${view}`], local),
    };
  };
  const [first, second] = [ofView(1, x), ofView(2, y)];
  return {
    loss: tf.addN([first.common, first.unique, second.common, second.unique]),
    divergence_common_1: first.common,
    divergence_common_2: second.common,
    divergence_unique_1: first.unique,
    divergence_unique_2: second.unique,
  };
}
