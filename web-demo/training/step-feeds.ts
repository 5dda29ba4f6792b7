import { noiseValues } from "../../information/noise.ts";
import { stream } from "../../information/random.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { TrainingStep } from "../../schemas/training-step.ts";
import type { Sample } from "../model/sample.ts";

/**
 * What step `step` (from 1) reads beside its state: pairs, noise, schedules. A pure function of (seed, step), with the
 * noise that `cominfo train` draws for the same seed; the pairs are drawn from the sample, with replacement.
 */
export function stepFeeds(
  { about, schedules, sample }: StepSource,
  { seed, step }: { readonly seed: number; readonly step: number },
): Record<string, HostTensor> {
  const random = stream(seed, "pairs of the page", step);
  const pairs = Array.from({ length: about.batchSize }, () => random.integer(sample.pairs));
  const feeds: Record<string, HostTensor> = {};
  for (const name of about.step.batch) feeds[`batch/${name}`] = sample.images(name === "view_2" ? 2 : 1, pairs);
  for (const [name, spec] of Object.entries(about.step.noise)) {
    const data = noiseValues(spec, stream(seed, "noise", name, step));
    feeds[`noise/${name}`] = { dtype: "float32", shape: spec.shape, data };
  }
  for (const [name, values] of Object.entries(schedules)) {
    const value = values[Math.min(step, values.length) - 1]!;
    feeds[name] = { dtype: "float32", shape: [], data: Float32Array.of(value) };
  }
  const declared = new Set(about.step.inputs);
  return Object.fromEntries(Object.entries(feeds).filter(([name]) => declared.has(name)));
}

export interface StepSource {
  readonly about: TrainingStep;
  readonly schedules: Readonly<Record<string, Float32Array>>;
  readonly sample: Sample;
}
