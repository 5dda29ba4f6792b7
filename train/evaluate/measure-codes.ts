import { eachDensityRow } from "../../information/aggregate-density.ts";
import { donskerVaradhan } from "../../information/bounds/donsker-varadhan.ts";
import { infoNce } from "../../information/bounds/info-nce.ts";
import type { BoundOptions, InformationBound } from "../../information/bounds/information-bound.ts";
import { interpolatedBound } from "../../information/bounds/interpolated-bound.ts";
import { nwjOfLogRatios } from "../../information/bounds/nwj.ts";
import { gaussianAggregateRate } from "../../information/gaussian-aggregate-rate.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { gaussianTotalCorrelationBounds } from "../../information/gaussian-total-correlation-bounds.ts";
import { logAddExp, logSumExp } from "../../information/log-sum-exp.ts";
import { joinColumns, type Matrix, sliceRows } from "../../information/matrix.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure } from "../../schemas/manifest.ts";
import { stream } from "../random.ts";
import type { EncodedPairs } from "./encode-pairs.ts";
import { finiteOnly, type Measured, meanFigure } from "./figures.ts";
import { drawnCodes, hasPosterior, type PosteriorName, posterior } from "./posteriors.ts";
import { trainingPairs } from "./training-pairs.ts";

/** Pairs that are held against each other at most: the cost grows with their square, the ceilings with their logarithm. */
const held = { aggregate: 5000, totalCorrelation: 2000, bounds: 2000 } as const;

/**
 * Figures of Gaussian codes that hold every pair against every other, in bits:
 *
 *   rate_aggregate.<block>.lower, .upper   between them lies I(view; code), the rate against the aggregate posterior
 *   total_correlation.<block>.lower, .upper and .all.lower, .upper    between them lies that of the drawn code's
 *                                          dimensions; far apart where the code holds more than log2 n bits
 *   mutual_information.views.<bound>       lower bounds on I(view_1; view_2): info-nce, nwj, interpolated; and
 *                                          donsker-varadhan, whose sample figure is a bound of neither side
 *
 * A bound that comes to no finite number is named with the reason, in the place of a figure: a stray pair that fits far
 * better than the baseline overflows the exponential of NWJ.
 *
 * @returns none for a family whose codes have no posteriors
 */
export function measureCodes(encoded: EncodedPairs, { seed }: { seed: number }): Measured {
  const blocks = (["common", "unique_1", "unique_2"] as const).filter((name) => hasPosterior(encoded, name));
  if (blocks.length === 0) return { figures: [], notComputed: [] };
  return finiteOnly([
    ...blocks.flatMap((block) => aggregateRates(encoded, block, seed)),
    ...totalCorrelations(encoded, blocks, seed),
    ...viewBounds(encoded, seed),
  ]);
}

function aggregateRates(encoded: EncodedPairs, block: PosteriorName, seed: number): Figure[] {
  const { q, codes } = firstOf(encoded, [block], { pairs: held.aggregate, seed });
  const { lower, upper } = gaussianAggregateRate(q, codes);
  const n = codes.rows;
  const of = `mutual information of a view and its drawn code under the encoder, in expectation, against the average of ${n} posteriors`;
  return [
    meanFigure(`rate_aggregate.${block}.lower`, inBits(lower), {
      estimator: `lower bound on the ${of}, the row's own among them; at most log2 ${n} = ${Math.log2(n).toFixed(2)} bits`,
      seed,
    }),
    meanFigure(`rate_aggregate.${block}.upper`, inBits(upper), {
      estimator: `upper bound on the ${of}, the row's own left out`,
      seed,
    }),
  ];
}

function totalCorrelations(encoded: EncodedPairs, blocks: readonly PosteriorName[], seed: number): Figure[] {
  const asked = [...blocks.map((block) => ({ name: block, of: [block] })), { name: "all", of: blocks }];
  return asked.flatMap(({ name, of }) => {
    const { q, codes } = firstOf(encoded, of, { pairs: held.totalCorrelation, seed });
    if (codes.columns < 2) return []; // one dimension has none
    const { lower, upper } = gaussianTotalCorrelationBounds(q, codes);
    const n = codes.rows;
    const tells = `${n} pairs tell it of codes that hold less than log2 ${n} = ${Math.log2(n).toFixed(2)} bits`;
    return [
      meanFigure(`total_correlation.${name}.lower`, inBits(lower), {
        estimator: `lower bound on the total correlation of the drawn code's dimensions, in expectation; below 0 it says nothing: ${tells}`,
        seed,
      }),
      meanFigure(`total_correlation.${name}.upper`, inBits(upper), {
        estimator: `upper bound on the total correlation of the drawn code's dimensions, in expectation: ${tells}, and the bound of others is high however independent they are`,
        seed,
      }),
    ];
  });
}

