import { bootstrapMean } from "../../information/bootstrap.ts";
import { labelCounts } from "../../information/label-entropy.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { RineConfig, RineProblem } from "../../schemas/rine-config.ts";
import { betaName, redundantBeta, sourceNumbers } from "../models/rine-networks.ts";
import { stream } from "../random.ts";
import { entropyFigure } from "./figures.ts";
import type { Answers } from "./rine-examples.ts";

/** What was asked of one problem: the answers of the checkpoints that figures average over, the newest last. */
export interface Asked {
  readonly config: RineConfig;
  readonly problem: RineProblem;
  readonly checkpoints: readonly Answers[];
  /** In words, for the estimators: `the checkpoints of steps 1638, ...`. */
  readonly over: string;
  readonly seed: number;
}

/** Nats to bits as in the authors' code. */
const authorsBitsPerNat = 1.44;

/** H(Y) that the authors' code puts in, bits: log2 of the classes, for AND three digits of the entropy. */
export function authorsEntropy({ name, classes }: Pick<RineProblem, "name" | "classes">): number {
  return name === "AND" ? 0.811 : Math.log2(classes);
}

/**
 * Figures of one problem, in bits. Rows average over the checkpoints; intervals are bootstraps over test examples, taken
 * of whole rows, so that what cancels between networks does so in the interval too.
 *
 *   entropy.P                     H(Y) of the test labels, plug-in
 *   redundant.P.beta15            H(Y) - mean over sources of the cross-entropy; with beta 0 the mean usable information
 *   redundant_final.P.beta15      the same of the newest checkpoint alone
 *   redundant_authors.P.beta15    with the authors' H(Y) and their 1.44 bits a nat
 *   disagreement.P.beta15         mean L1 distance of the predictions (no unit)
 *   usable.P.x1, usable.P.joint   I(X1; Y), I(X1, ..., Xn; Y) that the networks of beta 0 and the joint network find
 *   unique.P.x1, synergistic.P    what is left when the redundant part is that of the largest beta
 *   class.P.<class>.beta50        one class's part, newest checkpoint, as in figure 1 right of the paper
 *
 * Source: RINE paper, equations 4-8 and 12-14
 */
export function rineFigures(asked: Asked): Figure[] {
  const { config, problem, checkpoints } = asked;
  const figures: Figure[] = [];
  const newest = checkpoints.at(-1)!;
  const { name } = problem;
  const n = newest.labels.length;
  const push = (quantity: string, value: number, rest: Partial<Figure> & { estimator: string }): void => {
    figures.push({ quantity, unit: "bits", value, n, seed: asked.seed, ...rest });
  };
  const pushRows = (quantity: string, rows: Float64Array, estimator: string): void => {
    const interval = bootstrapMean(rows, { draw: stream(asked.seed, "bootstrap", quantity).integer });
    push(quantity, mean(rows), { estimator, interval });
  };

  const entropyOf = { classes: problem.classes, of: "test labels", seed: asked.seed };
  figures.push(entropyFigure(`entropy.${name}`, newest.labels, entropyOf));
  const average = `mean over ${asked.over}`;
  for (const beta of config.betas) {
    const b = betaName(beta);
    const estimator = `entropy of the test labels minus the mean test cross-entropy of the ${config.sources} networks of beta ${beta}`;
    pushRows(`redundant.${name}.${b}`, redundantRows(asked, beta), `${estimator}; ${average}`);
    push(`redundant_final.${name}.${b}`, mean(redundantRows({ ...asked, checkpoints: [newest] }, beta)), {
      estimator: `${estimator}; newest checkpoint`,
    });
    push(
      `redundant_authors.${name}.${b}`,
      authorsEntropy(problem) - authorsBitsPerNat * mean(sourceNats(asked, beta)),
      {
        estimator: `${authorsEntropy(problem)} bits minus ${authorsBitsPerNat} times the mean test cross-entropy in nats, as in the authors' code; ${average}`,
      },
    );
    const apart = mean(Float64Array.from(checkpoints, ({ disagreement }) => disagreement[b]!));
    push(`disagreement.${name}.${b}`, apart, {
      unit: "1",
      estimator: `mean L1 distance of the predictions; ${average}`,
    });
  }
  for (const { quantity, rows, estimator } of decomposition(asked))
    pushRows(quantity, rows, `${estimator}; ${average}`);
  if (problem.classNames !== undefined) {
    for (const beta of config.betas) {
      const rows = redundantRows({ ...asked, checkpoints: [newest] }, beta);
      for (const [k, className] of problem.classNames.entries()) {
        const own = rows.filter((_, i) => newest.labels[i] === k);
        const estimator = `-log2 of the class's frequency minus its mean test cross-entropy, beta ${beta}; newest checkpoint`;
        push(`class.${name}.${className}.${betaName(beta)}`, mean(own), { estimator, n: own.length });
      }
    }
  }
  return figures;
}

