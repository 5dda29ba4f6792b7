import * as tf from "@tensorflow/tfjs-core";
import type { ContrastiveConfig } from "../../schemas/contrastive-config.ts";
import { inChunks } from "../engine/in-chunks.ts";
import { burgessEncoder } from "../networks/burgess.ts";
import type { InputSpec, LossInputs, ModelFamily, Networks, OutputSpec } from "./family.ts";
import { toIntensity } from "./gk-vae-networks.ts";

/**
 * Contrastive multiview coding on the GK-VAE's encoder: the rival of the GK-VAE paper's figure 3. It learns what two
 * views share and nothing else: there is no unique block and nothing decodes.
 *
 * The other pairs of the minibatch are the negatives. The authors' code (after Tian et al. 2020,
 * https://arxiv.org/abs/1906.05849) keeps 16,384 of them in a memory bank instead; theirs is not public for this paper.
 */
export const contrastive: ModelFamily<ContrastiveConfig> = {
  name: "contrastive",
  networks: ({ image, networks, embedding }, seed) => ({
    ...burgessEncoder.init("encoder_1", { ...image, ...networks }, embedding, seed),
    ...burgessEncoder.init("encoder_2", { ...image, ...networks }, embedding, seed),
  }),
  inputs: (config) => ({ view_1: image(config, 1), view_2: image(config, 2) }),
  noise: () => ({}),
  phases: (config) => [
    {
      name: "joint",
      share: 1,
      players: [{ name: "model", trains: ["encoder_"], minimises: "loss", optimiser: config.optimiser }],
      scalars: {},
      losses: (networks, inputs) => infoNce(networks, config, inputs),
    },
  ],
  latents: ({ embedding }) => [{ name: "common", dimensions: namesOf(embedding) }],
  tasks: (config) => {
    const code = (from: string): OutputSpec => ({
      description: `embedding of ${from}, of length 1`,
      unit: "1",
      names: namesOf(config.embedding),
    });
    return {
      encode: {
        description:
          "Embeddings of a pair. common_mean is that of encoder 1; pairs that belong together point the same way",
        inputs: { view_1: image(config, 1), view_2: image(config, 2) },
        outputs: { common_mean: code("view 1"), common_2_mean: code("view 2") },
        run: (networks, { view_1, view_2 }) => ({
          common_mean: embed(networks, 1, view_1!),
          common_2_mean: embed(networks, 2, view_2!),
        }),
      },
      encode_1: {
        description: "Embedding of view 1 alone",
        inputs: { view_1: image(config, 1) },
        outputs: { common_mean: code("view 1") },
        run: (networks, { view_1 }) => ({ common_mean: embed(networks, 1, view_1!) }),
      },
      encode_2: {
        description: "Embedding of view 2 alone",
        inputs: { view_2: image(config, 2) },
        outputs: { common_mean: code("view 2") },
        run: (networks, { view_2 }) => ({ common_mean: embed(networks, 2, view_2!) }),
      },
    };
  },
};

const namesOf = (embedding: number): string[] => Array.from({ length: embedding }, (_, i) => `common_${i}`);

function image({ image: { size, channels } }: ContrastiveConfig, view: 1 | 2): InputSpec {
  return { shape: ["batch", size, size, channels], dtype: "uint8", description: `view ${view}, intensity 0..255` };
}

/** @returns [batch, embedding], rows of length 1 */
function embed(networks: Networks, view: 1 | 2, picture: tf.Tensor): tf.Tensor2D {
  const raw = burgessEncoder.apply(networks, `encoder_${view}`, toIntensity(picture));
  const length = tf.sqrt(tf.add(tf.sum(tf.square(raw), 1, true), 1e-12));
  return tf.div(raw, length);
}

/**
 * InfoNCE in both directions over the pairs of a minibatch.
 *
 *   loss = -1/2 mean_i [ ln softmax_j(z1_i . z2_j / t)_i + ln softmax_j(z2_i . z1_j / t)_i ]
 *
 * `bound` = ln n - loss is a lower bound on I(view_1; view_2) up to sampling error, and cannot exceed ln n.
 * Source: van den Oord et al. 2018, https://arxiv.org/abs/1807.03748
 */
function infoNce(
  networks: Networks,
  { temperature }: ContrastiveConfig,
  { batch, microBatch = 0 }: LossInputs,
): Record<string, tf.Scalar> {
  const { z1, z2 } = inChunks(
    ({ view_1, view_2 }) => ({ z1: embed(networks, 1, view_1!), z2: embed(networks, 2, view_2!) }),
    { view_1: batch.view_1!, view_2: batch.view_2! },
    microBatch,
  );
  const n = z1.shape[0];
  const scores = tf.div(tf.matMul(z1, z2, false, true), temperature);
  const own = tf.eye(n);
  const crossEntropy = (logits: tf.Tensor2D): tf.Scalar =>
    tf.neg(tf.div(tf.sum(tf.mul(tf.logSoftmax(logits), own)), n)) as tf.Scalar;
  const forward = crossEntropy(scores as tf.Tensor2D);
  const backward = crossEntropy(tf.transpose(scores) as tf.Tensor2D);
  const loss = tf.mul(tf.add(forward, backward), 0.5) as tf.Scalar;
  return { loss, infonce_1to2: forward, infonce_2to1: backward, bound: tf.sub(Math.log(n), loss) as tf.Scalar };
}
