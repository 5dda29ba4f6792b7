import { bootstrapMean } from "../../information/bootstrap.ts";
import { migHist20Means } from "../../information/disentanglement/mig-hist20-means.ts";
import { gaussianKl } from "../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Factor } from "../data/pair-source.ts";
import { familyByName } from "../models/registry.ts";
import { stream } from "../random.ts";
import { type EncodedImages, encodeImages } from "./encode-images.ts";
import { bootstrapOf } from "./figures.ts";
import type { Findings, Subject } from "./protocol.ts";
import { dimensionRates } from "./report/dimension-rates.ts";
import { rateSection } from "./report/rate-section.ts";
import { drawSinglePictures, singleImageSections } from "./report/single-pictures.ts";
import { singleViewSection } from "./report/single-view-section.ts";

/**
 * Auto-encoders of one view, as the Split Encoder paper measures them:
 *
 *   mig-hist20-means, mig-hist20-means.<factor>   gap between the two latents that tell most, of the factor's entropy
 *   reconstruction                                 nats an image, the reconstruction part of the loss
 *   rate                                           bits an image, mean KL of the posterior from the prior
 *   informative_latents                            latents with a rate of at least 0.05 bits
 *
 * Source: Yang et al. ("Split Encoder"), section 5; disentanglement_lib: 10,000 images, posterior means
 */
export async function singleView(subject: Subject): Promise<Findings> {
  const { recipe, source, tasks, pairs, seed, onProgress } = subject;
  onProgress(`encoding ${pairs} images`);
  const encoded = await encodeImages(tasks, source, { images: pairs, seed });
  onProgress("measuring disentanglement");
  const { factors } = source.description;
  const figures = [...disentanglement(encoded, factors, seed), ...bound(encoded, seed)];
  return {
    figures,
    tables: () => [singleViewSection(encoded, varied(factors, encoded.labels), figures)],
    async pictures() {
      const { latent } = encoded;
      const codes = { latent_mean: latent.mean, latent_logvar: latent.logvar };
      const blocks = familyByName(recipe.family).latents(recipe.model);
      const rates = dimensionRates(codes, blocks);
      const images = source.draw(pictured, stream(seed, "report", "images")).tensors;
      const drawn = await drawSinglePictures(tasks, images.image!, latent.mean.columns);
      return [rateSection(rates), ...(drawn === undefined ? [] : singleImageSections(drawn, rates))];
    },
  };
}

/** Images drawn for the report. */
const pictured = 8;
/** A latent that tells less than this of an image is not used. */
const informativeBits = 0.05;

/** Factors that take more than one value in the images: of the others there is nothing to find. */
export function varied(factors: readonly Factor[], labels: EncodedImages["labels"]): readonly Factor[] {
  return factors.filter(({ name }) => new Set(labels[name]).size > 1);
}

function disentanglement({ latent, labels }: EncodedImages, factors: readonly Factor[], seed: number): Figure[] {
  const asked = varied(factors, labels);
  if (asked.length === 0) return [];
  const labelled = asked.map(({ name, size }) => ({ name, labels: labels[name]!, classes: size }));
  const mig = "mig-hist20-means";
  const found = migHist20Means(latent.mean, labelled, { bootstrap: bootstrapOf(mig, seed) });
  const shared = { unit: "1", estimator: found.definition, n: latent.mean.rows, seed };
  return [
    { quantity: mig, ...shared, value: found.value, interval: found.interval! },
    ...asked.map(({ name }, k) => {
      return { quantity: `${mig}.${name}`, ...shared, value: found.parts![k]!, interval: found.partIntervals![k]! };
    }),
  ];
}

function bound({ latent, distortion }: EncodedImages, seed: number): Figure[] {
  const { rows, columns } = latent.mean;
  const rates = new Float64Array(rows);
  const perLatent = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      const bits = bitsPerNat * gaussianKl(latent.mean.values[at]!, latent.logvar.values[at]!, 0, 0);
      rates[i]! += bits;
      perLatent[j]! += bits / rows;
    }
  }
  const figure = (quantity: string, unit: string, values: Float64Array, estimator: string): Figure => ({
    quantity,
    unit,
    value: values.reduce((sum, value) => sum + value, 0) / rows,
    estimator,
    n: rows,
    seed,
    interval: bootstrapMean(values, { draw: stream(seed, "evaluation", "bootstrap", quantity).integer }),
  });
  const used = perLatent.filter((bits) => bits >= informativeBits).length;
  return [
    figure(
      "reconstruction",
      "nats",
      distortion,
      "Bernoulli cross-entropy of fresh images, one code drawn from each posterior",
    ),
    figure("rate", "bits", rates, "mean KL of the posterior from the standard normal"),
    {
      quantity: "informative_latents",
      unit: "1",
      value: used,
      estimator: `latents with a mean KL of at least ${informativeBits} bits`,
      n: rows,
      seed,
    },
  ];
}
