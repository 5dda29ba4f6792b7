import * as tf from "@tensorflow/tfjs-core";
import type { DisentangleConfig } from "../../schemas/disentangle-config.ts";
import { bernoulliCrossEntropy } from "../networks/bernoulli.ts";
import { klToStandardNormal, sample } from "../networks/gaussian.ts";
import { correlated, decodeCode, encodeImage, intensity, posteriorNoise } from "./disentangle-networks.ts";
import type { InputSpec, LatentBlock, TaskSpec } from "./family.ts";
import { pictureOutput } from "./picture-output.ts";

/** What a trained single-view auto-encoder answers. Deterministic: codes are posterior means, or drawn by given noise. */

export function disentangleLatents({ latents }: DisentangleConfig): readonly LatentBlock[] {
  return [{ name: "latent", dimensions: Array.from({ length: latents }, (_, j) => `latent_${j}`) }];
}

export function disentangleTasks(config: DisentangleConfig): Readonly<Record<string, TaskSpec>> {
  const names = disentangleLatents(config)[0]!.dimensions;
  const image = imageInput(config);
  const picture = pictureOutput("image", config.image);
  const noise = Object.fromEntries(
    Object.entries(posteriorNoise(config, 1)).map(([name, { shape }]): [string, InputSpec] => [
      name,
      {
        shape: ["batch", shape[1]!],
        dtype: "float32",
        description: "standard normal noise that draws the code from its posterior; all 0 is the posterior's mean",
      },
    ]),
  );

  return {
    encode: {
      description: "Code of an image: mean and variance of q(latent | image)",
      inputs: { image },
      outputs: {
        latent_mean: { description: "mean of q(latent | image)", unit: "1", names },
        latent_logvar: { description: "natural logarithm of the variance of q(latent | image)", unit: "1", names },
      },
      run(networks, inputs) {
        const { mean, logvar } = encodeImage(networks, config, inputs.image!);
        return { latent_mean: mean, latent_logvar: logvar };
      },
    },

    decode: {
      description:
        "The image of a code. Move one latent from -2 to 2 to see what it stands for; a code of standard normal noise is a new image",
      inputs: {
        latent: {
          shape: ["batch", config.latents],
          dtype: "float32",
          description: "code, for instance latent_mean of the task encode",
        },
      },
      outputs: { image: picture },
      run: (networks, inputs) => ({ image: tf.sigmoid(decodeCode(networks, inputs.latent!)) }),
    },

    reconstruct: {
      description: "An image through encoder and decoder, by the posterior mean",
      inputs: { image },
      // Not "image": ONNX has one name space for inputs and outputs.
      outputs: { reconstruction: picture },
      run(networks, inputs) {
        const { mean } = encodeImage(networks, config, inputs.image!);
        return { reconstruction: tf.sigmoid(decodeCode(networks, mean)) };
      },
    },

    rate_distortion: {
      description:
        "The two parts of the evidence bound of one image, for a code drawn from its posterior by the noise given. distortion + total_rate is at least -ln p(image) on average over noise",
      inputs: { image, ...noise },
      outputs: {
        distortion: { description: "-ln p(image | code), summed over pixels and channels", unit: "nats" },
        rate: { description: "KL( q(latent | image) || N(0, I) ) of each latent", unit: "nats", names },
        total_rate: { description: "sum of rate over latents", unit: "nats" },
      },
      run(networks, inputs) {
        const q = encodeImage(networks, config, inputs.image!);
        const code = sample(q, correlated(config, inputs));
        const rate = klToStandardNormal(q);
        return {
          distortion: bernoulliCrossEntropy(decodeCode(networks, code), intensity(inputs.image!)),
          rate,
          total_rate: tf.sum(rate, 1),
        };
      },
    },
  };
}

export function imageInput({ image: { size, channels } }: DisentangleConfig): InputSpec {
  return {
    shape: ["batch", size, size, channels],
    dtype: "uint8",
    description: "intensity 0..255, rows of pixels of channels",
  };
}
