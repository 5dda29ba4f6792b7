import * as tf from "@tensorflow/tfjs-core";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import type { InputSpec, Networks, OutputSpec, TaskSpec, Tensors } from "./family.ts";
import type { LatentSpace } from "./latent-space.ts";
import { pictureOutput } from "./picture-output.ts";
import {
  decodeFeature,
  featureOf,
  jointPosterior,
  marginalCommon,
  marginalUnique,
  pictureOf,
  spacesOf,
  type View,
} from "./w-vae-networks.ts";

type BlockName = "common" | "unique_1" | "unique_2";

/**
 * What a trained W-VAE does for its users: joint and conditional generation, style transfer (paper, section 2.3), codes
 * and rates. The wrapper is inside every task: images in, images out.
 *
 * Codes are hard: a categorical variable is one-hot, and a code that is given is read as the largest entry of each
 * variable. Posterior means are probabilities, so a mean given as a code is its most probable value.
 */
export function wVaeTasks(config: WVaeConfig): Record<string, TaskSpec> {
  const { size, channels } = config.image;
  const { common, unique } = spacesOf(config);
  const spaceOf = (block: BlockName) => (block === "common" ? common : unique!);
  const blocks: readonly BlockName[] = unique === undefined ? ["common"] : ["unique_1", "common", "unique_2"];
  const own = (view: View): readonly BlockName[] => (unique === undefined ? [] : [`unique_${view}`]);

  const image = (view: View): InputSpec => ({
    shape: ["batch", size, size, channels],
    dtype: "uint8",
    description: `view ${view}, intensity 0..255`,
  });
  const views = { view_1: image(1), view_2: image(2) };
  const code = (block: BlockName): InputSpec => ({
    shape: ["batch", spaceOf(block).codeSize],
    dtype: "float32",
    description:
      config.latents.kind === "categorical"
        ? `code of ${block}: of the values of each variable the largest entry is taken`
        : `code of ${block}`,
  });
  const noise = (block: BlockName, from: string): InputSpec => ({
    shape: ["batch", spaceOf(block).codeSize],
    dtype: "float32",
    description: `standard normal noise that chooses a value of ${block} from ${from}`,
  });
  const prior = (block: BlockName): Record<string, InputSpec> => ({
    [`noise_${block}`]: noise(block, "its prior"),
  });
  const picture = (view: View): OutputSpec => pictureOutput(`view ${view}`, config.image);
  const moments = (name: string, block: BlockName, q: string): Record<string, OutputSpec> => {
    const names = spaceOf(block).dimensions(block);
    if (config.latents.kind === "categorical") {
      return { [`${name}_mean`]: { description: `${q}: the probability of every value`, unit: "1", names } };
    }
    return {
      [`${name}_mean`]: { description: `mean of ${q}`, unit: "1", names },
      [`${name}_logvar`]: { description: `natural logarithm of the variance of ${q}`, unit: "1", names },
    };
  };

  const drawPrior = (block: BlockName, inputs: Tensors): tf.Tensor2D =>
    spaceOf(block).prior(inputs[`noise_${block}`] as tf.Tensor2D);
  const show = (networks: Networks, view: View, z: tf.Tensor2D, u?: tf.Tensor2D) =>
    pictureOf(networks, decodeFeature(networks, view, z, u));
  const said = (name: string, block: BlockName, parameters: tf.Tensor2D) =>
    named(name, spaceOf(block).moments(parameters));

  return {
    encode: {
      description: `Codes of a pair: common_mean, unique_1_mean and unique_2_mean are the joint encoder's, which sees both views; common_1 and common_2 are what each view tells alone`,
      inputs: views,
      outputs: {
        ...moments("common", "common", "q(common | view_1, view_2)"),
        ...Object.assign({}, ...blocks.filter(isOwn).map((one) => moments(one, one, `q(${one} | view_1, view_2)`))),
        ...moments("common_1", "common", "q(common | view_1)"),
        ...moments("common_2", "common", "q(common | view_2)"),
      },
      run(networks, { view_1, view_2 }) {
        const [x, y] = [featureOf(networks, view_1!), featureOf(networks, view_2!)];
        const q = jointPosterior(networks, config, x, y);
        return {
          ...said("common", "common", q.common),
          ...(q.unique_1 && said("unique_1", "unique_1", q.unique_1)),
          ...(q.unique_2 && said("unique_2", "unique_2", q.unique_2)),
          ...said("common_1", "common", marginalCommon(networks, 1, x)),
          ...said("common_2", "common", marginalCommon(networks, 2, y)),
        };
      },
    },

    ...bothViews((view) => ({
      [`encode_${view}`]: {
        description: `Codes that view ${view} gives alone, by its marginal encoders; what is its own is read with the most probable common code`,
        inputs: { [`view_${view}`]: image(view) },
        outputs: {
          ...moments("common", "common", `q(common | view_${view})`),
          ...Object.assign({}, ...own(view).map((one) => moments(one, one, `q(${one} | view_${view}, common)`))),
        },
        run(networks, inputs) {
          const { qz, qu } = encodeAlone(networks, view, inputs);
          return { ...said("common", "common", qz), ...(qu && said(`unique_${view}`, `unique_${view}`, qu)) };
        },
      },
    })),

    decode: {
      description: "The pair of images of a code",
      inputs: Object.fromEntries(blocks.map((block) => [block, code(block)])),
      outputs: { view_1: picture(1), view_2: picture(2) },
      run(networks, inputs) {
        const read = (block: BlockName) => spaceOf(block).read(inputs[block] as tf.Tensor2D);
        const local = (view: View) => (unique === undefined ? undefined : read(`unique_${view}`));
        return {
          view_1: show(networks, 1, read("common"), local(1)),
          view_2: show(networks, 2, read("common"), local(2)),
        };
      },
    },

    ...bothViews((given) => {
      const wanted = other(given);
      return {
        [`conditional_${given}to${wanted}`]: {
          description: `A view ${wanted} that goes with view ${given}: common is drawn from q(common | view_${given})${unique ? `, unique_${wanted} from its prior` : ""}, each by its own noise`,
          inputs: {
            [`view_${given}`]: image(given),
            noise_common: noise("common", `q(common | view_${given}); all 0 is its most probable value`),
            ...Object.assign({}, ...own(wanted).map(prior)),
          },
          outputs: { [`view_${wanted}`]: picture(wanted) },
          run(networks, inputs) {
            const feature = featureOf(networks, inputs[`view_${given}`]!);
            const z = common.draw(marginalCommon(networks, given, feature), inputs.noise_common as tf.Tensor2D);
            const u = unique && drawPrior(`unique_${wanted}`, inputs);
            return { [`view_${wanted}`]: show(networks, wanted, z, u) };
          },
        },
      };
    }),

    ...(unique === undefined
      ? {}
      : bothViews((style) => {
          const content = other(style);
          return {
            [`style_transfer_${style}`]: {
              description: `View ${style} with the content of view_${content} in the style of view_${style}: common is the most probable code of view_${content} alone, unique_${style} that of view_${style} alone; the two images need not be a pair`,
              inputs: views,
              // Not "view_...": ONNX has one name space for inputs and outputs.
              outputs: { [`styled_view_${style}`]: picture(style) },
              run(networks, inputs) {
                const { qu } = encodeAlone(networks, style, inputs);
                const feature = featureOf(networks, inputs[`view_${content}`]!);
                const z = mostProbable(common, marginalCommon(networks, content, feature));
                return { [`styled_view_${style}`]: show(networks, style, z, mostProbable(unique, qu!)) };
              },
            },
          };
        })),

    joint: {
      description: "A new pair: every block drawn from its prior by the noise given",
      inputs: Object.assign({}, ...blocks.map(prior)),
      outputs: { view_1: picture(1), view_2: picture(2) },
      run(networks, inputs) {
        const z = drawPrior("common", inputs);
        const local = (view: View) => unique && drawPrior(`unique_${view}`, inputs);
        return { view_1: show(networks, 1, z, local(1)), view_2: show(networks, 2, z, local(2)) };
      },
    },

    common_information: {
      description:
        "Rate of the common code of one pair, KL( q(common | ...) || p(common) ): by both views together, and by either alone. Averaged over pairs the first is at least I(view_1, view_2; common), the quantity whose minimum is Wyner's common information; the disagreements say how far the views alone differ",
      inputs: views,
      outputs: {
        rate_common: perVariable("rate of each common variable by both views"),
        rate_common_1: perVariable("rate of each common variable by view 1 alone"),
        rate_common_2: perVariable("rate of each common variable by view 2 alone"),
        total_common: perPair("sum of rate_common over variables"),
        total_common_1: perPair("sum of rate_common_1 over variables"),
        total_common_2: perPair("sum of rate_common_2 over variables"),
        disagreement_1to2: perPair("KL( q(common | view_1) || q(common | view_2) )"),
        disagreement_symmetric: perPair("mean of the KL in both directions"),
      },
      run(networks, { view_1, view_2 }) {
        const [x, y] = [featureOf(networks, view_1!), featureOf(networks, view_2!)];
        const both = common.rate(jointPosterior(networks, config, x, y).common);
        const [q1, q2] = [marginalCommon(networks, 1, x), marginalCommon(networks, 2, y)];
        const [first, second] = [common.rate(q1), common.rate(q2)];
        const forth = tf.sum(common.divergence(q1, q2), 1);
        const back = tf.sum(common.divergence(q2, q1), 1);
        return {
          rate_common: both,
          rate_common_1: first,
          rate_common_2: second,
          total_common: tf.sum(both, 1),
          total_common_1: tf.sum(first, 1),
          total_common_2: tf.sum(second, 1),
          disagreement_1to2: forth,
          disagreement_symmetric: tf.mul(tf.add(forth, back), 0.5),
        };
      },
    },
  };

  function encodeAlone(networks: Networks, view: View, inputs: Tensors) {
    const feature = featureOf(networks, inputs[`view_${view}`]!);
    const qz = marginalCommon(networks, view, feature);
    const z = mostProbable(common, qz);
    return { qz, qu: unique && marginalUnique(networks, config, { view, feature, common: z }) };
  }

  function perVariable(description: string): OutputSpec {
    const names = Array.from({ length: common.variables }, (_, i) => `common_${i}`);
    return { description, unit: "nats", names };
  }
}

function mostProbable(space: LatentSpace, parameters: tf.Tensor2D): tf.Tensor2D {
  return space.read(space.moments(parameters).mean);
}

const other = (view: View): View => (view === 1 ? 2 : 1);
const isOwn = (block: BlockName): boolean => block !== "common";
const perPair = (description: string): OutputSpec => ({ description, unit: "nats" });

function bothViews(make: (view: View) => Record<string, TaskSpec>): Record<string, TaskSpec> {
  return { ...make(1), ...make(2) };
}

function named(name: string, moments: Readonly<Record<string, tf.Tensor2D>>): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(moments).map(([ending, value]) => [`${name}_${ending}`, value]));
}
