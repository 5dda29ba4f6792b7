import type { HostTensor } from "../../schemas/tensor.ts";
import type { PairSource } from "../data/pair-source.ts";
import type { NoiseSpec } from "../models/family.ts";
import { stream } from "../random.ts";
import type { Feeds } from "./engine.ts";
import { drawNoise } from "./noise.ts";

export interface BatchOptions {
  readonly source: PairSource;
  /** Names of the batch inputs that the step takes from a minibatch. */
  readonly inputs: readonly string[];
  readonly noise: Readonly<Record<string, NoiseSpec>>;
  readonly seed: number;
  readonly batchSize: number;
}

/**
 * Batch and noise of training step `step` (counted from 1 over the whole run) as feeds of the step. A pure function of
 * (seed, step): resuming needs no cursor, and drawing ahead cannot change a run.
 */
export function createBatches({ source, inputs, noise, seed, batchSize }: BatchOptions): (step: number) => Feeds {
  return (step) => {
    const { tensors } = source.draw(batchSize, stream(seed, "data", step));
    const feeds: Record<string, HostTensor> = {};
    for (const name of inputs) {
      const tensor = tensors[name];
      if (tensor === undefined) {
        throw new Error(
          `Cannot train on ${source.description.name}: it must give "${name}", got ${Object.keys(tensors).join(", ")}`,
        );
      }
      feeds[`batch/${name}`] = tensor;
    }
    for (const [name, spec] of Object.entries(noise)) feeds[`noise/${name}`] = drawNoise(spec, { seed, name, step });
    return feeds;
  };
}
