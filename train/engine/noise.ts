import { noiseValues } from "../../information/noise.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { NoiseSpec } from "../models/family.ts";
import { stream } from "../random.ts";

/** The noise tensor `name` of training step `step` (from 1): float32, a pure function of its address. */
export function drawNoise(spec: NoiseSpec, { seed, name, step }: NoiseAddress): HostTensor {
  return { dtype: "float32", shape: spec.shape, data: noiseValues(spec, stream(seed, "noise", name, step)) };
}

export interface NoiseAddress {
  readonly seed: number;
  readonly name: string;
  readonly step: number;
}
