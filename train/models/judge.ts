import * as tf from "@tensorflow/tfjs-core";
import type { JudgeConfig } from "../../schemas/judge-config.ts";
import { inChunks } from "../engine/in-chunks.ts";
import { dense } from "../networks/mlp.ts";
import { addLayer, type MutableNetworks, parameter } from "../networks/parameters.ts";
import type { InputSpec, LossInputs, ModelFamily, Networks } from "./family.ts";
import { toIntensity } from "./gk-vae-networks.ts";

/**
 * Classifier that judges what generative models draw: which class an image shows, and features in which real and drawn
 * images can be compared. It is supervised, and no part of any model it judges.
 *
 * Convolutions 3x3 with ReLU and pooling by 2 down to 4x4, one hidden layer, one output for each class.
 */
export const judge: ModelFamily<JudgeConfig> = {
  name: "judge",
  networks({ image, classes, filters, features }, seed) {
    const made: MutableNetworks = {};
    const stages = stagesOf(image.size);
    const widths = [image.channels, ...Array.from({ length: stages }, (_, i) => filters * 2 ** i)];
    for (let i = 1; i <= stages; i++) {
      const [from, to] = [widths[i - 1]!, widths[i]!];
      addLayer(made, `judge.conv_${i}`, { kernel: [3, 3, from, to], bias: to, fanIn: 9 * from, seed });
    }
    const flat = widths[stages]! * coarse ** 2;
    addLayer(made, "judge.hidden", { kernel: [flat, features], bias: features, fanIn: flat, seed });
    addLayer(made, "judge.output", { kernel: [features, classes], bias: classes, fanIn: features, seed });
    return made;
  },
  inputs: (config) => ({
    view_1: image(config),
    label: { shape: ["batch"], dtype: "int32", description: "class of the image, from 0" },
  }),
  noise: () => ({}),
  phases: (config) => [
    {
      name: "classifier",
      share: 1,
      players: [{ name: "model", trains: ["judge."], minimises: "loss", optimiser: config.optimiser }],
      scalars: { "learning_rate.model": (step) => 0.5 ** (step / config.halvingSteps) },
      losses: (networks, inputs) => crossEntropy(networks, config, inputs),
    },
  ],
  latents: () => [],
  tasks: (config) => ({
    classify: {
      description: "Which class an image shows",
      inputs: { view_1: image(config) },
      outputs: {
        logits: {
          description: "natural logarithm of the probability of each class, up to a constant of the image",
          unit: "1",
          names: Array.from({ length: config.classes }, (_, i) => `class_${i}`),
        },
        features: {
          description: "last hidden layer",
          unit: "1",
          names: Array.from({ length: config.features }, (_, i) => `feature_${i}`),
        },
      },
      run(networks, { view_1 }) {
        const features = featuresOf(networks, config, view_1!);
        return { logits: dense(networks, "judge.output", features), features };
      },
    },
  }),
};

/** Height and width that pooling reduces every image to. */
const coarse = 4;
const stagesOf = (size: number): number => Math.log2(size / coarse);

function image({ image: { size, channels } }: JudgeConfig): InputSpec {
  return { shape: ["batch", size, size, channels], dtype: "uint8", description: "intensity 0..255" };
}

/** @returns [batch, features], at least 0 */
function featuresOf(networks: Networks, { image: { size } }: JudgeConfig, picture: tf.Tensor): tf.Tensor2D {
  let value: tf.Tensor4D = toIntensity(picture);
  for (let i = 1; i <= stagesOf(size); i++) {
    const kernel = parameter<tf.Rank.R4>(networks, `judge.conv_${i}.kernel`);
    const bias = parameter(networks, `judge.conv_${i}.bias`);
    const seen = tf.relu(tf.add(tf.conv2d(value, kernel, 1, "same"), bias)) as tf.Tensor4D;
    value = tf.maxPool(seen, 2, 2, "valid");
  }
  const [batch, height, width, filters] = value.shape;
  return tf.relu(dense(networks, "judge.hidden", tf.reshape(value, [batch, height * width * filters])));
}

/** Cross-entropy in nats per image, and the share of the minibatch that is told wrongly. */
function crossEntropy(
  networks: Networks,
  config: JudgeConfig,
  { batch, microBatch = 0 }: LossInputs,
): Record<string, tf.Scalar> {
  const { features } = inChunks(
    ({ view_1 }) => ({ features: featuresOf(networks, config, view_1!) }),
    { view_1: batch.view_1! },
    microBatch,
  );
  const logits = dense(networks, "judge.output", features);
  const truth = tf.cast(tf.oneHot(tf.cast(batch.label!, "int32") as tf.Tensor1D, config.classes), "float32");
  const loss = tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), truth), 1)));
  const wrong = tf.notEqual(tf.argMax(logits, 1), tf.cast(batch.label!, "int32"));
  return { loss: loss as tf.Scalar, error_share: tf.mean(tf.cast(wrong, "float32")) as tf.Scalar };
}
