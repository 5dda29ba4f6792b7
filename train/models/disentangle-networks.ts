import * as tf from "@tensorflow/tfjs-core";
import type { DisentangleConfig } from "../../schemas/disentangle-config.ts";
import { discriminator } from "../networks/discriminator.ts";
import type { Gaussian } from "../networks/gaussian.ts";
import { locatelloDecoder, locatelloEncoder } from "../networks/locatello.ts";
import { matchedHidden, type SplitShape, splitEncoder } from "../networks/split-encoder.ts";
import type { Networks, NoiseSpec, Tensors } from "./family.ts";

/** Networks of the single-view auto-encoders: `encoder.`, `decoder.`, and `discriminator.` for FactorVAE. */

export function disentangleNetworks(config: DisentangleConfig, seed: number): Networks {
  const { latents, encoder, objective } = config;
  const { layers, width } = config.discriminator;
  const image = { ...config.image, filters: config.filters };
  const shape: SplitShape = { ...image, latents, ...encoder };
  const hidden = encoder.kind === "matched" ? matchedHidden(shape) : encoder.hidden;
  return {
    ...(encoder.kind === "split"
      ? splitEncoder.init("encoder", shape, seed)
      : locatelloEncoder.init("encoder", image, { latents, hidden, seed })),
    ...locatelloDecoder.init("decoder", image, { latents, seed }),
    ...(objective === "factor-vae" ? discriminator.init("discriminator", { latents, layers, width, seed }) : {}),
  };
}

/** @param image 0..255 [batch, size, size, channels] @returns q(latent | image), [batch, latents] */
export function encodeImage(networks: Networks, config: DisentangleConfig, image: tf.Tensor): Gaussian {
  const x = intensity(image);
  return config.encoder.kind === "split"
    ? splitEncoder.apply(networks, "encoder", x)
    : locatelloEncoder.apply(networks, "encoder", x);
}

/** @param code [batch, latents] @returns logits [batch, size, size, channels] */
export function decodeCode(networks: Networks, code: tf.Tensor): tf.Tensor4D {
  return locatelloDecoder.apply(networks, "decoder", code as tf.Tensor2D);
}

/** Images as they come (0..255) to the intensity 0..1 that the networks work in. */
export function intensity(image: tf.Tensor): tf.Tensor4D {
  return tf.div(tf.cast(image, "float32"), 255) as tf.Tensor4D;
}

/** What a draw from the posterior takes: a number for each latent, and with correlated noise one that all share. */
export function posteriorNoise(config: DisentangleConfig, rows: number): Record<string, NoiseSpec> {
  const normal = (columns: number): NoiseSpec => ({ shape: [rows, columns], distribution: "normal" });
  return {
    noise_latent: normal(config.latents),
    ...(config.noiseCorrelation > 0 ? { noise_shared: normal(1) } : {}),
  };
}

/**
 * Standard normal noise of which any two columns have the correlation sigma, exactly: sqrt(1 - sigma) n + sqrt(sigma) n0.
 *
 * Source: Yang et al. ("Split Encoder"), equation 13: covariance (1 - sigma) I + sigma 1 1'
 *
 * @param noise of `posteriorNoise` @returns [batch, latents]
 */
export function correlated({ noiseCorrelation: sigma }: DisentangleConfig, noise: Tensors): tf.Tensor {
  if (sigma === 0) return noise.noise_latent!;
  return tf.add(tf.mul(noise.noise_latent!, Math.sqrt(1 - sigma)), tf.mul(noise.noise_shared!, Math.sqrt(sigma)));
}
