import * as tf from "@tensorflow/tfjs-core";
import type { DisentangleConfig } from "../../schemas/disentangle-config.ts";
import { inChunks } from "../engine/in-chunks.ts";
import { bernoulliCrossEntropy } from "../networks/bernoulli.ts";
import { discriminator } from "../networks/discriminator.ts";
import { type Gaussian, klToStandardNormal, sample } from "../networks/gaussian.ts";
import {
  densityRatioTotalCorrelation,
  discriminatorLoss,
  minibatchTotalCorrelation,
  permuteColumns,
} from "../networks/total-correlation.ts";
import { correlated, decodeCode, encodeImage, intensity, posteriorNoise } from "./disentangle-networks.ts";
import type { LossInputs, Networks, NoiseSpec } from "./family.ts";

/** Noise of one step; FactorVAE also needs an order of the batch for each latent. */
export function disentangleNoise(config: DisentangleConfig, batchSize: number): Record<string, NoiseSpec> {
  return {
    ...posteriorNoise(config, batchSize),
    ...(config.objective === "factor-vae"
      ? { orders: { shape: [config.latents, batchSize], distribution: "permutation" } }
      : {}),
  };
}

/**
 * Objective of the single-view auto-encoders, and its terms, in nats per example.
 *
 *   vae         loss = reconstruction + rate
 *   beta-vae    loss = reconstruction + beta rate
 *   factor-vae  loss = reconstruction + rate + gamma total_correlation        (told by the discriminator)
 *   beta-tcvae  loss = reconstruction + rate + (beta - 1) total_correlation   (of the minibatch)
 *
 *   reconstruction = mean over images of -ln p(x | z), summed over pixels and channels, z drawn from the posterior
 *   rate           = mean over images of KL( q(z|x) || N(0, I) ): of the diagonal posterior, also with correlated noise
 *
 * `discriminator_loss` is what the second player of factor-vae minimises. Its mixed codes come from the same batch.
 *
 * Source: Kingma & Welling 2014; Higgins et al. 2017; Kim & Mnih 2018, https://arxiv.org/abs/1802.05983; Chen et al. 2018,
 * https://arxiv.org/abs/1802.04942; reductions as in disentanglement_lib
 *
 * @param batch `image`: 0..255, [batch, size, size, channels]
 */
export function disentangleLosses(
  networks: Networks,
  config: DisentangleConfig,
  { batch, noise, microBatch = 0 }: LossInputs,
): Record<string, tf.Scalar> {
  // Only the networks of images run in micro-batches: a total correlation looks across the whole batch.
  const image = batch.image!;
  const encode = (rows: Record<string, tf.Tensor>) => ({ ...encodeImage(networks, config, rows.image!) });
  const q = inChunks(encode, { image }, microBatch);
  const code = sample(q, correlated(config, noise));
  const decode = (rows: Record<string, tf.Tensor>) => ({
    error: bernoulliCrossEntropy(decodeCode(networks, rows.code!), intensity(rows.image!)),
  });
  const reconstruction = tf.mean(inChunks(decode, { image, code }, microBatch).error) as tf.Scalar;
  const rate = tf.mean(tf.sum(klToStandardNormal(q), 1)) as tf.Scalar;
  const { cost, terms } = penalty(networks, config, { q, code, rate, orders: noise.orders });
  return { loss: tf.add(reconstruction, cost), reconstruction, rate, ...terms };
}

interface Coded {
  readonly q: Gaussian;
  readonly code: tf.Tensor;
  readonly rate: tf.Scalar;
  readonly orders: tf.Tensor | undefined;
}

/** What the loss adds to the reconstruction error, and the terms besides the rate that it is made of. */
function penalty(
  networks: Networks,
  { objective, weights }: DisentangleConfig,
  { q, code, rate, orders }: Coded,
): { cost: tf.Tensor; terms: Record<string, tf.Scalar> } {
  switch (objective) {
    case "vae":
      return { cost: rate, terms: {} };
    case "beta-vae":
      return { cost: tf.mul(rate, weights.betaVae), terms: {} };
    case "factor-vae": {
      const whole = discriminator.apply(networks, "discriminator", code as tf.Tensor2D);
      const mixed = discriminator.apply(networks, "discriminator", permuteColumns(code, orders!));
      const told = densityRatioTotalCorrelation(whole);
      return {
        cost: tf.add(rate, tf.mul(told, weights.factorVae)),
        terms: { total_correlation: told, discriminator_loss: discriminatorLoss(whole, mixed) },
      };
    }
    case "beta-tcvae": {
      const estimate = minibatchTotalCorrelation(code, q);
      return {
        cost: tf.add(rate, tf.mul(estimate, weights.betaTcvae - 1)),
        terms: { total_correlation: estimate },
      };
    }
  }
}
