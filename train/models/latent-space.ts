import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../../schemas/errors.ts";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import {
  categoricalRate,
  categoricalSample,
  hardCode,
  normalToGumbel,
  probabilities,
} from "../networks/categorical.ts";
import { klBetween, klToStandardNormal, sample } from "../networks/gaussian.ts";
import type { NoiseSpec } from "./family.ts";

/**
 * What a block of latent variables is made of, and everything that depends on it. `parameters` is what an encoder says
 * of a block, [batch, parameterSize]; `code` is what a decoder reads of it, [batch, codeSize].
 */
export interface LatentSpace {
  readonly variables: number;
  readonly codeSize: number;
  readonly parameterSize: number;
  /** Names along the last axis of a code. */
  dimensions(block: string): string[];
  /** Noise of a training step. */
  noise(batchSize: number): NoiseSpec;
  /** KL of the posterior from the prior, variable by variable: [batch, variables], nats. */
  rate(parameters: tf.Tensor2D): tf.Tensor2D;
  /** KL of one posterior from another: [batch, variables], nats. */
  divergence(from: tf.Tensor2D, to: tf.Tensor2D): tf.Tensor2D;
  /** The sample that a gradient goes through. */
  soft(parameters: tf.Tensor2D, noise: tf.Tensor, temperature: tf.Tensor): tf.Tensor2D;
  /** A draw from the posterior by standard normal noise, as inference makes it; noise 0 is the most probable code. */
  draw(parameters: tf.Tensor2D, noise: tf.Tensor2D): tf.Tensor2D;
  /** A draw from the prior by standard normal noise. */
  prior(noise: tf.Tensor2D): tf.Tensor2D;
  /** The code that is meant by numbers of a user: for categorical variables the largest entry of each wins. */
  read(code: tf.Tensor2D): tf.Tensor2D;
  /** Moments of the posterior by the endings of their names: `mean`, and `logvar` where there is one. */
  moments(parameters: tf.Tensor2D): Record<"mean", tf.Tensor2D> & Partial<Record<"logvar", tf.Tensor2D>>;
}

type BlockConfig = WVaeConfig["latents"]["common"];

/** @throws UsageError if the sizes of `block` do not fit the kind of the latents */
export function latentSpace<Name extends string>(
  { latents }: { latents: { kind: string } & Readonly<Record<Name, BlockConfig>> },
  block: Name,
): LatentSpace {
  const { variables, values }: BlockConfig = latents[block];
  if (latents.kind === "gaussian") {
    if (values === undefined) return gaussian(variables);
    throw misfit(block, `have no "values" with kind "gaussian", got ${values}`);
  }
  if (values !== undefined) return categorical(variables, values);
  throw misfit(block, `have "values", how many each variable takes, with kind "categorical", got none`);
}

function misfit(block: string, what: string): UsageError {
  return new UsageError(`Cannot build the model: "model.latents.${block}" must ${what}`, {
    code: "invalid",
    path: ["model", "latents", block],
  });
}

/** `variables` independent variables of `values` values each, the prior uniform; codes are one-hot, side by side. */
function categorical(variables: number, values: number): LatentSpace {
  const size = variables * values;
  const sizes = { variables, values };
  return {
    variables,
    codeSize: size,
    parameterSize: size,
    dimensions: (block) =>
      Array.from({ length: size }, (_, i) => `${block}_${Math.floor(i / values)}_is_${i % values}`),
    noise: (batchSize) => ({ shape: [batchSize, size], distribution: "gumbel" }),
    rate: (logits) => categoricalRate(logits, sizes),
    divergence: (from, to) => categoricalRate(from, { ...sizes, prior: to }),
    soft: (logits, noise, temperature) => categoricalSample(logits, noise, { ...sizes, temperature }),
    draw: (logits, noise) => hardCode(tf.add(logits, normalToGumbel(noise)), sizes),
    prior: (noise) => hardCode(noise, sizes),
    read: (code) => hardCode(code, sizes),
    moments: (logits) => ({ mean: probabilities(logits, sizes) }),
  };
}

/** Standard normal dimensions; parameters are means, then log-variances. */
function gaussian(dimensions: number): LatentSpace {
  const split = (parameters: tf.Tensor2D) => {
    const batch = parameters.shape[0];
    return {
      mean: tf.slice2d(parameters, [0, 0], [batch, dimensions]),
      logvar: tf.slice2d(parameters, [0, dimensions], [batch, dimensions]),
    };
  };
  return {
    variables: dimensions,
    codeSize: dimensions,
    parameterSize: 2 * dimensions,
    dimensions: (block) => Array.from({ length: dimensions }, (_, i) => `${block}_${i}`),
    noise: (batchSize) => ({ shape: [batchSize, dimensions], distribution: "normal" }),
    rate: (parameters) => klToStandardNormal(split(parameters)) as tf.Tensor2D,
    divergence: (from, to) => klBetween(split(from), split(to)) as tf.Tensor2D,
    soft: (parameters, noise) => sample(split(parameters), noise) as tf.Tensor2D,
    draw: (parameters, noise) => sample(split(parameters), noise) as tf.Tensor2D,
    prior: (noise) => noise,
    read: (code) => code,
    moments: split,
  };
}
