import { createRequire } from "node:module";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import type { GaussianPrior } from "../../information/gaussian-rate.ts";
import { createSession } from "../../runtime/create-session.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { type Results, resultsSchema } from "../../schemas/results.ts";
import { validate } from "../../schemas/validate.ts";
import { loadSource } from "../data/open-source.ts";
import { diskFailure, realDisk, replaceFile } from "../engine/disk.ts";
import { toTensor } from "../engine/eager-engine.ts";
import type { State } from "../engine/engine.ts";
import { loadRun } from "../engine/load-run.ts";
import { requireFit } from "../engine/require-fit.ts";
import { useBackend } from "../engine/tfjs-backend.ts";
import type { Networks } from "../models/family.ts";
import { familyByName } from "../models/registry.ts";
import { compare } from "./compare.ts";
import { encodePairs } from "./encode-pairs.ts";
import { measure, trainShare } from "./measure.ts";
import { measureDisentanglement } from "./measure-disentanglement.ts";

export interface EvaluateOptions {
  /** Fresh pairs; default: the recipe's. */
  readonly pairs?: number;
  /** Folder with the files of the dataset, for sources that read some. */
  readonly dataDir?: string;
  /** Before each part of the work, in words. */
  readonly onProgress?: (doing: string) => void;
  readonly warn?: (message: string) => void;
}

const { version } = createRequire(import.meta.url)("cominfo/package.json") as { version: string };

/**
 * Measures the newest checkpoint of a run on fresh pairs of its own source, writes `results.json` into the run folder
 * and returns it. Deterministic: the same checkpoint and number of pairs give the same figures.
 *
 * The pairs come from the generator that training drew from, as in the paper; they are other draws, not held-out images.
 *
 * @throws UsageError if the folder holds no run, the data is not there, or the recipe expects a quantity that is not
 *   measured
 * @throws FailureError if no checkpoint is whole, it is of another model, or results.json cannot be written
 */
export async function evaluateRun(runDir: string, options: EvaluateOptions = {}): Promise<Results> {
  const { onProgress = () => {}, warn, dataDir } = options;
  const { recipe, values, step } = await loadRun(runDir, warn);
  const source = await loadSource(recipe.data, { dataDir });
  const { seed } = recipe.training;
  const pairs = options.pairs ?? recipe.evaluation.pairs;

  onProgress("compiling the encoder");
  const session = await createSession(await compileEncoder(recipe, values));
  onProgress(`encoding ${pairs} pairs`);
  const encoded = await encodePairs((views) => session.run(views), source, { pairs, seed }).finally(() =>
    session.release(),
  );
  const { name, summary, commonInformationBits, factors, provenance } = source.description;
  const usable = measure(encoded, {
    seed,
    factors,
    classifier: recipe.evaluation.classifier,
    priors: learnedPriors(values),
    onFigure: (quantity) => onProgress(`measured ${quantity}`),
  });
  onProgress("measuring disentanglement");
  const figures = [
    ...usable,
    ...measureDisentanglement(encoded, { seed, factors, train: Math.floor(pairs * trainShare) }),
  ];
  const results = validate(
    resultsSchema,
    {
      format: 1,
      experiment: recipe.name,
      family: recipe.family,
      seed,
      step,
      steps: recipe.training.steps,
      pairs,
      data: {
        name,
        summary,
        ...(commonInformationBits === undefined ? {} : { commonInformationBits }),
        factors: [...factors],
        provenance,
      },
      figures: compare(figures, recipe.expected),
      created: new Date().toISOString(),
      producer: `cominfo ${version}`,
    },
    "write results.json",
  );
  await writeResults(runDir, results);
  return results;
}

/** The task `encode` with the trained values frozen in, as ONNX. */
async function compileEncoder(recipe: Recipe, values: State): Promise<Uint8Array> {
  const family = familyByName(recipe.family);
  await useBackend("cpu");
  const networks = family.networks(recipe.model, recipe.training.seed);
  try {
    setNetworks(networks, values);
    const task = family.tasks(recipe.model).encode;
    if (task === undefined) throw new Error(`Cannot evaluate: family "${recipe.family}" must have a task "encode"`);
    const run = (inputs: Record<string, tf.Tensor>) => task.run(networks, inputs);
    return writeOnnx(trace(run, { name: "encode", inputs: task.inputs, variables: "frozen" }));
  } finally {
    for (const variable of Object.values(networks)) variable.dispose();
  }
}

function setNetworks(networks: Networks, values: State): void {
  for (const [name, variable] of Object.entries(networks)) {
    const value = values.get(name);
    if (value === undefined) throw new FailureError(`Cannot evaluate: "${name}" must be in the checkpoint, got none`);
    requireFit(name, value, { dtype: "float32", shape: variable.shape });
    tf.tidy(() => variable.assign(toTensor(value)));
  }
}

/** By convention a family that learns the prior of a block names its variables `prior.<block>.mean` and `.logvar`. */
function learnedPriors(values: State): Record<string, GaussianPrior> {
  const priors: Record<string, GaussianPrior> = {};
  for (const block of ["common", "unique_1", "unique_2"]) {
    const mean = values.get(`prior.${block}.mean`);
    const logvar = values.get(`prior.${block}.logvar`);
    if (mean === undefined || logvar === undefined) continue;
    priors[block] = { mean: mean.data as Float32Array, logvar: logvar.data as Float32Array };
  }
  return priors;
}

async function writeResults(runDir: string, results: Results): Promise<void> {
  const file = path.join(runDir, "results.json");
  const bytes = new TextEncoder().encode(`${JSON.stringify(results, null, 2)}\n`);
  try {
    await replaceFile(realDisk, file, bytes);
  } catch (error) {
    throw diskFailure("write results.json", runDir, error);
  }
}
