import type { Random } from "./random.ts";

/** How the noise of a model is drawn; a model takes it as input, so every runtime draws it here. */
export type NoiseDistribution = "normal" | "uniform" | "gumbel" | "permutation";

/**
 * Noise of `shape`, float32, row-major. `permutation`: each row along the last axis is one of 0 .. n - 1.
 *
 * @param random the stream to draw from, which moves on
 */
export function noiseValues(
  { shape, distribution }: { readonly shape: readonly number[]; readonly distribution: NoiseDistribution },
  random: Random,
): Float32Array {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (distribution === "permutation") {
    const n = shape.at(-1)!;
    for (let first = 0; first < data.length; first += n) data.set(random.permutation(n), first);
    return data;
  }
  const draw = samplers[distribution];
  for (let i = 0; i < data.length; i++) data[i] = draw(random);
  return data;
}

const samplers: Record<Exclude<NoiseDistribution, "permutation">, (random: Random) => number> = {
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
