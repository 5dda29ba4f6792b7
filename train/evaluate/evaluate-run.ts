import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import type { ImportanceMatrix } from "../../information/disentanglement/importance-matrix.ts";
import type { GaussianPrior } from "../../information/gaussian-rate.ts";
import { type Results, resultsSchema } from "../../schemas/results.ts";
import { validate } from "../../schemas/validate.ts";
import { describedData } from "../data/described-data.ts";
import { loadSource } from "../data/open-source.ts";
import type { PairSource } from "../data/pair-source.ts";
import type { State } from "../engine/engine.ts";
import { type LoadedRun, loadRun } from "../engine/load-run.ts";
import { producer } from "../producer.ts";
import { compare } from "./compare.ts";
import { type CompiledTasks, openTasks } from "./compile-tasks.ts";
import { encodePairs } from "./encode-pairs.ts";
import { measure, trainingPairs } from "./measure.ts";
import { measureDisentanglement } from "./measure-disentanglement.ts";
import { writeReport } from "./report/write-report.ts";

export interface EvaluateOptions {
  /** Fresh pairs; default: the recipe's. */
  readonly pairs?: number;
  /** Folder with the files of the dataset, for sources that read some. */
  readonly dataDir?: string;
  /** Whether to write report.html as well (default). */
  readonly report?: boolean;
  /** Before each part of the work, in words. */
  readonly onProgress?: (doing: string) => void;
  readonly warn?: (message: string) => void;
}

/**
 * Measures the newest checkpoint of a run on fresh pairs of its own source, writes `results.json` and `report.html`
 * into the run folder and returns the results. Deterministic: the same checkpoint and number of pairs give the same figures.
 *
 * The pairs come from the generator that training drew from, as in the paper; they are other draws, not held-out images.
 *
 * @throws UsageError if the folder holds no run, the data is not there, or the recipe expects a quantity that is not
 *   measured
 * @throws FailureError if no checkpoint is whole, it is of another model, or a file cannot be written
 */
export async function evaluateRun(runDir: string, options: EvaluateOptions = {}): Promise<Results> {
  const { recipe, values, step } = await loadRun(runDir, options.warn);
  const source = await loadSource(recipe.data, { dataDir: options.dataDir });
  const tasks = await openTasks(recipe, values);
  try {
    return await evaluateWith(tasks, { runDir, recipe, values, step, source, options });
  } finally {
    await tasks.close();
  }
}

interface Opened extends Omit<LoadedRun, "status"> {
  readonly runDir: string;
  readonly source: PairSource;
  readonly options: EvaluateOptions;
}

async function evaluateWith(
  tasks: CompiledTasks,
  { runDir, recipe, values, step, source, options }: Opened,
): Promise<Results> {
  const { onProgress = () => {} } = options;
  const { seed } = recipe.training;
  const pairs = options.pairs ?? recipe.evaluation.pairs;
  onProgress(`encoding ${pairs} pairs`);
  const encoded = await encodePairs((views) => tasks.run("encode", views), source, { pairs, seed });
  const { factors } = source.description;
  const priors = learnedPriors(values);
  const usable = measure(encoded, {
    seed,
    factors,
    classifier: recipe.evaluation.classifier,
    priors,
    onFigure: (quantity) => onProgress(`measured ${quantity}`),
  });
  onProgress("measuring disentanglement");
  const train = trainingPairs(pairs);
  const disentanglement = measureDisentanglement(encoded, { seed, factors, train });
  const figures = [...usable, ...(disentanglement?.figures ?? [])];
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
      data: describedData(source.description),
      figures: compare(figures, recipe.expected),
      ...(disentanglement === undefined ? {} : { importance: plainMatrix(disentanglement.importance) }),
      created: new Date().toISOString(),
      producer,
    },
    "write results.json",
  );
  await writeResults(runDir, results);
  if (options.report ?? true) {
    onProgress("drawing the report");
    await writeReport(runDir, { recipe, results, source, tasks, codes: encoded.codes, priors });
  }
  return results;
}

function plainMatrix({ latents, factors, values }: ImportanceMatrix): NonNullable<Results["importance"]> {
  return { latents: [...latents], factors: [...factors], values: Array.from(values) };
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
