import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import { type Results, resultsSchema } from "../../schemas/results.ts";
import { validate } from "../../schemas/validate.ts";
import { describedData } from "../data/described-data.ts";
import { loadSource } from "../data/open-source.ts";
import { checkpointSteps, loadCheckpointOf } from "../engine/checkpoint.ts";
import { loadRun } from "../engine/load-run.ts";
import { producer } from "../producer.ts";
import { compare } from "./compare.ts";
import { openTasks } from "./compile-tasks.ts";
import type { Subject } from "./protocol.ts";
import { protocolOf } from "./protocols.ts";
import { nameOfBudget } from "./recipe-changes.ts";
import { reportName, writeReport } from "./report/write-report.ts";

export interface EvaluateOptions {
  /** Fresh pairs; default: the recipe's. */
  readonly pairs?: number;
  /** Folder with the files of the dataset, for sources that read some. */
  readonly dataDir?: string;
  /** Of ONNX Runtime; default: all cores. */
  readonly threads?: number;
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
 * @throws UsageError if the folder holds no run, the data is not there, or the recipe expects a quantity in another unit
 * @throws FailureError if no checkpoint is whole, it is of another model, or a file cannot be written
 */
export async function evaluateRun(runDir: string, options: EvaluateOptions = {}): Promise<Results> {
  const { recipe, values, step } = await loadRun(runDir, options.warn);
  const source = await loadSource(recipe.data, { dataDir: options.dataDir });
  const sessions = options.threads === undefined ? {} : { threads: options.threads };
  const tasks = await openTasks(recipe, values, sessions);
  try {
    const { pairs = recipe.evaluation.pairs, dataDir, onProgress = () => {}, warn = console.warn } = options;
    const { seed } = recipe.training;
    const subject: Subject = {
      recipe,
      values,
      source,
      tasks,
      sessions,
      checkpoints: (await checkpointSteps(runDir)).filter((other) => other <= step),
      valuesAt: async (other) => (await loadCheckpointOf(runDir, other)).values,
      pairs,
      seed,
      dataDir,
      onProgress,
      warn,
    };
    return await evaluateWith(subject, { ...options, runDir, step });
  } finally {
    await tasks.close();
  }
}

async function evaluateWith(subject: Subject, options: EvaluateOptions & { runDir: string; step: number }) {
  const { recipe, source, pairs, seed, onProgress } = subject;
  const { runDir, step } = options;
  const findings = await protocolOf(recipe.family)(subject);
  const { figures, notComputed: infinite = [], importance } = findings;
  const judged = recipe.expected.filter(({ quantity }) => !infinite.some((one) => one.quantity === quantity));
  const compared = compare(figures, judged, await nameOfBudget(recipe, { step }));
  const notComputed = [...infinite, ...compared.notComputed];
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
      figures: compared.figures,
      ...(notComputed.length === 0 ? {} : { notComputed }),
      ...(importance === undefined ? {} : { importance }),
      created: new Date().toISOString(),
      producer,
    },
    "write results.json",
  );
  await writeResults(runDir, results);
  if (options.report ?? true) {
    onProgress("drawing the report");
    await writeReport(runDir, { recipe, results, findings });
  } else await removeReport(runDir, subject.warn);
  return results;
}

/** One that is there shows figures of an earlier evaluation. */
async function removeReport(runDir: string, warn: (message: string) => void): Promise<void> {
  const file = path.join(runDir, reportName);
  if (!existsSync(file)) return;
  try {
    await unlink(file);
  } catch (error) {
    throw diskFailure(`remove ${reportName}`, runDir, error);
  }
  warn(`Removed ${file}: its figures were those of an earlier evaluation`);
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
