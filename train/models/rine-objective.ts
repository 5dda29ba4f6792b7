import * as tf from "@tensorflow/tfjs-core";
import type { RineConfig, RineProblem } from "../../schemas/rine-config.ts";
import type { LossInputs, Networks, Tensors } from "./family.ts";
import { betaName, classify, inputName, jointName, networkName, readSources, sourceNumbers } from "./rine-networks.ts";

/**
 * Cross-entropy of every row, nats. NaN for a label that is no class: a sum over no class would pass for certainty.
 *
 * @param logits [batch, classes]
 * @param labels int32 [batch]
 * @returns [batch]
 */
export function crossEntropyRows(logits: tf.Tensor2D, labels: tf.Tensor): tf.Tensor1D {
  const target = tf.cast(tf.oneHot(labels as tf.Tensor1D, logits.shape[1]), "float32");
  const found = tf.sum(tf.mul(tf.logSoftmax(logits), target), 1);
  return tf.neg(tf.div(found, tf.sum(target, 1))) as tf.Tensor1D;
}

/**
 * How far predictions of the same target are apart in every row: L1 norms, summed over classes and over
 *
 *   all-pairs   the n (n - 1) / 2 pairs of sources                 sum_{i<j} |p_i - p_j|
 *   star        the n distances from their average                 sum_i |p_i - mean_j p_j|
 *
 * Both are 0 where all agree and only there; for two sources they are equal. For n sources
 * n / 2 star <= all-pairs <= (n - 1) star. Source: RINE paper, equation 18 and below; the star form is ours.
 *
 * @param predictions [batch, classes] each, rows of distributions
 * @returns [batch]
 */
export function predictionDistance(predictions: readonly tf.Tensor2D[], form: "all-pairs" | "star"): tf.Tensor1D {
  const apart = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.sum(tf.abs(tf.sub(a, b)), 1);
  if (form === "all-pairs") {
    const pairs = predictions.flatMap((p, i) => predictions.slice(i + 1).map((q) => apart(p, q)));
    return tf.addN(pairs) as tf.Tensor1D;
  }
  const average = tf.div(tf.addN([...predictions]), predictions.length);
  return tf.addN(predictions.map((p) => apart(p, average))) as tf.Tensor1D;
}

/**
 * Schedules by step: beta_i / beta = 1 - gamma^i and the learning rate's factor, both constant within epoch i = 0, 1, ...
 *
 * Source: RINE paper, equation 17, and the authors' code, where the first epoch is unconstrained
 */
export function rineSchedules(config: RineConfig): Record<string, (step: number) => number> {
  const { epochSteps, gamma, betaSchedule, learningRateDecay } = config;
  const epochOf = (step: number): number => Math.floor(step / epochSteps);
  const isGrowing = betaSchedule === "growing" && config.betas.some((beta) => beta > 0);
  return {
    ...(isGrowing ? { beta_growth: (step: number) => 1 - gamma ** epochOf(step) } : {}),
    ...(learningRateDecay === 1 ? {} : { "learning_rate.model": (step: number) => learningRateDecay ** epochOf(step) }),
  };
}

/**
 * Objective of RINE, summed over problems and weights, whose networks are separate.
 *
 *   loss = sum_problems sum_beta [ 1/n sum_i CE_i + beta_i D ]  ( + CE of the joint network )
 *
 * CE_i is the mean over the batch of -ln p_i(y | x_i), D the mean over the batch of `predictionDistance`, with reduction
 * `mean` divided by the number of classes. For two sources the first term is 1/2 (CE_1 + CE_2).
 *
 * Terms: `<problem>_<beta>` is 1/n sum_i CE_i in nats; `<problem>-apart_<beta>_share` the predictions' total variation
 * distance, 0..1, averaged over pairs (all-pairs) or over sources from their average (star).
 *
 * Source: RINE paper, equations 9 and 18, with the reductions of the authors' code
 */
export function rineLosses(
  networks: Networks,
  config: RineConfig,
  { batch, scalars }: LossInputs,
): Record<string, tf.Scalar> {
  const parts: tf.Scalar[] = [];
  const terms: Record<string, tf.Scalar> = {};
  for (const problem of config.problems) {
    const sources = readSources(config, problem, batch);
    const y = batch[inputName(problem, "y")]!;
    for (const beta of config.betas) {
      const { crossEntropy, distance } = fitOf(networks, config, { problem, beta, sources, y });
      terms[`${problem.name}_${betaName(beta)}`] = crossEntropy;
      terms[`${problem.name}-apart_${betaName(beta)}_share`] = tf.mul(distance, 0.5 / termCount(config)) as tf.Scalar;
      parts.push(crossEntropy);
      if (beta > 0) parts.push(tf.mul(distance, weightOf(config, problem, { beta, scalars })) as tf.Scalar);
    }
    if (config.joint) {
      const x = tf.concat(sources, -1);
      const logits = classify(networks, config, { prefix: jointName(problem), x, mode: "training" });
      const crossEntropy = tf.mean(crossEntropyRows(logits, y)) as tf.Scalar;
      terms[`${problem.name}_joint`] = crossEntropy;
      parts.push(crossEntropy);
    }
  }
  return { loss: tf.addN(parts) as tf.Scalar, ...terms };
}

interface Fit {
  readonly problem: RineProblem;
  readonly beta: number;
  readonly sources: readonly tf.Tensor[];
  readonly y: tf.Tensor;
}

/** Mean cross-entropy over sources and batch, nats, and mean distance over the batch, summed over classes. */
function fitOf(networks: Networks, config: RineConfig, { problem, beta, sources, y }: Fit) {
  const logits = sourceNumbers(config).map((source) => {
    const x = sources[source - 1]!;
    return classify(networks, config, { prefix: networkName(problem, beta, source), x, mode: "training" });
  });
  const crossEntropies = logits.map((one) => tf.mean(crossEntropyRows(one, y)));
  const predictions = logits.map((one) => tf.softmax(one));
  return {
    crossEntropy: tf.div(tf.addN(crossEntropies), config.sources) as tf.Scalar,
    distance: tf.mean(predictionDistance(predictions, config.distance.form)) as tf.Scalar,
  };
}

function termCount({ sources, distance }: RineConfig): number {
  return distance.form === "star" ? sources : (sources * (sources - 1)) / 2;
}

/** What the summed L1 distance is multiplied with in this step. */
function weightOf(
  { distance }: RineConfig,
  { classes }: RineProblem,
  { beta, scalars }: { beta: number; scalars: Tensors },
): tf.Tensor | number {
  const weight = distance.reduction === "mean" ? beta / classes : beta;
  return scalars.beta_growth === undefined ? weight : tf.mul(scalars.beta_growth, weight);
}
