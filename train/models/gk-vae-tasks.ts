import * as tf from "@tensorflow/tfjs-core";
import type { GkVaeConfig } from "../../schemas/gk-vae-config.ts";
import { type Gaussian, klBetween, klToStandardNormal, sample } from "../networks/gaussian.ts";
import type { InputSpec, LatentBlock, Networks, OutputSpec, TaskSpec, Tensors } from "./family.ts";
import { type BlockName, blockSize, type Code, decodeView, encodeView, priorOf, type View } from "./gk-vae-networks.ts";
import { pictureOutput } from "./picture-output.ts";

/**
 * What a trained GK-VAE answers. Every task is a deterministic function: codes are posterior means, as in the paper's
 * own metrics, and where something has to be drawn from a prior its noise is an input.
 */

export function gkVaeLatents(config: GkVaeConfig): readonly LatentBlock[] {
  const block = (name: BlockName): LatentBlock => ({
    name,
    dimensions: Array.from({ length: blockSize(config, name) }, (_, i) => `${name}_${i}`),
  });
  return [block("common"), block("unique_1"), block("unique_2")];
}

export function gkVaeTasks(config: GkVaeConfig): Readonly<Record<string, TaskSpec>> {
  const { size, channels } = config.image;
  const dimensions = Object.fromEntries(gkVaeLatents(config).map((block) => [block.name, block.dimensions]));

  const image = (view: View): InputSpec => ({
    shape: ["batch", size, size, channels],
    dtype: "uint8",
    description: `view ${view}, intensity 0..255, rows of pixels of channels`,
  });
  const views = { view_1: image(1), view_2: image(2) };
  const code = (block: BlockName): InputSpec => ({
    shape: ["batch", blockSize(config, block)],
    dtype: "float32",
    description: `code of the block ${block}, for instance ${block}_mean of the task encode`,
  });
  const noise = (block: BlockName): InputSpec => ({
    shape: ["batch", blockSize(config, block)],
    dtype: "float32",
    description: `standard normal noise that chooses a value of ${block} from its prior; all 0 is the prior's mean`,
  });
  const picture = (view: View): OutputSpec => pictureOutput(`view ${view}`, config.image);
  const moments = (name: string, block: BlockName, from: string): Record<string, OutputSpec> => ({
    [`${name}_mean`]: { description: `mean of q(${block} | ${from})`, unit: "1", names: dimensions[block]! },
    [`${name}_logvar`]: {
      description: `natural logarithm of the variance of q(${block} | ${from})`,
      unit: "1",
      names: dimensions[block]!,
    },
  });
  const perDimension = (description: string): OutputSpec => ({
    description,
    unit: "nats",
    names: dimensions.common!,
  });
  const perPair = (description: string): OutputSpec => ({ description, unit: "nats" });

  const encoded = (networks: Networks, view: View, inputs: Tensors) =>
    encodeView(networks, config, view, inputs[`view_${view}`]!);
  const draw = (networks: Networks, block: BlockName, inputs: Tensors): tf.Tensor => {
    const prior = priorOf(networks, block);
    return prior === undefined ? inputs[`noise_${block}`]! : sample(prior, inputs[`noise_${block}`]!);
  };
  const show = (networks: Networks, view: View, parts: Code) => tf.sigmoid(decodeView(networks, config, view, parts));

  return {
    encode: {
      description:
        "Codes of a pair. common_mean and common_logvar are those of encoder 1 (no average), as in the paper's metrics; common_1 and common_2 are what each encoder says",
      inputs: views,
      outputs: {
        ...moments("common", "common", "view_1"),
        ...moments("unique_1", "unique_1", "view_1"),
        ...moments("unique_2", "unique_2", "view_2"),
        ...moments("common_1", "common", "view_1"),
        ...moments("common_2", "common", "view_2"),
      },
      run(networks, inputs) {
        const first = encoded(networks, 1, inputs);
        const second = encoded(networks, 2, inputs);
        return {
          ...named("common", first.common),
          ...named("unique_1", first.unique),
          ...named("unique_2", second.unique),
          ...named("common_1", first.common),
          ...named("common_2", second.common),
        };
      },
    },

    ...bothViews((view) => ({
      [`encode_${view}`]: {
        description: `Codes that view ${view} gives alone, by encoder ${view}`,
        inputs: { [`view_${view}`]: image(view) },
        outputs: {
          ...moments("common", "common", `view_${view}`),
          ...moments(`unique_${view}`, `unique_${view}`, `view_${view}`),
        },
        run(networks, inputs) {
          const { common, unique } = encoded(networks, view, inputs);
          return { ...named("common", common), ...named(`unique_${view}`, unique) };
        },
      },
    })),

    decode: {
      description: "The pair of images of a code",
      inputs: { unique_1: code("unique_1"), common: code("common"), unique_2: code("unique_2") },
      outputs: { view_1: picture(1), view_2: picture(2) },
      run(networks, inputs) {
        const parts = { unique_1: inputs.unique_1!, common: inputs.common!, unique_2: inputs.unique_2! };
        return { view_1: show(networks, 1, parts), view_2: show(networks, 2, parts) };
      },
    },

    ...bothViews((given) => {
      const wanted = other(given);
      return {
        [`conditional_${given}to${wanted}`]: {
          description: `A view ${wanted} that goes with view ${given}: common and unique_${given} are posterior means of encoder ${given}, unique_${wanted} is drawn from its prior by noise_unique_${wanted}`,
          inputs: { [`view_${given}`]: image(given), [`noise_unique_${wanted}`]: noise(`unique_${wanted}`) },
          outputs: { [`view_${wanted}`]: picture(wanted) },
          run(networks, inputs) {
            const { common, unique } = encoded(networks, given, inputs);
            const drawn = draw(networks, `unique_${wanted}`, inputs);
            const parts = {
              unique_1: given === 1 ? unique.mean : drawn,
              common: common.mean,
              unique_2: given === 2 ? unique.mean : drawn,
            };
            return { [`view_${wanted}`]: show(networks, wanted, parts) };
          },
        },
      };
    }),

    ...bothViews((style) => {
      const content = other(style);
      return {
        [`style_transfer_${style}`]: {
          description: `View ${style} with the content of view_${content} in the style of view_${style}: common and unique_${content} are posterior means of encoder ${content}, unique_${style} that of encoder ${style}; the two images need not be a pair`,
          inputs: views,
          // Not "view_...": ONNX has one name space for inputs and outputs.
          outputs: { [`styled_view_${style}`]: picture(style) },
          run(networks, inputs) {
            const first = encoded(networks, 1, inputs);
            const second = encoded(networks, 2, inputs);
            const parts = {
              unique_1: first.unique.mean,
              common: (content === 1 ? first : second).common.mean,
              unique_2: second.unique.mean,
            };
            return { [`styled_view_${style}`]: show(networks, style, parts) };
          },
        },
      };
    }),

    joint: {
      description: "A new pair: every block drawn from its prior by the noise given",
      inputs: {
        noise_unique_1: noise("unique_1"),
        noise_common: noise("common"),
        noise_unique_2: noise("unique_2"),
      },
      outputs: { view_1: picture(1), view_2: picture(2) },
      run(networks, inputs) {
        const parts = {
          unique_1: draw(networks, "unique_1", inputs),
          common: draw(networks, "common", inputs),
          unique_2: draw(networks, "unique_2", inputs),
        };
        return { view_1: show(networks, 1, parts), view_2: show(networks, 2, parts) };
      },
    },

    common_information: {
      description:
        "Rate of the common code of one pair: KL( q(common | view) || p(common) ) for either encoder. Averaged over pairs a rate is at least the information that the code carries about its view. It is neither an upper nor a lower bound on the common information of the data (paper, section 3.1), and it speaks of common information only as far as the encoders agree: the disagreements say how far they do not",
      inputs: views,
      outputs: {
        rate_common_1: perDimension("rate of each common dimension by encoder 1"),
        rate_common_2: perDimension("rate of each common dimension by encoder 2"),
        total_common_1: perPair("sum of rate_common_1 over dimensions"),
        total_common_2: perPair("sum of rate_common_2 over dimensions"),
        disagreement_1to2: perPair("KL( q(common | view_1) || q(common | view_2) )"),
        disagreement_symmetric: perPair("mean of the KL in both directions"),
      },
      run(networks, inputs) {
        const first = encoded(networks, 1, inputs).common;
        const second = encoded(networks, 2, inputs).common;
        const prior = priorOf(networks, "common");
        const rate = (q: Gaussian) => (prior === undefined ? klToStandardNormal(q) : klBetween(q, prior));
        const forth = tf.sum(klBetween(first, second), 1);
        const back = tf.sum(klBetween(second, first), 1);
        return {
          rate_common_1: rate(first),
          rate_common_2: rate(second),
          total_common_1: tf.sum(rate(first), 1),
          total_common_2: tf.sum(rate(second), 1),
          disagreement_1to2: forth,
          disagreement_symmetric: tf.mul(tf.add(forth, back), 0.5),
        };
      },
    },
  };
}

const other = (view: View): View => (view === 1 ? 2 : 1);

function bothViews(make: (view: View) => Record<string, TaskSpec>): Record<string, TaskSpec> {
  return { ...make(1), ...make(2) };
}

function named(name: string, q: Gaussian): Record<string, tf.Tensor> {
  return { [`${name}_mean`]: q.mean, [`${name}_logvar`]: q.logvar };
}
