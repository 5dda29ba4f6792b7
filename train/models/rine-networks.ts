import * as tf from "@tensorflow/tfjs-core";
import type { RineConfig, RineProblem, SourcePart } from "../../schemas/rine-config.ts";
import type { NormMode } from "../networks/batch-norm.ts";
import { normMlp } from "../networks/norm-mlp.ts";
import type { MutableNetworks } from "../networks/parameters.ts";
import { resnet } from "../networks/resnet.ts";
import type { InputSpec, Networks, Tensors } from "./family.ts";

/**
 * Networks of RINE: for every problem and weight one network a source, and where asked for one that sees all sources.
 * They share nothing, so that training them side by side is training each alone.
 */

/** `beta15`: part of the names of variables, terms, figures. */
export const betaName = (beta: number): string => `beta${String(beta).replace(".", "_")}`;

/** 1 .. n, as they are counted in the names x1, x2. */
export const sourceNumbers = ({ sources }: RineConfig): number[] => Array.from({ length: sources }, (_, i) => i + 1);

/** Name of an input of the problem's data: `x1`, or `UNQ_x1` where the problem has a prefix. */
export const inputName = ({ from }: RineProblem, name: string): string =>
  from === undefined ? name : `${from}_${name}`;

export const networkName = ({ name }: RineProblem, beta: number, source: number): string =>
  `${name}.${betaName(beta)}.x${source}`;

export const jointName = ({ name }: RineProblem): string => `${name}.joint`;

/** The weight whose networks answer the tasks: with the largest the predictions agree best. */
export const redundantBeta = ({ betas }: RineConfig): number => Math.max(...betas);

export function rineNetworks(config: RineConfig, seed: number): Networks {
  const made: MutableNetworks = {};
  for (const problem of config.problems) {
    for (const beta of config.betas) {
      for (const source of sourceNumbers(config)) {
        Object.assign(made, classifier(config, networkName(problem, beta, source), { problem, width: 1, seed }));
      }
    }
    if (config.joint) {
      Object.assign(made, classifier(config, jointName(problem), { problem, width: config.sources, seed }));
    }
  }
  return made;
}

/** @param width how many sources it reads */
function classifier(
  { input, network }: RineConfig,
  prefix: string,
  { problem, width, seed }: { problem: RineProblem; width: number; seed: number },
): MutableNetworks {
  const one = input.kind === "images" ? input.mean.length : input.size;
  if (network.kind === "resnet")
    return resnet.init(prefix, { ...network, channels: width * one }, problem.classes, seed);
  const inputs = width * (input.kind === "images" ? input.size ** 2 * one : one);
  return normMlp.init(prefix, { inputs, hidden: network.hidden, outputs: problem.classes }, seed);
}

/** @param x a source as `readSource` gives it, or several joined along the last axis @returns logits [batch, classes] */
export function classify(
  networks: Networks,
  { network }: RineConfig,
  { prefix, x, mode }: { prefix: string; x: tf.Tensor; mode: NormMode },
): tf.Tensor2D {
  if (network.kind === "resnet") return resnet.apply(networks, prefix, { ...network, x: x as tf.Tensor4D }, mode);
  return normMlp.apply(networks, prefix, tf.reshape(x, [x.shape[0]!, -1]) as tf.Tensor2D, mode);
}

/** The sources of a problem as its networks read them, in order. */
export function readSources(config: RineConfig, problem: RineProblem, inputs: Tensors): tf.Tensor[] {
  return sourceNumbers(config).map((source) =>
    readSource(config, problem, source, inputs[inputName(problem, `x${source}`)]!),
  );
}

/**
 * One source: numbers as they are; images normalised, and what the source does not have set to 0 after that, which is
 * the average intensity, not black.
 *
 * @param x [batch, size], or intensity 0..255 [batch, size, size, channels]
 */
export function readSource({ input }: RineConfig, { parts }: RineProblem, source: number, x: tf.Tensor): tf.Tensor {
  const values = tf.cast(x, "float32");
  if (input.kind === "numbers") return values;
  const normal = tf.div(tf.sub(tf.div(values, 255), tf.tensor1d(input.mean)), tf.tensor1d(input.deviation));
  const part = parts?.[source - 1];
  if (part === undefined || (part.columns === undefined && part.channels === undefined)) return normal;
  return tf.mul(normal, mask(part, { size: input.size, channels: input.mean.length }));
}

/** 1 where the source has a value, [1, width, channels]. */
function mask(
  { columns, channels: kept }: SourcePart,
  { size, channels }: { size: number; channels: number },
): tf.Tensor {
  const [from, to] = columns ?? [0, size];
  const values = new Float32Array(size * channels);
  for (let i = 0; i < values.length; i++) {
    const [column, channel] = [Math.floor(i / channels), i % channels];
    values[i] = column >= from! && column < to! && (kept?.includes(channel) ?? true) ? 1 : 0;
  }
  return tf.tensor3d(values, [1, size, channels]);
}

/** Sources and target of every problem, by input name. */
export function rineInputs(config: RineConfig): Readonly<Record<string, InputSpec>> {
  const inputs: Record<string, InputSpec> = {};
  for (const problem of config.problems) {
    for (const source of sourceNumbers(config)) {
      inputs[inputName(problem, `x${source}`)] = sourceInput(config, source);
    }
    inputs[inputName(problem, "y")] = targetInput(problem);
  }
  return inputs;
}

export function sourceInput({ input }: RineConfig, source: number): InputSpec {
  if (input.kind === "numbers") {
    return { shape: ["batch", input.size], dtype: "float32", description: `source ${source}` };
  }
  const { size, mean } = input;
  const description = `source ${source}: the whole image, intensity 0..255; the part that the source does not have is ignored`;
  return { shape: ["batch", size, size, mean.length], dtype: "uint8", description };
}

export function targetInput({ classes }: RineProblem): InputSpec {
  return { shape: ["batch"], dtype: "int32", description: `target, 0 .. ${classes - 1}`, range: [0, classes - 1] };
}
