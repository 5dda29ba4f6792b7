import * as tf from "@tensorflow/tfjs-core";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { PairSource } from "../../../train/data/pair-source.ts";
import { inChunks } from "../../../train/engine/in-chunks.ts";
import type { LossInputs, ModelFamily, Networks, Phase } from "../../../train/models/family.ts";
import { stream } from "../../../train/random.ts";

/** The smallest family that has everything an engine must handle: noise, a schedule, a buffer, two phases, two players. */

export interface ToyConfig {
  readonly kind: "one-phase" | "two-phases" | "two-players";
  readonly learningRate: number;
  /** Loss becomes infinite from this step on; -1: never. */
  readonly explodeAt: number;
}

const width = 4;
const code = 3;

function forward(networks: Networks, { batch, noise, microBatch = 0 }: LossInputs) {
  const pass = (rows: Record<string, tf.Tensor>) => {
    const x = tf.div(tf.cast(rows.view_1!, "float32"), 255) as tf.Tensor2D;
    const hidden = tf.sigmoid(
      tf.add(tf.matMul(x, networks["encoder.kernel"] as tf.Tensor2D), networks["encoder.bias"]!),
    );
    const noisy = tf.add(hidden, tf.mul(rows.noise!, 0.1)) as tf.Tensor2D;
    const y = tf.add(tf.matMul(noisy, networks["decoder.kernel"] as tf.Tensor2D), networks["decoder.bias"]!);
    return { x, y, hidden };
  };
  return inChunks(pass, { view_1: batch.view_1!, noise: noise.epsilon! }, microBatch);
}

function losses(networks: Networks, inputs: LossInputs): Record<string, tf.Scalar> {
  const { x, y, hidden } = forward(networks, inputs);
  const distortion = tf.mean(tf.sum(tf.square(tf.sub(x, y)), 1)) as tf.Scalar;
  const rate = tf.mean(tf.sum(tf.square(hidden), 1)) as tf.Scalar;
  const seen = networks["buffer.mean"]!;
  seen.assign(tf.add(tf.mul(seen, 0.9), tf.mul(tf.mean(hidden, 0), 0.1)));
  const loss = tf.mul(tf.add(distortion, tf.mul(rate, 0.01)), inputs.scalars.weight!) as tf.Scalar;
  return { loss, distortion, rate };
}

export const toyFamily: ModelFamily<ToyConfig> = {
  name: "toy",
  networks(_config, seed) {
    const normal = (name: string, shape: number[]): tf.Variable => {
      const random = stream(seed, "initial", name);
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5 * random.normal());
      return tf.tidy(() => tf.variable(tf.tensor(data, shape), true, name));
    };
    return {
      "encoder.kernel": normal("encoder.kernel", [width, code]),
      "encoder.bias": normal("encoder.bias", [code]),
      "decoder.kernel": normal("decoder.kernel", [code, width]),
      "decoder.bias": normal("decoder.bias", [width]),
      "buffer.mean": tf.tidy(() => tf.variable(tf.zeros([code]), false, "buffer.mean")),
    };
  },
  inputs: () => ({ view_1: { shape: ["batch", width], dtype: "uint8", description: "four numbers" } }),
  noise: (_config, batchSize) => ({ epsilon: { shape: [batchSize, code], distribution: "normal" } }),
  phases({ kind, learningRate, explodeAt }): Phase[] {
    const adam = { kind: "adam", learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    const sgd = { kind: "sgd", learningRate, momentum: 0.9, weightDecay: 0.001 } as const;
    const scalars = {
      weight: (step: number) => (explodeAt >= 0 && step >= explodeAt ? Number.POSITIVE_INFINITY : 1 + 1 / (1 + step)),
    };
    const player = (name: string, trains: string[]) => ({ name, trains, minimises: "loss", optimiser: adam });
    if (kind === "one-phase") {
      return [{ name: "all", share: 1, players: [player("model", ["encoder.", "decoder."])], scalars, losses }];
    }
    if (kind === "two-players") {
      const players = [player("encoder", ["encoder."]), { ...player("decoder", ["decoder."]), optimiser: sgd }];
      return [{ name: "game", share: 1, players, scalars: { ...scalars, "learning_rate.encoder": halved }, losses }];
    }
    return [
      { name: "decoder", share: 0.25, players: [player("model", ["decoder."])], scalars, losses },
      { name: "encoder", share: 0.75, players: [player("model", ["encoder."])], scalars, losses },
    ];
  },
  latents: () => [],
  tasks: () => ({}),
};

function halved(step: number): number {
  return 0.5 ** step;
}

/** Rows of four bytes that lie near a line. */
export const toySource: PairSource = {
  description: { name: "toy", summary: "four bytes", views: [], factors: [], provenance: {} },
  draw(size, random) {
    const data = new Uint8Array(size * width);
    for (let row = 0; row < size; row++) {
      const t = random.uniform();
      for (let i = 0; i < width; i++)
        data[row * width + i] = 255 * (0.5 + 0.4 * Math.sin(i + 6 * t) + 0.1 * random.uniform());
    }
    return { tensors: { view_1: { dtype: "uint8", shape: [size, width], data } }, labels: [{}, {}] };
  },
};

export function toyRecipe(training: Partial<Recipe["training"]> = {}, model: Partial<ToyConfig> = {}): Recipe {
  return {
    format: 1,
    name: "toy",
    title: "Toy",
    source: "none",
    family: "toy",
    model: { kind: "one-phase", learningRate: 0.01, explodeAt: -1, ...model },
    data: { source: "toy" },
    training: { seed: 7, batchSize: 8, steps: 40, microBatch: 0, logEvery: 5, checkpointEvery: 10, ...training },
    evaluation: { pairs: 100, classifier: "linear" },
    expected: [],
  };
}