interface Part {
  readonly quantity: string;
  /** Contribution of every test example, bits. */
  readonly rows: Float64Array;
  readonly estimator: string;
}

/** The parts that the networks trained give: single sources with beta 0, the joint network, and what is left over. */
function decomposition(asked: Asked): Part[] {
  const { config, problem } = asked;
  const { name } = problem;
  const alone = config.betas.includes(0)
    ? sourceNumbers(config).map((source) => ({ source, rows: informationRows(asked, `beta0.x${source}`) }))
    : [];
  const beta = redundantBeta(config);
  const redundant = beta > 0 ? redundantRows(asked, beta) : undefined;
  const joint = config.joint ? informationRows(asked, "joint") : undefined;
  const parts: Part[] = alone.map(({ source, rows }) => ({
    quantity: `usable.${name}.x${source}`,
    rows,
    estimator: `entropy of the test labels minus the test cross-entropy of source ${source}'s network of beta 0`,
  }));
  if (joint !== undefined) {
    const estimator = "entropy of the test labels minus the test cross-entropy of the network that sees all sources";
    parts.push({ quantity: `usable.${name}.joint`, rows: joint, estimator });
  }
  if (redundant === undefined) return parts;
  for (const { source, rows } of alone) {
    const estimator = `usable.${name}.x${source} minus redundant.${name}.${betaName(beta)}, example by example`;
    parts.push({ quantity: `unique.${name}.x${source}`, rows: rows.map((bits, i) => bits - redundant[i]!), estimator });
  }
  if (joint !== undefined && alone.length === 2) {
    const [first, second] = alone.map(({ rows }) => rows) as [Float64Array, Float64Array];
    const rows = joint.map((bits, i) => bits - first[i]! - second[i]! + redundant[i]!);
    const estimator = "joint minus both usable parts plus the redundant one, example by example";
    parts.push({ quantity: `synergistic.${name}`, rows, estimator });
  }
  return parts;
}

/** Mean over the sources, and over the checkpoints, of every example's information, bits. */
function redundantRows(asked: Asked, beta: number): Float64Array {
  const nats = sourceNats(asked, beta);
  return surprise(asked).map((bits, i) => bits - nats[i]! * bitsPerNat);
}

function sourceNats({ config, checkpoints }: Asked, beta: number): Float64Array {
  const columns = sourceNumbers(config).map((source) => `${betaName(beta)}.x${source}`);
  return meanRows(checkpoints.flatMap(({ crossEntropy }) => columns.map((column) => crossEntropy[column]!)));
}

function informationRows(asked: Asked, column: string): Float64Array {
  const nats = meanRows(asked.checkpoints.map(({ crossEntropy }) => crossEntropy[column]!));
  return surprise(asked).map((bits, i) => bits - nats[i]! * bitsPerNat);
}

/** -log2 of the frequency of every example's label: its mean is H(Y), plug-in. */
function surprise({ problem, checkpoints }: Asked): Float64Array {
  const { labels } = checkpoints[0]!;
  const counts = labelCounts(labels, problem.classes);
  return Float64Array.from(labels, (label) => -Math.log2(counts[label]! / labels.length));
}

function meanRows(columns: readonly Float64Array[]): Float64Array {
  return columns[0]!.map((_, i) => columns.reduce((sum, column) => sum + column[i]!, 0) / columns.length);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
