import * as tf from "@tensorflow/tfjs-core";
import type { CvaeConfig } from "../../schemas/cvae-config.ts";
import { autoencoder } from "../networks/autoencoder.ts";
import { mlp } from "../networks/mlp.ts";
import type { InputSpec, LossInputs, ModelFamily, Networks, Player, TaskSpec } from "./family.ts";
import { latentSpace } from "./latent-space.ts";
import { decodeFeature, featureOf, pictureOf, type View } from "./w-vae-networks.ts";
import { annealing, autoencoderLosses, featureError, featuresOf } from "./w-vae-objective.ts";

/**
 * Conditional variational autoencoder in both directions: a view is decoded from the other one, seen as it is, and a
 * code of its own. It has no common code, so it generates one view from the other and does nothing else; the W-VAE is
 * compared with it. Wrapper, networks and error are the W-VAE's.
 *
 *   loss = sum over views of  |f(y) - y(f(x), v)|^2 / (2 epsilon^2) + KL( q(v|x,y) || p(v) )
 *
 * Source: Sohn et al. 2015, "Learning Structured Output Representation using Deep Conditional Generative Models"; W-VAE
 * paper, section 2.2
 */
export const cvae: ModelFamily<CvaeConfig> = {
  name: "cvae",
  networks(config, seed) {
    const { features } = config.autoencoder;
    const space = latentSpace(config, "unique");
    const net = (name: string, inputs: number, outputs: number) =>
      mlp.init(name, { inputs, ...config.networks, outputs }, seed);
    return {
      ...autoencoder.init({ ...config.image, ...config.autoencoder }, seed),
      ...net("encoder_1", 2 * features, space.parameterSize),
      ...net("encoder_2", 2 * features, space.parameterSize),
      ...net("decoder_1", features + space.codeSize, features),
      ...net("decoder_2", features + space.codeSize, features),
    };
  },
  inputs: (config) => ({ view_1: image(config, 1), view_2: image(config, 2) }),
  noise(config, batchSize) {
    const noise = latentSpace(config, "unique").noise(batchSize);
    return { noise_unique_1: noise, noise_unique_2: noise };
  },
  phases(config) {
    const players = (trains: string[]): Player[] => [
      { name: "model", trains, minimises: "loss", optimiser: config.optimiser },
    ];
    const scalars = annealing(config);
    return [
      {
        name: "autoencoder",
        share: config.autoencoderShare,
        players: players([autoencoder.prefix]),
        scalars: { "learning_rate.model": scalars["learning_rate.model"] },
        losses: (networks, inputs) => autoencoderLosses(networks, inputs),
      },
      {
        name: "conditional",
        share: 1 - config.autoencoderShare,
        players: players(["encoder_", "decoder_"]),
        scalars,
        losses: (networks, inputs) => conditionalLosses(networks, config, inputs),
      },
    ];
  },
  latents(config) {
    const space = latentSpace(config, "unique");
    return (["unique_1", "unique_2"] as const).map((name) => ({ name, dimensions: space.dimensions(name) }));
  },
  tasks: (config) => ({ ...conditionalTask(config, 1), ...conditionalTask(config, 2) }),
};

function image({ image: { size, channels } }: CvaeConfig, view: View): InputSpec {
  return { shape: ["batch", size, size, channels], dtype: "uint8", description: `view ${view}, intensity 0..255` };
}

function conditionalLosses(networks: Networks, config: CvaeConfig, inputs: LossInputs): Record<string, tf.Scalar> {
  const { x, y } = featuresOf(networks, inputs);
  const space = latentSpace(config, "unique");
  const ofView = (view: View, [own, other]: readonly [tf.Tensor2D, tf.Tensor2D]) => {
    const q = mlp.apply(networks, `encoder_${view}`, tf.concat2d([x, y], 1));
    const code = space.soft(q, inputs.noise[`noise_unique_${view}`]!, inputs.scalars.temperature!);
    const reconstruction = featureError(config, own, decodeFeature(networks, view, other, code));
    return { reconstruction, rate: tf.mean(tf.sum(space.rate(q), 1)) as tf.Scalar };
  };
  const [first, second] = [ofView(1, [x, y]), ofView(2, [y, x])];
  const terms = {
    reconstruction_1: first.reconstruction,
    reconstruction_2: second.reconstruction,
    rate_unique_1: first.rate,
    rate_unique_2: second.rate,
  };
  return { loss: tf.addN(Object.values(terms)), ...terms };
}

function conditionalTask(config: CvaeConfig, given: View): Record<string, TaskSpec> {
  const wanted = given === 1 ? 2 : 1;
  const { size, channels } = config.image;
  const space = latentSpace(config, "unique");
  return {
    [`conditional_${given}to${wanted}`]: {
      description: `A view ${wanted} that goes with view ${given}: unique_${wanted} is drawn from its prior by the noise given`,
      inputs: {
        [`view_${given}`]: image(config, given),
        [`noise_unique_${wanted}`]: {
          shape: ["batch", space.codeSize],
          dtype: "float32",
          description: `standard normal noise that chooses a value of unique_${wanted} from its prior`,
        },
      },
      outputs: {
        [`view_${wanted}`]: {
          description: `view ${wanted} as [batch, ${size}, ${size}, ${channels}], the probability of a full pixel; times 255 is uint8`,
          unit: "intensity 0..1",
        },
      },
      run(networks, inputs) {
        const seen = featureOf(networks, inputs[`view_${given}`]!);
        const code = space.prior(inputs[`noise_unique_${wanted}`] as tf.Tensor2D);
        return { [`view_${wanted}`]: pictureOf(networks, decodeFeature(networks, wanted, seen, code)) };
      },
    },
  };
}