/**
 * Bounds on what the views share, from one critic: how likely encoder 1 finds, given view 1, the common code that
 * encoder 2 drew from view 2, against how likely it finds it on average over other pairs,
 *
 *   f(z_2, view_1) = ln q_1(z_2 | view_1) - ln r(z_2),   r = 0.01 N(0, I) + 0.99 mean_m q_1( . | view_1m)
 *
 * The average is over pairs of the training part and the bounds are taken on the test part, so nothing is fitted on the
 * pairs that are judged. The normal keeps the critic in bounds where no other pair is near. I(view_1; z_2) is at most I(view_1; view_2): z_2 is made from view 2 alone.
 */
function viewBounds(encoded: EncodedPairs, seed: number): Figure[] {
  if (!hasPosterior(encoded, "common_1") || !hasPosterior(encoded, "common_2")) return [];
  const q = posterior(encoded, "common_1");
  const codes = drawnCodes(encoded, "common_2", seed);
  const train = trainingPairs(codes.rows);
  const pairs = Math.min(codes.rows - train, held.bounds);
  const scores = criticScores(
    sliceGaussians(q, train, train + pairs),
    sliceRows(codes, train, train + pairs),
    sliceGaussians(q, 0, pairs),
  );
  const of = `I(view_1; view_2), by way of what encoder 1 knows of the common code that encoder 2 draws`;
  const figure = (name: string, bound: (options: BoundOptions) => InformationBound): Figure => {
    const quantity = `mutual_information.views.${name}`;
    const found = bound({ bootstrap: { draw: stream(seed, "bootstrap", quantity).integer } });
    const [low, high] = found.interval!;
    const ceiling = Number.isFinite(found.ceilingNats)
      ? `; at most ${(found.ceilingNats * bitsPerNat).toFixed(2)} bits`
      : "";
    const estimator = `${found.estimator}: ${found.promise.replaceAll("I(X; Y)", of)}${ceiling}`;
    const interval: [number, number] = [low * bitsPerNat, high * bitsPerNat];
    return { quantity, unit: "bits", value: found.nats * bitsPerNat, estimator, n: pairs, seed, interval };
  };
  return [
    figure("info-nce", (options) => infoNce(scores, options)),
    figure("interpolated", (options) => interpolatedBound(scores, { ...options, alpha: 0.5 })),
    figure("nwj", (options) => nwjOfLogRatios(scores, options)),
    figure("donsker-varadhan", (options) => donskerVaradhan(scores, options)),
  ];
}

/** Of the standard normal in the critic's baseline. */
const normalShare = 0.01;

/** f(z_i, view_j) in row i and column j, nats. */
function criticScores(q: GaussianRows, codes: Matrix, others: GaussianRows): Matrix {
  const { rows: pairs, columns } = codes;
  const values = new Float64Array(pairs * pairs);
  eachDensityRow("score pairs", { q, codes }, ({ row, joint }) => values.set(joint, row * pairs));
  eachDensityRow("score pairs", { q: others, codes }, ({ row, joint }) => {
    const code = Float64Array.from(codes.values.subarray(row * columns, (row + 1) * columns));
    const normal = code.reduce((sum, z) => sum - 0.5 * (Math.log(2 * Math.PI) + z * z), 0);
    const average = logSumExp(joint) - Math.log(pairs);
    const baseline = logAddExp(Math.log(normalShare) + normal, Math.log1p(-normalShare) + average);
    for (let j = 0; j < pairs; j++) values[row * pairs + j]! -= baseline;
  });
  return { rows: pairs, columns: pairs, values };
}

/** Posteriors of several blocks side by side and the codes drawn from them, of the first `pairs`. */
function firstOf(
  encoded: EncodedPairs,
  blocks: readonly PosteriorName[],
  { pairs, seed }: { pairs: number; seed: number },
): { q: GaussianRows; codes: Matrix } {
  const all = blocks.map((block) => posterior(encoded, block));
  const mean = joinColumns(all.map((one) => one.mean));
  const logvar = joinColumns(all.map((one) => one.logvar));
  const codes = joinColumns(blocks.map((block) => drawnCodes(encoded, block, seed)));
  const rows = Math.min(pairs, codes.rows);
  return { q: sliceGaussians({ mean, logvar }, 0, rows), codes: sliceRows(codes, 0, rows) };
}

function sliceGaussians({ mean, logvar }: GaussianRows, start: number, end: number): GaussianRows {
  return { mean: sliceRows(mean, start, end), logvar: sliceRows(logvar, start, end) };
}

const inBits = (nats: Float64Array): Float64Array => nats.map((value) => value * bitsPerNat);
