import { type GaussianPrior, gaussianDisagreement, gaussianRate } from "../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { meanFigure } from "./figures.ts";
import { measureUsable, type UsableOptions } from "./measure-usable.ts";
import { hasPosterior, type PosteriorName, posterior } from "./posteriors.ts";

export interface MeasureOptions extends UsableOptions {
  /** By block, where a family learns its priors; the standard normal elsewhere. */
  readonly priors?: Readonly<Record<string, GaussianPrior>>;
}

/**
 * Figures of a two-view representation that take one pass over the pairs, in bits: those of measureUsable(), and
 *
 *   rate.<block>                 mean rate of common (encoder 1), common_2 (encoder 2), unique_1, unique_2
 *   rate.common_both             mean of the two encoders' rates of the common block, as figure 4 of the GK-VAE paper has
 *                                it (the published code, not the text, says so)
 *   disagreement.common          mean KL( q(common | view_1) || q(common | view_2) )
 */
export function measure(encoded: EncodedPairs, options: MeasureOptions): Figure[] {
  const { seed, onFigure = () => {} } = options;
  const figures = [...measureUsable(encoded, "means", options), ...measureUsable(encoded, "drawn", options)];
  const pushMean = (quantity: string, nats: Float64Array, estimator: string): void => {
    const rows = nats.map((value) => value * bitsPerNat);
    figures.push(meanFigure(quantity, rows, { estimator, seed }));
    onFigure(quantity);
  };
  const rates = new Map<PosteriorName, Float64Array>();
  for (const name of ["common", "common_2", "unique_1", "unique_2"] satisfies PosteriorName[]) {
    if (!hasPosterior(encoded, name)) continue; // a code without a posterior has no rate
    const prior = options.priors?.[name === "common_2" ? "common" : name];
    const estimator = `mean KL from the ${prior === undefined ? "standard normal" : "learned"} prior, closed form`;
    const nats = gaussianRate(posterior(encoded, name), prior);
    rates.set(name, nats);
    pushMean(`rate.${name}`, nats, estimator);
  }
  const [one, other] = [rates.get("common"), rates.get("common_2")];
  if (one !== undefined && other !== undefined) {
    const both = one.map((nats, row) => (nats + other[row]!) / 2);
    pushMean("rate.common_both", both, "mean of both encoders' KL from their prior, closed form");
  }
  if (!hasPosterior(encoded, "common_1") || !hasPosterior(encoded, "common_2")) return figures;
  const apart = gaussianDisagreement(posterior(encoded, "common_1"), posterior(encoded, "common_2"));
  const estimator = "mean KL of encoder 1's common posterior from encoder 2's, closed form";
  pushMean("disagreement.common", apart, estimator);
  return figures;
}
