import { blockPurity } from "../../information/disentanglement/block-purity.ts";
import { dciCompleteness } from "../../information/disentanglement/dci-completeness.ts";
import { dciDisentanglement } from "../../information/disentanglement/dci-disentanglement.ts";
import { dciInformativeness } from "../../information/disentanglement/dci-informativeness.ts";
import { explainFactors, type ImportanceMatrix } from "../../information/disentanglement/importance-matrix.ts";
import { type MigChenOptions, migChen } from "../../information/disentanglement/mig-chen.ts";
import { migHist20Means } from "../../information/disentanglement/mig-hist20-means.ts";
import { sapLinearSvc } from "../../information/disentanglement/sap-linear-svc.ts";
import type { Score } from "../../information/disentanglement/score.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { joinColumns, type Matrix } from "../../information/matrix.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Factor } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { hasPosterior, posterior } from "./posteriors.ts";
import { variedFactors } from "./asked-factors.ts";

/** Order of the code, the paper's (u1, c, u2), and the block that each part is of. */
const blocks = ["unique_1", "common", "unique_2"] as const;

export interface Disentanglement {
  readonly figures: readonly Figure[];
  /** The DCI matrix. */
  readonly importance: ImportanceMatrix;
}

/**
 * Disentanglement of the whole code (unique_1, common of encoder 1, unique_2) with respect to the factors of view 1,
 * all dimensionless, between 0 and 1. Each figure's estimator is the definition of the score.
 *
 *   purity, purity.<factor>      share of a factor's importance inside its own block (common, or unique_1)
 *   dci.disentanglement, dci.completeness, dci.informativeness
 *   mig-hist20-means, mig-chen (where the codes have posteriors), sap-linear-svc
 *
 * @returns undefined for a family without unique blocks, and where fewer than two factors have more than one value.
 */
export function measureDisentanglement(
  encoded: EncodedPairs,
  { seed, factors, train }: { seed: number; factors: readonly Factor[]; train: number },
): Disentanglement | undefined {
  const { codes, labels } = encoded;
  const parts = blocks.map((block) => codes[`${block}_mean`]);
  const asked = variedFactors(factors, labels);
  if (parts.some((part) => part === undefined) || asked.length < 2) return undefined;
  const matrices = parts as Matrix[];
  const latents = matrices.flatMap(({ columns }, b) => Array.from({ length: columns }, (_, i) => `${blocks[b]}_${i}`));
  const whole = joinColumns(matrices);
  const labelled = asked.map(({ name, size }) => ({ name, labels: labels[0][name]!, classes: size }));
  const { importance, usable } = explainFactors({ codes: whole, latents }, labelled, { train });
  const purity = blockPurity(importance, {
    blocks: Object.fromEntries(latents.map((latent) => [latent, latent.replace(/_\d+$/, "")])),
    belongs: Object.fromEntries(asked.map(({ name, role }) => [name, role === "common" ? "common" : "unique_1"])),
  });
  const figure = (quantity: string, value: number, { definition }: Score, n = whole.rows - train): Figure => ({
    quantity,
    unit: "1",
    value,
    estimator: definition,
    n,
    seed,
  });
  const score = (quantity: string, found: Score, n?: number): Figure => figure(quantity, found.value, found, n);
  const figures = [
    score("purity", purity),
    ...asked.map(({ name }, k) => figure(`purity.${name}`, purity.parts![k]!, purity)),
    score("dci.disentanglement", dciDisentanglement(importance)),
    score("dci.completeness", dciCompleteness(importance, "unweighted")),
    score("dci.informativeness", dciInformativeness(usable)),
    score("mig-hist20-means", migHist20Means(whole, labelled), whole.rows),
    ...(blocks.every((block) => hasPosterior(encoded, block))
      ? [score("mig-chen", migChen(wholePosterior(encoded), labelled, migDraws(seed)), whole.rows)]
      : []),
    score("sap-linear-svc", sapLinearSvc(whole, labelled, { train })),
  ];
  return { figures, importance };
}

function wholePosterior(encoded: EncodedPairs): GaussianRows {
  const parts = blocks.map((block) => posterior(encoded, block));
  return { mean: joinColumns(parts.map(({ mean }) => mean)), logvar: joinColumns(parts.map(({ logvar }) => logvar)) };
}

function migDraws(seed: number): MigChenOptions {
  const { normal, permutation } = stream(seed, "mig-chen");
  return { normal, permutation };
}
