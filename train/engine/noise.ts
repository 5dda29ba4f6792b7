import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import type { NoiseSpec } from "../models/family.ts";
import { type Random, stream } from "../random.ts";

/** The noise tensor `name` of training step `step` (from 1): float32, a pure function of its address. */
export function drawNoise(spec: NoiseSpec, { seed, name, step }: NoiseAddress): HostTensor {
  const random = stream(seed, "noise", name, step);
  const data = new Float32Array(elementCount(spec.shape));
  if (spec.distribution === "permutation") {
    const n = spec.shape.at(-1)!;
    for (let first = 0; first < data.length; first += n) data.set(random.permutation(n), first);
  } else {
    const draw = samplers[spec.distribution];
    for (let i = 0; i < data.length; i++) data[i] = draw(random);
  }
  return { dtype: "float32", shape: spec.shape, data };
}

export interface NoiseAddress {
  readonly seed: number;
  readonly name: string;
  readonly step: number;
}

const samplers: Record<Exclude<NoiseSpec["distribution"], "permutation">, (random: Random) => number> = {
  normal: (random) => random.normal(),
  uniform: (random) => belowOne(random.uniform()),
  gumbel: (random) => -Math.log(-Math.log(insideUnit(random.uniform()))),
};

/** float32 rounds the largest 53-bit draws up to 1, which [0, 1) excludes. */
function belowOne(draw: number): number {
  return Math.min(draw, 1 - 2 ** -24);
}

/** Keeps both logarithms of a Gumbel draw finite: 0 has a chance of 2^-53. */
function insideUnit(draw: number): number {
  return Math.max(draw, 2 ** -54);
}
