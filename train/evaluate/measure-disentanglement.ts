import { blockPurity } from "../../information/disentanglement/block-purity.ts";
import { dciCompleteness } from "../../information/disentanglement/dci-completeness.ts";
import { dciDisentanglement } from "../../information/disentanglement/dci-disentanglement.ts";
import { dciInformativeness } from "../../information/disentanglement/dci-informativeness.ts";
import { explainFactors, type ImportanceMatrix } from "../../information/disentanglement/importance-matrix.ts";
import { type MigChenOptions, migChen, migChenDefaults } from "../../information/disentanglement/mig-chen.ts";
import { migHist20Means } from "../../information/disentanglement/mig-hist20-means.ts";
import { sapLinearSvc } from "../../information/disentanglement/sap-linear-svc.ts";
import type { Score, ScoreOptions } from "../../information/disentanglement/score.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { joinColumns, type Matrix } from "../../information/matrix.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Factor } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { bootstrapOf } from "./figures.ts";
import { hasPosterior, posterior } from "./posteriors.ts";
import { variedFactors } from "./asked-factors.ts";

/** Order of the code, the paper's (u1, c, u2), and the block that each part is of. */
const blocks = ["unique_1", "common", "unique_2"] as const;

/** Of scores of the importance matrix. Their n are the pairs that the trees were fitted on. */
const noInterval = "no interval: other pairs would grow other trees, and fitting them again 1,000 times is left out";

export interface Disentanglement {
  readonly figures: readonly Figure[];
  /** The DCI matrix. */
  readonly importance: ImportanceMatrix;
}

/**
 * Disentanglement of the whole code (unique_1, common of encoder 1, unique_2) with respect to the factors of view 1,
 * all dimensionless, between 0 and 1. Each figure's estimator is the definition of the score. Those that are told from
 * rows have a bootstrap interval over them; those of the matrix say why they have none.
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
  const figure = (quantity: string, n: number, { value, definition: estimator }: Score): Figure => {
    return { quantity, unit: "1", value, estimator, n, seed };
  };
  const ofMatrix = (quantity: string, { definition, ...score }: Score): Figure =>
    figure(quantity, train, { ...score, definition: `${definition}; ${noInterval}` });
  const ofRows = (quantity: string, n: number, score: (options: ScoreOptions) => Score): Figure => {
    const found = score({ bootstrap: bootstrapOf(quantity, seed) });
    return { ...figure(quantity, n, found), interval: found.interval! };
  };
  const [test, sampled] = [whole.rows - train, Math.min(migChenDefaults.samples, whole.rows)];
  const figures = [
    ofMatrix("purity", purity),
    ...asked.map(({ name }, k) => ofMatrix(`purity.${name}`, { ...purity, value: purity.parts![k]! })),
    ofMatrix("dci.disentanglement", dciDisentanglement(importance)),
    ofMatrix("dci.completeness", dciCompleteness(importance, "unweighted")),
    ofRows("dci.informativeness", test, (options) => dciInformativeness(usable, options)),
    ofRows("mig-hist20-means", whole.rows, (options) => migHist20Means(whole, labelled, options)),
    ...(blocks.every((block) => hasPosterior(encoded, block))
      ? [
          ofRows("mig-chen", sampled, (options) =>
            migChen(wholePosterior(encoded), labelled, { ...migDraws(seed), ...options }),
          ),
        ]
      : []),
    ofRows("sap-linear-svc", test, (options) => sapLinearSvc(whole, labelled, { train, ...options })),
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
