import { categoricalAggregateRate, categoricalRate } from "../../information/categorical-rate.ts";
import { gaussianDisagreement, gaussianRate } from "../../information/gaussian-rate.ts";
import { categoricalDisagreement } from "../../information/categorical-disagreement.ts";
import type { Matrix } from "../../information/matrix.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { meanFigure } from "./figures.ts";
import { codeNamed, type PosteriorName, posterior } from "./posteriors.ts";

const posteriors = [
  { block: "common", name: "common", of: "both views" },
  { block: "common", name: "common_1", of: "view 1 alone" },
  { block: "common", name: "common_2", of: "view 2 alone" },
  { block: "unique", name: "unique_1", of: "both views" },
  { block: "unique", name: "unique_2", of: "both views" },
] as const;

/**
 * Rates of the posteriors of a W-VAE, in bits:
 *
 *   rate.<posterior>          mean KL from the prior; of `common` an upper bound on I(view_1, view_2; common), the
 *                             quantity whose minimum is Wyner's common information (paper, section 2.1)
 *   rate_aggregate.common     mean KL from the average posterior of these pairs, for one variable: I(pair; common) of them
 *   disagreement.common       mean KL( q(common | view_1) || q(common | view_2) )
 */
export function measureWVaeRates(encoded: EncodedPairs, { latents }: WVaeConfig, seed: number): Figure[] {
  const isGaussian = latents.kind === "gaussian";
  const figures: Figure[] = [];
  for (const { block, name, of } of posteriors) {
    const { variables, values } = latents[block];
    if (variables === 0) continue;
    const nats = isGaussian
      ? gaussianRate(posterior(encoded, name))
      : sumPerPair(categoricalRate(perVariable(encoded, name, values!)), variables);
    const prior = isGaussian ? "standard normal" : "uniform";
    const estimator = `mean KL of the posterior given ${of} from the ${prior} prior, closed form`;
    figures.push(meanFigure(`rate.${name}`, inBits(nats), { estimator, seed }));
  }
  const { variables, values } = latents.common;
  if (!isGaussian && variables === 1) {
    const nats = categoricalAggregateRate(perVariable(encoded, "common", values!));
    const estimator = "mean KL of the posterior given both views from the average posterior of these pairs";
    figures.push(meanFigure("rate_aggregate.common", inBits(nats), { estimator, seed }));
  }
  const apart = isGaussian
    ? gaussianDisagreement(posterior(encoded, "common_1"), posterior(encoded, "common_2"))
    : sumPerPair(
        categoricalDisagreement(perVariable(encoded, "common_1", values!), perVariable(encoded, "common_2", values!)),
        variables,
      );
  const estimator = "mean KL of view 1's common posterior from view 2's, closed form";
  return [...figures, meanFigure("disagreement.common", inBits(apart), { estimator, seed })];
}

/** Probabilities with one variable a row; a float32 probability that has come down to 0 counts as next to nothing. */
function perVariable(encoded: EncodedPairs, name: PosteriorName, columns: number): Matrix {
  const { values } = codeNamed(encoded, `${name}_mean`);
  const raised = Float64Array.from(values, (value) => Math.max(value, smallest));
  return { rows: values.length / columns, columns, values: raised };
}

const smallest = 1e-12;

function sumPerPair(perVariable: Float64Array, variables: number): Float64Array {
  const sums = new Float64Array(perVariable.length / variables);
  for (const [at, value] of perVariable.entries()) sums[Math.floor(at / variables)]! += value;
  return sums;
}

function inBits(nats: Float64Array): Float64Array {
  return nats.map((value) => value * bitsPerNat);
}
