import * as tf from "@tensorflow/tfjs-core";
import type { GkVaeConfig } from "../../schemas/gk-vae-config.ts";
import { inChunks } from "../engine/in-chunks.ts";
import { bernoulliCrossEntropy } from "../networks/bernoulli.ts";
import { type Gaussian, klBetween, klToStandardNormal, sample, withVarianceAdded } from "../networks/gaussian.ts";
import type { LossInputs, Networks, NoiseSpec, Schedule } from "./family.ts";
import { type BlockName, decodeView, encoderMoments, priorOf, splitMoments, toIntensity } from "./gk-vae-networks.ts";
import { fall, warmUp } from "./schedules.ts";

/** Added to the second variance of the matching term, as in the authors' code. */
const matchingEpsilon = 1e-7;

/**
 * Noise of one step. The coin is one uniform draw for the whole minibatch, as in the authors' code: below 1/2 the
 * common code of encoder 1 is decoded, else that of encoder 2.
 */
export function objectiveNoise(config: GkVaeConfig, batchSize: number): Record<string, NoiseSpec> {
  const normal = (dims: number): NoiseSpec => ({ shape: [batchSize, dims], distribution: "normal" });
  return {
    noise_unique_1: normal(config.latents.unique),
    noise_unique_2: normal(config.latents.unique),
    noise_common_1: normal(config.latents.common),
    noise_common_2: normal(config.latents.common),
    coin: { shape: [], distribution: "uniform" },
  };
}

/**
 * Factor on the matching weight, 0 at the start of the run, 1 from `matchingRampSteps` on; factor on the learning rate,
 * 1 at the start, `learningRateEnd` at the end; factor on the weight of the unique rates (`uniqueWarmUp`). None of those
 * that would always be 1.
 */
export function objectiveScalars(config: GkVaeConfig): Record<string, Schedule> {
  const { matchingRampSteps, learningRateEnd, uniqueWarmUp } = config;
  return {
    ...(matchingRampSteps === 0 ? {} : { matching_ramp: (step) => Math.min(1, step / matchingRampSteps) }),
    ...(learningRateEnd === 1 ? {} : { "learning_rate.model": fall(1, learningRateEnd) }),
    ...(uniqueWarmUp.weight === 1 ? {} : { unique_weight: warmUp(uniqueWarmUp) }),
  };
}

/**
 * Objective of the Gacs-Korner variational auto-encoder, and its terms, in nats per example.
 *
 *   loss = reconstruction
 *        + gamma ( w beta_u (R_u1 + R_u2) + beta_c (R_c1 + R_c2) )
 *        + lambda_c matching                    (times the batch size with matchingReduction "sum")
 *
 *   reconstruction = mean over pairs of -ln p(x1, x2 | u1, c, u2), summed over pixels, channels and both views
 *   R_b            = sum over dimensions of max( mean over pairs of KL( q(b|x) || p(b) ), freeNats )
 *   matching       = mean over pairs of KL( q(c|x1) || q(c|x2) )
 *
 * w is 1 but for a warm-up (`uniqueWarmUp`, ours). `rate_<b>` is the mean KL without the floor of `freeNats`,
 * `clamped_rate_<b>` is R_b.
 *
 * Source: Kleinman et al., "Gacs-Korner Common Information Variational Autoencoder", equation 13 and section 4; the
 * reductions, the coin and the one direction of the matching term follow the authors' code. The mean reduction of the
 * matching term is ours: with lambda_c times the batch size it is the same objective, and the batch size stops being
 * part of the model.
 *
 * @param batch `view_1`, `view_2`: 0..255, [batch, size, size, channels]
 */
export function gkVaeLosses(
  networks: Networks,
  config: GkVaeConfig,
  { batch, noise, scalars, microBatch = 0 }: LossInputs,
): Record<string, tf.Scalar> {
  // Only the networks run in micro-batches: the rates need their means over the whole batch before the floor.
  const views = { view_1: batch.view_1!, view_2: batch.view_2! };
  const encode = (rows: Record<string, tf.Tensor>) => ({
    first: encoderMoments(networks, 1, rows.view_1!),
    second: encoderMoments(networks, 2, rows.view_2!),
  });
  const moments = inChunks(encode, views, microBatch);
  const first = splitMoments(config, moments.first);
  const second = splitMoments(config, moments.second);

  const code = {
    unique_1: sample(first.unique, noise.noise_unique_1!),
    common: tf.where(
      tf.less(noise.coin!, 0.5),
      sample(first.common, noise.noise_common_1!),
      sample(second.common, noise.noise_common_2!),
    ),
    unique_2: sample(second.unique, noise.noise_unique_2!),
  };
  const decode = (rows: Record<string, tf.Tensor>) => {
    const part = { unique_1: rows.unique_1!, common: rows.common!, unique_2: rows.unique_2! };
    const error1 = bernoulliCrossEntropy(decodeView(networks, config, 1, part), toIntensity(rows.view_1!));
    const error2 = bernoulliCrossEntropy(decodeView(networks, config, 2, part), toIntensity(rows.view_2!));
    return { error: tf.add(error1, error2) };
  };
  const reconstruction = tf.mean(inChunks(decode, { ...views, ...code }, microBatch).error) as tf.Scalar;

  const rate = (q: Gaussian, block: BlockName) => rateTerms(q, priorOf(networks, block), config.freeNats);
  const rates = {
    unique_1: rate(first.unique, "unique_1"),
    unique_2: rate(second.unique, "unique_2"),
    common_1: rate(first.common, "common"),
    common_2: rate(second.common, "common"),
  };
  const disagreement = klBetween(first.common, withVarianceAdded(second.common, matchingEpsilon));
  const matching = tf.mean(tf.sum(disagreement, 1)) as tf.Scalar;

  const { weights } = config;
  const uniqueCost = tf.mul(tf.add(rates.unique_1.clamped, rates.unique_2.clamped), weights.prior * weights.unique);
  const commonCost = tf.mul(tf.add(rates.common_1.clamped, rates.common_2.clamped), weights.prior * weights.common);
  const pairs = config.matchingReduction === "sum" ? views.view_1.shape[0]! : 1;
  const matchingCost = tf.mul(matching, weights.matching * pairs);
  const scheduled = (cost: tf.Tensor, factor?: tf.Tensor) => (factor === undefined ? cost : tf.mul(cost, factor));
  const costs = tf.add(scheduled(uniqueCost, scalars.unique_weight), commonCost);
  return {
    loss: tf.add(tf.add(reconstruction, scheduled(matchingCost, scalars.matching_ramp)), costs),
    reconstruction,
    rate_common_1: rates.common_1.plain,
    rate_common_2: rates.common_2.plain,
    rate_unique_1: rates.unique_1.plain,
    rate_unique_2: rates.unique_2.plain,
    clamped_rate_common_1: rates.common_1.clamped,
    clamped_rate_common_2: rates.common_2.clamped,
    clamped_rate_unique_1: rates.unique_1.clamped,
    clamped_rate_unique_2: rates.unique_2.clamped,
    matching,
  };
}

/** Rate of one block, nats: batch mean of the KL to the prior, and the same with the floor on every dimension. */
function rateTerms(q: Gaussian, prior: Gaussian | undefined, floor: number): { plain: tf.Scalar; clamped: tf.Scalar } {
  const perDimension = tf.mean(prior === undefined ? klToStandardNormal(q) : klBetween(q, prior), 0);
  return {
    plain: tf.sum(perDimension) as tf.Scalar,
    clamped: tf.sum(tf.maximum(perDimension, floor)) as tf.Scalar,
  };
}
