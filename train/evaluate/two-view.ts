import type { ImportanceMatrix } from "../../information/disentanglement/importance-matrix.ts";
import type { GaussianPrior } from "../../information/gaussian-rate.ts";
import type { Results } from "../../schemas/results.ts";
import type { State } from "../engine/engine.ts";
import { familyByName } from "../models/registry.ts";
import { encodePairs } from "./encode-pairs.ts";
import { measure } from "./measure.ts";
import { measureCodes } from "./measure-codes.ts";
import { measureDisentanglement } from "./measure-disentanglement.ts";
import type { Findings, Subject } from "./protocol.ts";
import { dimensionRates } from "./report/dimension-rates.ts";
import { imageSections } from "./report/image-sections.ts";
import { importanceSection } from "./report/importance-section.ts";
import { informationSection } from "./report/information-section.ts";
import { drawPictures } from "./report/pictures.ts";
import { rateSection } from "./report/rate-section.ts";
import { trainingPairs } from "./training-pairs.ts";

/** Two-view Gaussian codes: what each block tells of each factor, rates, disentanglement, pictures of both views. */
export async function twoView(subject: Subject): Promise<Findings> {
  const { recipe, values, source, tasks, pairs, seed, onProgress } = subject;
  onProgress(`encoding ${pairs} pairs`);
  const encoded = await encodePairs((views) => tasks.run("encode", views), source, { pairs, seed });
  const { factors } = source.description;
  const priors = learnedPriors(values);
  const usable = measure(encoded, {
    seed,
    factors,
    commonInformationBits: source.description.commonInformationBits,
    classifier: recipe.evaluation.classifier,
    priors,
    onFigure: (quantity) => onProgress(`measured ${quantity}`),
  });
  onProgress("holding codes against each other");
  const codes = measureCodes(encoded, { seed });
  onProgress("measuring disentanglement");
  const disentanglement = measureDisentanglement(encoded, { seed, factors, train: trainingPairs(pairs) });
  return {
    figures: [...usable, ...codes.figures, ...(disentanglement?.figures ?? [])],
    notComputed: codes.notComputed,
    ...(disentanglement === undefined ? {} : { importance: plainMatrix(disentanglement.importance) }),
    tables: (results) => [informationSection(results), importanceSection(results)].filter((one) => one !== undefined),
    async pictures() {
      const blocks = familyByName(recipe.family).latents(recipe.model);
      const rates = dimensionRates(encoded.codes, blocks, priors);
      const drawn = await drawPictures(source, { tasks, blocks, priors, rates, seed });
      return [
        ...(rates.length === 0 ? [] : [rateSection(rates)]),
        ...(drawn === undefined ? [] : imageSections(drawn, rates)),
      ];
    },
  };
}

function plainMatrix({ latents, factors, values }: ImportanceMatrix): NonNullable<Results["importance"]> {
  return { latents: [...latents], factors: [...factors], values: Array.from(values) };
}

/** By convention a family that learns the prior of a block names its variables `prior.<block>.mean` and `.logvar`. */
function learnedPriors(values: State): Record<string, GaussianPrior> {
  const priors: Record<string, GaussianPrior> = {};
  for (const block of ["common", "unique_1", "unique_2"]) {
    const mean = values.get(`prior.${block}.mean`);
    const logvar = values.get(`prior.${block}.logvar`);
    if (mean === undefined || logvar === undefined) continue;
    priors[block] = { mean: mean.data as Float32Array, logvar: logvar.data as Float32Array };
  }
  return priors;
}
