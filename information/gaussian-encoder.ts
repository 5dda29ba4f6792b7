import { logSumExp } from "./log-sum-exp.ts";
import type { Matrix } from "./matrix.ts";

/** x uniform over the rows of `means`, z = mean of x + noise. */
export interface GaussianEncoder {
  /** [values of x, latents] */
  readonly means: Matrix;
  /** Standard deviation of the noise in every latent. */
  readonly deviation: number;
  /** Correlation sigma of the noise between any two latents, from 0 to below 1. */
  readonly correlation: number;
}

/** Monte Carlo estimate, nats. */
export interface Estimate {
  readonly nats: number;
  readonly standardError: number;
}

export interface EncoderInformation {
  /** KL( q(z) || prod_j q(z_j) ) */
  readonly totalCorrelation: Estimate;
  /** I(z; x) */
  readonly information: Estimate;
  /** sum_j I(z_j; x) */
  readonly informationSum: Estimate;
  /** E KL( q(z|x) || prod_j q(z_j|x) ): exact, 0 without correlation. */
  readonly conditionalTotalCorrelation: number;
}

/**
 * The four terms of
 *
 *   TC(z) + I(z; x) = sum_j I(z_j; x) + TC(z | x)
 *
 * each estimated from a sample of its own, so that the identity can fail. With factorised noise the last one is 0: what
 * codes tell twice about the data is their total correlation.
 *
 * Source: Yang et al. ("Split Encoder"), theorems 1 and 2
 *
 * @param draw the caller's seeded generator
 * @throws RangeError for a deviation or correlation out of range, or fewer than 2 samples
 */
export function encoderInformation(
  encoder: GaussianEncoder,
  { samples, draw }: { samples: number; draw: { integer(n: number): number; normal(): number } },
): EncoderInformation {
  const { means, deviation, correlation } = encoder;
  const action = "measure a Gaussian encoder";
  if (!(deviation > 0)) throw new RangeError(`Cannot ${action}: "deviation" must be above 0, got ${deviation}`);
  if (!(correlation >= 0 && correlation < 1)) {
    throw new RangeError(`Cannot ${action}: "correlation" must be from 0 to below 1, got ${correlation}`);
  }
  if (!(samples >= 2)) throw new RangeError(`Cannot ${action}: there must be at least 2 samples, got ${samples}`);
  const { rows, columns } = means;
  const sample = (): { x: number; z: Float64Array } => {
    const x = draw.integer(rows);
    const shared = Math.sqrt(correlation) * draw.normal();
    const z = Float64Array.from(
      { length: columns },
      (_, j) => means.values[x * columns + j]! + deviation * (Math.sqrt(1 - correlation) * draw.normal() + shared),
    );
    return { x, z };
  };
  const given = (z: Float64Array, x: number) => jointLogDensity(encoder, z, x);
  const whole = (z: Float64Array) => averageOver(rows, (x) => given(z, x));
  const single = (z: Float64Array, j: number) => averageOver(rows, (x) => singleLogDensity(encoder, z, { x, j }));
  const overLatents = (term: (j: number) => number) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += term(j);
    return sum;
  };
  const estimate = (term: (z: Float64Array, x: number) => number): Estimate => {
    const values = Float64Array.from({ length: samples }, () => {
      const { x, z } = sample();
      return term(z, x);
    });
    const nats = values.reduce((sum, value) => sum + value, 0) / samples;
    const variance = values.reduce((sum, value) => sum + (value - nats) ** 2, 0) / (samples - 1);
    return { nats, standardError: Math.sqrt(variance / samples) };
  };
  return {
    totalCorrelation: estimate((z) => whole(z) - overLatents((j) => single(z, j))),
    information: estimate((z, x) => given(z, x) - whole(z)),
    informationSum: estimate((z, x) => overLatents((j) => singleLogDensity(encoder, z, { x, j }) - single(z, j))),
    conditionalTotalCorrelation: -0.5 * logDeterminant(columns, correlation),
  };
}

const lnTwoPi = Math.log(2 * Math.PI);

/** ln det of (1 - sigma) I + sigma 1 1'. */
function logDeterminant(columns: number, correlation: number): number {
  return (columns - 1) * Math.log1p(-correlation) + Math.log1p((columns - 1) * correlation);
}

/** ln q(z | x). The inverse of the correlation matrix is ( I - sigma / (1 + (J - 1) sigma) 1 1' ) / (1 - sigma). */
function jointLogDensity({ means, deviation, correlation }: GaussianEncoder, z: Float64Array, x: number): number {
  const { columns } = means;
  let [squares, sum] = [0, 0];
  for (let j = 0; j < columns; j++) {
    const apart = (z[j]! - means.values[x * columns + j]!) / deviation;
    squares += apart * apart;
    sum += apart;
  }
  const form = (squares - (correlation / (1 + (columns - 1) * correlation)) * sum * sum) / (1 - correlation);
  const scale = columns * (lnTwoPi + 2 * Math.log(deviation)) + logDeterminant(columns, correlation);
  return -0.5 * (form + scale);
}

function singleLogDensity(
  { means, deviation }: GaussianEncoder,
  z: Float64Array,
  { x, j }: { x: number; j: number },
): number {
  const apart = (z[j]! - means.values[x * means.columns + j]!) / deviation;
  return -0.5 * (apart * apart + lnTwoPi) - Math.log(deviation);
}

function averageOver(rows: number, logDensity: (x: number) => number): number {
  return logSumExp(Float64Array.from({ length: rows }, (_, x) => logDensity(x))) - Math.log(rows);
}
