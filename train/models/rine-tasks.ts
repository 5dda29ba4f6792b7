import * as tf from "@tensorflow/tfjs-core";
import type { RineConfig, RineProblem } from "../../schemas/rine-config.ts";
import type { InputSpec, Networks, OutputSpec, TaskSpec, Tensors } from "./family.ts";
import {
  betaName,
  classify,
  jointName,
  networkName,
  readSource,
  redundantBeta,
  sourceInput,
  sourceNumbers,
  targetInput,
} from "./rine-networks.ts";
import { crossEntropyRows, predictionDistance } from "./rine-objective.ts";

/**
 * What trained RINE networks answer, by name and for one problem; with several problems the names end in `_<problem>`.
 *
 *   predict_1 ... predict_n     a source to its prediction of the target, under the largest weight
 *   redundant_information       sources and target to cross-entropies and disagreement, under the largest weight
 *   partial_information         the same of all networks: what the decomposition is made of
 */
export function rineTasks(config: RineConfig): Readonly<Record<string, TaskSpec>> {
  const isOne = config.problems.length === 1;
  const entries = config.problems.flatMap((problem) =>
    Object.entries(tasksOf(config, problem)).map(([name, task]) => [isOne ? name : taskName(name, problem), task]),
  );
  return Object.fromEntries(entries);
}

/** @returns the task's name where there are several problems */
export const taskName = (task: string, { name }: RineProblem): string => `${task}_${name.toLowerCase()}`;

function tasksOf(config: RineConfig, problem: RineProblem): Record<string, TaskSpec> {
  const numbers = sourceNumbers(config);
  const beta = redundantBeta(config);
  const classes = problem.classNames ?? Array.from({ length: problem.classes }, (_, k) => `class_${k}`);
  const sources = Object.fromEntries(
    numbers.map((source): [string, InputSpec] => [`x${source}`, sourceInput(config, source)]),
  );
  const withTarget = { ...sources, y: targetInput(problem) };
  const target = problem.name;
  const columns = columnNames(config);

  const logits = (networks: Networks, source: number, { x, weight }: { x: tf.Tensor; weight: number }): tf.Tensor2D => {
    const prefix = networkName(problem, weight, source);
    return classify(networks, config, { prefix, x: readSource(config, problem, source, x), mode: "inference" });
  };
  const all = (networks: Networks, inputs: Tensors, weight: number): tf.Tensor2D[] =>
    numbers.map((source) => logits(networks, source, { x: inputs[`x${source}`]!, weight }));

  const predict = numbers.map((source): [string, TaskSpec] => [
    `predict_${source}`,
    {
      description: `What source ${source} alone tells about the target ${target}, trained to agree with the other sources (beta ${beta})`,
      inputs: { [`x${source}`]: sources[`x${source}`]! },
      outputs: { probabilities: { description: "p(y | source), adds up to 1", unit: "1", names: classes } },
      run: (networks, inputs) => ({
        probabilities: tf.softmax(logits(networks, source, { x: inputs[`x${source}`]!, weight: beta })),
      }),
    },
  ]);

  return {
    ...Object.fromEntries(predict),
    redundant_information: {
      description: `Per example, under beta ${beta}: how badly each source predicts the target ${target}, and how far the predictions are apart. Averaged over examples, H(Y) minus the mean cross-entropy is the redundant information, as far as the disagreement is small`,
      inputs: withTarget,
      outputs: {
        ...Object.fromEntries(
          numbers.map((source): [string, OutputSpec] => [
            `cross_entropy_${source}`,
            { description: `-ln p(y | x${source}); NaN if y is no class`, unit: "nats", scale: 1 },
          ]),
        ),
        disagreement: disagreement(config),
      },
      run(networks, inputs) {
        const found = all(networks, inputs, beta);
        return {
          ...Object.fromEntries(found.map((one, i) => [`cross_entropy_${i + 1}`, crossEntropyRows(one, inputs.y!)])),
          disagreement: apart(config, found),
        };
      },
    },
    partial_information: {
      description: `Per example, for every weight of the distance${config.joint ? ", and for the network that sees all sources" : ""}: how badly the target ${target} is predicted. beta 0 is what each source tells alone`,
      inputs: withTarget,
      outputs: {
        cross_entropy: {
          description: "-ln p(y | ...) of each network; NaN if y is no class",
          unit: "nats",
          names: columns,
          scale: 1,
        },
        disagreement: { ...disagreement(config), names: config.betas.map(betaName) },
      },
      run(networks, inputs) {
        const byWeight = config.betas.map((weight) => all(networks, inputs, weight));
        const rows = byWeight.flat().map((one) => crossEntropyRows(one, inputs.y!));
        if (config.joint) {
          const read = numbers.map((source) => readSource(config, problem, source, inputs[`x${source}`]!));
          const joint = { prefix: jointName(problem), x: tf.concat(read, -1), mode: "inference" as const };
          rows.push(crossEntropyRows(classify(networks, config, joint), inputs.y!));
        }
        return {
          cross_entropy: tf.stack(rows, 1),
          disagreement: tf.stack(
            byWeight.map((found) => apart(config, found)),
            1,
          ),
        };
      },
    },
  };
}

/** Names of the columns of `cross_entropy` in `partial_information`: `beta0.x1`, ..., and `joint` last. */
export function columnNames(config: RineConfig): string[] {
  const ofSources = config.betas.flatMap((beta) =>
    sourceNumbers(config).map((source) => `${betaName(beta)}.x${source}`),
  );
  return [...ofSources, ...(config.joint ? ["joint"] : [])];
}

function apart({ sources }: RineConfig, logits: readonly tf.Tensor2D[]): tf.Tensor {
  const distance = predictionDistance(
    logits.map((one) => tf.softmax(one)),
    "all-pairs",
  );
  return tf.div(distance, (sources * (sources - 1)) / 2);
}

function disagreement({ sources }: RineConfig): OutputSpec {
  const what = sources === 2 ? "p(y | x1) and p(y | x2)" : "p(y | source), mean over pairs of sources";
  return { description: `L1 distance of ${what}: 0 where they agree, at most 2`, unit: "1", scale: 2 };
}
