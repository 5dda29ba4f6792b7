import * as tf from "@tensorflow/tfjs-core";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import { inChunks } from "../engine/in-chunks.ts";
import { autoencoder } from "../networks/autoencoder.ts";
import type { LossInputs, Networks, NoiseSpec, Schedule } from "./family.ts";
import { toIntensity } from "./gk-vae-networks.ts";
import { fall } from "./schedules.ts";
import {
  decodeFeature,
  type Feature,
  featureOf,
  jointPosterior,
  type Spaces,
  spacesOf,
  type View,
} from "./w-vae-networks.ts";

/** Noise of one step of any phase. The marginal phase draws a common code from either view. */
export function objectiveNoise(config: WVaeConfig, batchSize: number): Record<string, NoiseSpec> {
  const { common, unique } = spacesOf(config);
  return {
    noise_common: common.noise(batchSize),
    noise_common_2: common.noise(batchSize),
    ...(unique === undefined
      ? {}
      : { noise_unique_1: unique.noise(batchSize), noise_unique_2: unique.noise(batchSize) }),
  };
}

/** Learning rate and temperature of a phase: both fall exponentially over its steps. */
export function annealing({
  temperature,
  learningRateEnd,
}: Pick<WVaeConfig, "temperature" | "learningRateEnd">): Record<"learning_rate.model" | "temperature", Schedule> {
  return {
    "learning_rate.model": fall(1, learningRateEnd),
    temperature: fall(temperature.start, temperature.end),
  };
}

/** Phase 1: the wrapper alone, on the images of both views. Nats per image. */
export function autoencoderLosses(
  networks: Networks,
  { batch, microBatch = 0 }: LossInputs,
): Record<string, tf.Scalar> {
  const images = tf.concat([toIntensity(batch.view_1!), toIntensity(batch.view_2!)], 0) as tf.Tensor4D;
  return { loss: autoencoder.loss(networks, images, microBatch) };
}

/**
 * Phase 2: all of the joint model, the wrapper fixed. Nats per pair.
 *
 *   loss = reconstruction + (1 + lambda) R_z + w (R_u + R_v),   w = 1 but for a warm-up (`uniqueWarmUp`)
 *
 *   reconstruction = E ( |f(x) - x(z,u)|^2 + |f(y) - y(z,v)|^2 ) / (2 epsilon^2),   f the wrapper's features
 *   R_b            = KL( q(b|x,y) || p(b) ), exact
 *
 * The reconstruction leaves out the constant of the Gaussian, ln(2 pi epsilon^2) / 2 a feature: epsilon is not learned.
 *
 * Source: Ryu et al., W-VAE paper, section 2.2
 */
export function jointLosses(networks: Networks, config: WVaeConfig, inputs: LossInputs): Record<string, tf.Scalar> {
  const { noise, scalars } = inputs;
  const spaces = spacesOf(config);
  const { x, y } = featuresOf(networks, inputs);
  const q = jointPosterior(networks, config, x, y);
  const temperature = scalars.temperature!;
  const z = spaces.common.soft(q.common, noise.noise_common!, temperature);
  const drawLocal = (view: View): tf.Tensor2D | undefined => {
    const parameters = q[`unique_${view}`];
    return parameters && spaces.unique?.soft(parameters, noise[`noise_unique_${view}`]!, temperature);
  };
  const error1 = featureError(config, x, decodeFeature(networks, 1, z, drawLocal(1)));
  const error2 = featureError(config, y, decodeFeature(networks, 2, z, drawLocal(2)));
  const rates = {
    common: rateOf(spaces, "common", q.common),
    unique_1: rateOf(spaces, "unique", q.unique_1),
    unique_2: rateOf(spaces, "unique", q.unique_2),
  };
  const reconstruction = tf.add(error1, error2) as tf.Scalar;
  const local = tf.mul(tf.add(rates.unique_1, rates.unique_2), scalars.local_weight!);
  const cost = tf.add(tf.mul(rates.common, 1 + config.lambda), local);
  return {
    loss: tf.add(reconstruction, cost) as tf.Scalar,
    reconstruction,
    rate_common: rates.common,
    rate_unique_1: rates.unique_1,
    rate_unique_2: rates.unique_2,
  };
}

export function featuresOf(networks: Networks, { batch, microBatch = 0 }: LossInputs): { x: Feature; y: Feature } {
  const { x, y } = inChunks(
    ({ view_1, view_2 }) => ({ x: featureOf(networks, view_1!), y: featureOf(networks, view_2!) }),
    { view_1: batch.view_1!, view_2: batch.view_2! },
    microBatch,
  );
  return { x, y };
}

/** Squared error in units of 2 epsilon^2, batch mean. */
export function featureError(
  { noiseVariance, errorReduction }: Pick<WVaeConfig, "noiseVariance" | "errorReduction">,
  feature: Feature,
  decoded: Feature,
): tf.Scalar {
  const squares = tf.squaredDifference(feature, decoded);
  const error = errorReduction === "sum" ? tf.sum(squares, 1) : tf.mean(squares, 1);
  return tf.div(tf.mean(error), noiseVariance);
}

/** Batch mean of a block's rate; 0 for a block that the model does not have. */
export function rateOf(spaces: Spaces, block: keyof Spaces, parameters: tf.Tensor2D | undefined): tf.Scalar {
  const space = spaces[block];
  if (space === undefined || parameters === undefined) return tf.scalar(0);
  return tf.mean(tf.sum(space.rate(parameters), 1));
}
