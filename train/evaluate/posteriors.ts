import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { drawGaussian } from "../../information/gaussian-sample.ts";
import type { Matrix } from "../../information/matrix.ts";
import { stream } from "../random.ts";
import type { EncodedPairs } from "./encode-pairs.ts";

/** Names of the posteriors that `encode` may return: `<name>_mean` and `<name>_logvar`. */
export type PosteriorName = "common" | "common_1" | "common_2" | "unique_1" | "unique_2";

/** Whether a code came with a posterior: a family without one has means alone. */
export function hasPosterior({ codes }: EncodedPairs, name: PosteriorName): boolean {
  return codes[`${name}_mean`] !== undefined && codes[`${name}_logvar`] !== undefined;
}

export function posterior(encoded: EncodedPairs, name: PosteriorName): GaussianRows {
  return { mean: codeNamed(encoded, `${name}_mean`), logvar: codeNamed(encoded, `${name}_logvar`) };
}

/** One draw from every row's posterior, the same for everything that is measured on drawn codes. */
export function drawnCodes(encoded: EncodedPairs, name: PosteriorName, seed: number): Matrix {
  return drawGaussian(posterior(encoded, name), stream(seed, "drawn codes", name).normal);
}

/** @throws Error unless `encode` returned it: every family has a common block */
export function codeNamed({ codes }: EncodedPairs, name: string): Matrix {
  const code = codes[name];
  if (code === undefined)
    throw new Error(`Cannot evaluate: encode must return "${name}", got ${Object.keys(codes).join(", ")}`);
  return code;
}
