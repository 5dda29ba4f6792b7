import { readFile } from "node:fs/promises";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import "../export/tfjs-setup.ts";
import { type BundleProgress, type BundleTask, writeBundle } from "../export/bundle.ts";
import { FailureError, UsageError } from "../schemas/errors.ts";
import type { Manifest } from "../schemas/manifest.ts";
import type { Recipe } from "../schemas/recipe.ts";
import { type Results, resultsSchema } from "../schemas/results.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { validate } from "../schemas/validate.ts";
import { describedData } from "./data/described-data.ts";
import { loadSource, sourceNeedsFiles } from "./data/open-source.ts";
import { type LoadedRun, loadRun } from "./engine/load-run.ts";
import type { ModelFamily, Networks, TaskSpec } from "./models/family.ts";
import { familyByName } from "./models/registry.ts";
import { countParameters } from "./networks/parameters.ts";
import { producer } from "./producer.ts";
import { samplePairs, samplesFile } from "./sample-pairs.ts";

export interface ExportRunOptions {
  /** Folder of the run. */
  readonly run: string;
  /** Folder of the bundle; default: `models/<name>`. */
  readonly out?: string;
  /** Name of the bundle, which is that of its folder; default: that of `out`, or of the recipe. */
  readonly name?: string;
  /** Default: every task of the family. */
  readonly tasks?: readonly string[];
  /** How many earlier versions of each task stay in the bundle; default 0. */
  readonly keepVersions?: number;
  /** Largest difference from tfjs and the WASM runtime, as a share of an output's scale; default 1e-5. */
  readonly tolerance?: number;
  /** Files of the data set, to describe it where the run was not evaluated. */
  readonly dataDir?: string;
  /** Pairs of the data that come along for people to play with; default 512, 0 for none. */
  readonly samples?: number;
  /** Default: the family that the recipe names. */
  readonly family?: ModelFamily<unknown>;
  readonly onProgress?: (progress: BundleProgress) => void;
  readonly warn?: (message: string) => void;
}

export interface ExportedRun {
  readonly dir: string;
  readonly manifest: Manifest;
}

/**
 * Writes the bundle of a run: the newest checkpoint's values, the family's tasks, the figures of its `results.json` if
 * they were measured on that checkpoint.
 *
 * @throws UsageError if the folder holds no run, a task or name cannot be used, or `out` holds something else
 * @throws FailureError if a file breaks a rule, differs from its function, or cannot be written
 */
export async function exportRun(options: ExportRunOptions): Promise<ExportedRun> {
  const { warn = console.warn } = options;
  const run = await loadRun(options.run, warn);
  const { recipe, step } = run;
  const { name, dir } = placeOf(options, recipe);
  const family = options.family ?? familyByName(recipe.family);
  const chosen = choose(family.tasks(recipe.model), options.tasks);
  const results = await readResults(options.run, { step, warn });
  await tf.setBackend("cpu");
  const networks = family.networks(recipe.model, recipe.training.seed);
  try {
    setNetworks(networks, run);
    const pairs = await drawSamples(options, recipe);
    const about: Parameters<typeof writeBundle>[0]["about"] = {
      name,
      title: recipe.title,
      family: family.name,
      recipe: recipe.name,
      seed: recipe.training.seed,
      steps: step,
      parameters: countParameters(networks),
      created: new Date().toISOString(),
      producer,
      data: results?.data ?? (await describeData(recipe, options.dataDir)),
      latents: family.latents(recipe.model).map((block) => ({ name: block.name, dimensions: [...block.dimensions] })),
      evaluation: results?.figures ?? [],
      ...(pairs === undefined ? {} : { samples: { file: samplesFile, pairs: pairs.count } }),
    };
    const tasks = Object.entries(chosen).map(([task, spec]) => bundleTask(task, spec, networks));
    const progress = options.onProgress === undefined ? {} : { onProgress: options.onProgress };
    return {
      dir,
      manifest: await writeBundle({
        dir,
        about,
        tasks,
        ...(options.keepVersions === undefined ? {} : { keepVersions: options.keepVersions }),
        tolerance: options.tolerance,
        extras: new Map(pairs && [[samplesFile, pairs.bytes]]),
        ...progress,
      }),
    };
  } finally {
    for (const variable of Object.values(networks)) variable.dispose();
  }
}

