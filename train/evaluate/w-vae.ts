import type { Figure } from "../../schemas/manifest.ts";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import { familyByName } from "../models/registry.ts";
import { stream } from "../random.ts";
import { encodePairs } from "./encode-pairs.ts";
import { testSource } from "./judge.ts";
import { measureUsable } from "./measure-usable.ts";
import { type OpenJudge, openJudge } from "./open-judge.ts";
import type { Findings, Subject } from "./protocol.ts";
import { reconstructions } from "./report/code-pictures.ts";
import { generationSections } from "./report/generation-sections.ts";
import { imageSections } from "./report/image-sections.ts";
import { informationSection } from "./report/information-section.ts";
import { measureGeneration } from "./w-vae-generation.ts";
import { measureWVaeRates } from "./w-vae-rates.ts";

/** One test image in so many of the pairs that are encoded: generation draws 30 times from each. */
const pairsPerImage = 10;
const picturedPairs = 6;

/**
 * Models of Wyner's common information and those they are compared with: label bits in each block and rates, where there
 * are codes, and a judge's word on what they generate.
 */
export async function wVaeProtocol(subject: Subject): Promise<Findings> {
  const { recipe, source, tasks, seed } = subject;
  const coded = tasks.specs.encode === undefined ? [] : await codeFigures(subject);
  const figures = [...coded, ...(await judged(subject))];
  const held = await testSource(subject);
  return {
    figures,
    tables: (results) => (coded.length === 0 ? [] : [informationSection(results)]),
    async pictures() {
      const blocks = familyByName(recipe.family).latents(recipe.model);
      const views = source.draw(picturedPairs, stream(seed, "report", "pairs")).tensors;
      const rebuilt = await reconstructions({ tasks, blocks, priors: {}, rates: [], views, seed });
      const shown = rebuilt === undefined ? {} : { reconstructions: rebuilt };
      return [
        ...imageSections({ ...shown, crossViews: [], styleTransfers: [] }, []),
        ...(await generationSections({ tasks, source: held, seed })),
      ];
    },
  };
}

async function codeFigures({ recipe, source, tasks, pairs, seed, onProgress }: Subject): Promise<Figure[]> {
  onProgress(`encoding ${pairs} pairs`);
  const encoded = await encodePairs((views) => tasks.run("encode", views), source, { pairs, seed });
  const { factors, commonInformationBits } = source.description;
  const usable = measureUsable(encoded, "means", {
    seed,
    factors,
    commonInformationBits,
    classifier: recipe.evaluation.classifier,
    onFigure: (quantity) => onProgress(`measured ${quantity}`),
  });
  return [...usable, ...measureWVaeRates(encoded, recipe.model as WVaeConfig, seed)];
}

/** Figures of generation; none, with a word why, where the recipe names no judge. */
async function judged(subject: Subject): Promise<Figure[]> {
  const { recipe, tasks, pairs, seed, onProgress, warn } = subject;
  const { judge: folder } = recipe.evaluation;
  if (folder === undefined) {
    warn("The recipe names no judge (evaluation.judge): label errors and Frechet distances are left out");
    return [];
  }
  const judge: OpenJudge = await openJudge(folder, subject.sessions);
  try {
    const images = Math.ceil(pairs / pairsPerImage);
    return await measureGeneration({ tasks, judge, source: await testSource(subject), images, seed, onProgress });
  } finally {
    await judge.close();
  }
}
