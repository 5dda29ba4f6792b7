import { type GaussianRows, requireGaussians } from "../gaussian-rate.ts";
import { labelEntropy } from "../label-entropy.ts";
import { bitsPerNat } from "../units.ts";
import { gapIntervals } from "./gap-intervals.ts";
import { type LabelledFactor, meanGap, requireFactors, type Score, type ScoreOptions } from "./score.ts";

export interface MigChenOptions extends ScoreOptions {
  /** The caller's seeded generators: of standard normals, and of permutations of 0 .. n - 1. */
  readonly normal: () => number;
  readonly permutation: (n: number) => Int32Array;
  /** How many rows a code is sampled for; Chen et al. take 10,000. Cost: samples x rows x latents. */
  readonly samples?: number;
}

export const migChenDefaults = { samples: 2000 } as const;

/**
 * Mutual information gap of Chen et al., from sampled codes and the continuous entropies of the aggregate posterior:
 *
 *   I(z_j; v_k) = H(z_j) - H(z_j | v_k),   z_j ~ q(z_j | x_s)
 *   H(z_j)       ~ - mean_s ln mean_m                  q(z_j | x_m)
 *   H(z_j | v_k) ~ - mean_s ln mean_{m: v_m = v_s}      q(z_j | x_m)
 *   mean_k ( max(I of the best latent, 0) - max(I of the second best, 0) ) / H(v_k)
 *
 * Both entropies are estimates: exact averages if the rows are the whole data set, up to the sampling of codes. Where
 * rows are a part of it, a row's own posterior weighs too much, more so among the fewer rows of one class: information
 * comes out high where posteriors are narrower than the distance between rows. Not the number of disentanglement_lib
 * (see migHist20Means()). Chen et al. leave out the factor shape on dSprites; pass the factors that should count.
 *
 * Source: Chen et al. 2018, https://arxiv.org/abs/1802.04942, section 4.1 and appendix B
 *
 * @param q [rows, latents], posteriors
 * @returns 0 where no latent knows anything; `parts` by factor
 * @throws RangeError for fewer than 2 latents, a factor that does not vary, fewer rows than classes, or rows that differ
 */
export function migChen(q: GaussianRows, factors: readonly LabelledFactor[], options: MigChenOptions): Score {
  const action = "compute mig-chen";
  const { rows, columns } = requireGaussians(action, "q", q);
  requireFactors(action, q.mean, factors);
  const { samples } = { ...migChenDefaults, ...options };
  if (!(Number.isInteger(samples) && samples > 0)) {
    throw new RangeError(`Cannot ${action}: "samples" must be a whole number above 0, got ${samples}`);
  }
  const chosen = options.permutation(rows).subarray(0, samples);
  const entropies = factors.map(({ labels, classes }) => labelEntropy(labels, classes) / bitsPerNat);
  const grouped = factors.map((factor) => ({ labels: factor.labels, members: membersOf(factor) }));
  const contributions = Array.from({ length: columns }, (_, j) =>
    informationOf(latentOf(q, j), grouped, { chosen, normal: options.normal }),
  ).flat();
  const values = Float64Array.from(contributions, (nats, at) => {
    const mean = nats.reduce((sum, value) => sum + value, 0) / nats.length;
    return (mean > rounding ? mean : 0) / entropies[at % factors.length]!;
  });
  const gap = meanGap({ rows: columns, columns: factors.length, values });
  const definition = `mig-chen (sampled codes, continuous entropies, ${chosen.length} of ${rows} rows sampled; high where posteriors are narrower than the distance between rows)`;
  if (options.bootstrap === undefined) return { ...gap, definition };
  const shares = contributions.map((nats, at) => nats.map((value) => value / entropies[at % factors.length]!));
  return {
    ...gap,
    definition,
    ...gapIntervals(shares, { latents: columns, factors: factors.length }, options.bootstrap),
  };
}

/** Nats; less than this is nothing but rounding. */
const rounding = 1e-12;

interface Latent {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

function latentOf({ mean, logvar }: GaussianRows, j: number): Latent {
  const { rows, columns } = mean;
  return {
    mean: Float64Array.from({ length: rows }, (_, i) => mean.values[i * columns + j]!),
    deviation: Float64Array.from({ length: rows }, (_, i) => Math.exp(logvar.values[i * columns + j]! / 2)),
  };
}

/** Rows of every class. */
function membersOf({ labels, classes }: LabelledFactor): Int32Array[] {
  const members = Array.from({ length: classes }, (): number[] => []);
  for (const [row, label] of labels.entries()) members[label]!.push(row);
  return members.map((rows) => Int32Array.from(rows));
}

/** ln q(z | v_k) - ln q(z) of every sampled code of one latent, nats, by factor: their mean is I(z; v_k). */
function informationOf(
  { mean, deviation }: Latent,
  factors: readonly { readonly labels: Int32Array; readonly members: readonly Int32Array[] }[],
  { chosen, normal }: { chosen: Int32Array; normal: () => number },
): Float64Array[] {
  const rows = mean.length;
  const ratios = new Float64Array(rows);
  const found = factors.map(() => new Float64Array(chosen.length));
  for (const [at, s] of chosen.entries()) {
    const draw = normal();
    const code = mean[s]! + deviation[s]! * draw;
    // q(z | x_m) / q(z | x_s): 1 for the row itself, so that no sum is 0.
    const own = -0.5 * draw * draw;
    let all = 0;
    for (let m = 0; m < rows; m++) {
      const apart = (code - mean[m]!) / deviation[m]!;
      const ratio = (deviation[s]! / deviation[m]!) * Math.exp(-0.5 * apart * apart - own);
      ratios[m] = ratio;
      all += ratio;
    }
    for (const [k, { labels, members }] of factors.entries()) {
      const alike = members[labels[s]!]!;
      let sum = 0;
      for (let i = 0; i < alike.length; i++) sum += ratios[alike[i]!]!;
      found[k]![at] = Math.log(sum / alike.length / (all / rows));
    }
  }
  return found;
}
