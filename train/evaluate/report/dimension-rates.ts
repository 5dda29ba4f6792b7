import { type GaussianPrior, gaussianKl } from "../../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../../information/units.ts";
import type { LatentBlock } from "../../models/family.ts";
import type { EncodedPairs } from "../encode-pairs.ts";

/** Mean rate of one dimension of a block, as one encoder tells it. Over a block they add up to the figure `rate.<block>`. */
export interface DimensionRate {
  readonly block: LatentBlock["name"];
  readonly dimension: string;
  /** Only where two encoders tell the same block. */
  readonly encoder?: 1 | 2;
  readonly bits: number;
}

/** Rates by dimension over all encoded pairs; blocks that `codes` does not hold are left out. */
export function dimensionRates(
  codes: EncodedPairs["codes"],
  blocks: readonly LatentBlock[],
  priors: Readonly<Record<string, GaussianPrior>> = {},
): DimensionRate[] {
  return blocks.flatMap(({ name: block, dimensions }) => {
    const twice = block === "common" && codes.common_2_mean !== undefined;
    const tellers = twice ? (["common", "common_2"] as const) : ([block] as const);
    return dimensions.flatMap((dimension, j) =>
      tellers.flatMap((teller, i): DimensionRate[] => {
        const bits = rateOf(codes, teller, j, priors[block]);
        if (bits === undefined) return [];
        return [{ block, dimension, bits, ...(twice ? { encoder: i === 0 ? 1 : 2 } : {}) }];
      }),
    );
  });
}

function rateOf(
  codes: EncodedPairs["codes"],
  teller: string,
  j: number,
  prior: GaussianPrior | undefined,
): number | undefined {
  const mean = codes[`${teller}_mean`];
  const logvar = codes[`${teller}_logvar`];
  if (mean === undefined || logvar === undefined) return undefined;
  let nats = 0;
  for (let i = 0; i < mean.rows; i++) {
    const at = i * mean.columns + j;
    nats += gaussianKl(mean.values[at]!, logvar.values[at]!, prior?.mean[j] ?? 0, prior?.logvar[j] ?? 0);
  }
  return (nats / mean.rows) * bitsPerNat;
}