function placeOf({ out, name }: ExportRunOptions, recipe: Recipe): { name: string; dir: string } {
  const folder = out === undefined ? undefined : path.basename(path.resolve(out));
  const chosen = name ?? folder ?? recipe.name;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(chosen)) {
    throw new UsageError(
      `Cannot export to "${out ?? chosen}": the name of a bundle must be small letters, digits and -, got "${chosen}"`,
      { code: "bad_name" },
    );
  }
  if (folder !== undefined && folder !== chosen) {
    throw new UsageError(
      `Cannot export to "${out}": the folder must bear the name of the bundle, "${chosen}", got "${folder}"; leave out --name or --out`,
      { code: "bad_name" },
    );
  }
  return { name: chosen, dir: out ?? path.join("models", chosen) };
}

function choose(
  all: Readonly<Record<string, TaskSpec>>,
  wanted: readonly string[] | undefined,
): Readonly<Record<string, TaskSpec>> {
  if (wanted === undefined || wanted.length === 0) return all;
  const known = Object.keys(all);
  const unknown = wanted.find((task) => !known.includes(task));
  if (unknown !== undefined) {
    throw new UsageError(
      `Cannot export task "${unknown}": it must be one of ${known.join(", ")}${didYouMean(unknown, known)}`,
      { code: "unknown_task" },
    );
  }
  return Object.fromEntries(Object.entries(all).filter(([task]) => wanted.includes(task)));
}

function setNetworks(networks: Networks, { values, step }: LoadedRun): void {
  for (const [name, variable] of Object.entries(networks)) {
    const value = values.get(name);
    const wanted = `float32 [${variable.shape.join(", ")}]`;
    const actual = value === undefined ? "nothing" : `${value.dtype} [${value.shape.join(", ")}]`;
    if (value === undefined || actual !== wanted) {
      throw new FailureError(`Cannot export step ${step}: variable "${name}" must be ${wanted}, got ${actual}`, {
        code: "bad_checkpoint",
      });
    }
    tf.tidy(() => variable.assign(tf.tensor(value.data as Float32Array, [...value.shape], "float32")));
  }
}

function bundleTask(name: string, task: TaskSpec, networks: Networks): BundleTask {
  const { description, inputs, outputs } = task;
  return { name, description, inputs, outputs, fn: (tensors) => task.run(networks, tensors) };
}

/** @returns undefined where the run was not evaluated, or at another step than the one that is exported */
async function readResults(
  run: string,
  { step, warn }: { step: number; warn: (message: string) => void },
): Promise<Results | undefined> {
  const file = path.join(run, "results.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FailureError(`Cannot read "${file}": it must be JSON, got something else; evaluate the run again`, {
      cause,
    });
  }
  const results = validate(resultsSchema, json, `read "${file}"`);
  if (results.step === step) return results;
  warn(
    `The figures in "${file}" are of step ${results.step} and the newest checkpoint is of step ${step}: they are left out; evaluate the run again`,
  );
  return undefined;
}

/** @returns undefined where none are wanted, or the files they come from were not given */
async function drawSamples(
  { samples = 512, dataDir, warn = console.warn }: ExportRunOptions,
  { data, training }: Recipe,
): Promise<{ bytes: Uint8Array; count: number } | undefined> {
  if (samples === 0) return undefined;
  if (sourceNeedsFiles(data.source) && dataDir === undefined) {
    warn("No sample of pairs goes into the bundle, so the browser demo has none to show: give the files with --data");
    return undefined;
  }
  const source = await loadSource(data, { dataDir });
  return { bytes: samplePairs(source, { pairs: samples, seed: training.seed }), count: samples };
}

async function describeData({ data }: Recipe, dataDir: string | undefined): Promise<Manifest["data"]> {
  if (sourceNeedsFiles(data.source) && dataDir === undefined) {
    return {
      name: data.source,
      summary: "not described: the run was not evaluated, and its files were not given to the export",
      factors: [],
      provenance: { options: JSON.stringify(data) },
    };
  }
  return describedData((await loadSource(data, { dataDir })).description);
}
