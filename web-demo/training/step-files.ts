import { readSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { TrainingStep } from "../../schemas/training-step.ts";
import { download, gunzip, type Progress } from "../download.ts";
import { readJson } from "../model/catalogue.ts";
import { type Sample, sampleOf } from "../model/sample.ts";

/** A training step as `cominfo export-step` writes it. */
export interface StepFiles {
  readonly about: TrainingStep;
  readonly step: Uint8Array;
  /** Initial values by name. */
  readonly state: ReadonlyMap<string, HostTensor>;
  /** Scalar inputs, one value a step. */
  readonly schedules: Readonly<Record<string, Float32Array>>;
  readonly sample: Sample;
  task(name: string): Promise<Uint8Array>;
}

/** @param folder relative to the page, for instance `training/quickstart` */
export async function loadStep(folder: string, onProgress: (p: Progress, what: string) => void): Promise<StepFiles> {
  const about = await readJson<TrainingStep>(`${folder}/training.json`);
  if (about.format !== 1) {
    throw new Error(`Cannot read ${folder}: its training.json must be of format 1, got ${String(about.format)}`);
  }
  const fetched = (file: string): Promise<ArrayBuffer> =>
    download(`${folder}/${file}`, (progress) => onProgress(progress, `the training step of ${about.name}`));
  const [step, start, samples] = await Promise.all(
    [about.step.file, about.start.file, about.samples.file].map(fetched),
  );
  const started = readSafetensors(await gunzip(start!), about.start.file);
  const sample = sampleOf(readSafetensors(await gunzip(samples!), about.samples.file), false);
  if (sample === undefined) throw new Error(`Cannot train in the page: ${folder} must hold pairs of two views`);
  const under = (prefix: string): [string, HostTensor][] =>
    [...started].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]);
  return {
    about,
    step: new Uint8Array(step!),
    state: new Map(under("state/")),
    schedules: Object.fromEntries(under("schedule/").map(([name, { data }]) => [name, data as Float32Array])),
    sample,
    async task(name) {
      return new Uint8Array(await fetched(about.tasks[name]!.file));
    },
  };
}
