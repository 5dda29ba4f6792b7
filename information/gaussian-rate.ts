import { type Matrix, requireMatrix } from "./matrix.ts";

/** Diagonal Gaussians, one a row: mean and natural logarithm of the variance. */
export interface GaussianRows {
  readonly mean: Matrix;
  readonly logvar: Matrix;
}

/** Diagonal Gaussian prior; the standard normal has zeros in both. */
export interface GaussianPrior {
  readonly mean: ArrayLike<number>;
  readonly logvar: ArrayLike<number>;
}

/**
 * Rate of every row: KL divergence of its posterior from the prior, summed over dimensions.
 *
 *   R_i = 1/2 sum_j ( logvar_pj - logvar_ij + (exp(logvar_ij) + (mean_ij - mean_pj)^2) / exp(logvar_pj) - 1 )
 *
 * Averaged over rows it is at least the mutual information of code and data, with equality when the prior is the
 * average posterior. It bounds the common information of the data from neither side.
 *
 * Source: Kleinman et al., "Gacs-Korner Common Information Variational Autoencoder", equation 14
 *
 * @param prior [dims]; left out: the standard normal
 * @returns [rows], nats, at least 0 up to rounding
 * @throws RangeError for a prior that has not one finite mean and variance for each dimension
 */
export function gaussianRate(q: GaussianRows, prior?: GaussianPrior): Float64Array {
  const action = "measure a rate";
  const { rows, columns } = requireGaussians(action, "q", q);
  const mean = priorMoments(action, "prior.mean", { given: prior?.mean, columns });
  const logvar = priorMoments(action, "prior.logvar", { given: prior?.logvar, columns });
  return perRow(rows, columns, (i, j) => {
    const at = i * columns + j;
    return gaussianKl(q.mean.values[at]!, q.logvar.values[at]!, mean[j]!, logvar[j]!);
  });
}

function priorMoments(
  action: string,
  name: string,
  { given, columns }: { given: ArrayLike<number> | undefined; columns: number },
): Float64Array {
  const values = given === undefined ? new Float64Array(columns) : Float64Array.from(given);
  requireMatrix(action, name, { rows: 1, columns: values.length, values });
  if (values.length === columns) return values;
  throw new RangeError(`Cannot ${action}: "${name}" must have ${columns} entries, got ${values.length}`);
}

/**
 * KL( first_i || second_i ) of every row, summed over dimensions: how far two encoders disagree.
 *
 * Source: Kleinman et al., equation 8
 *
 * @returns [rows], nats, at least 0 up to rounding
 */
export function gaussianDisagreement(first: GaussianRows, second: GaussianRows): Float64Array {
  const { rows, columns } = requireGaussians("measure a disagreement", "first", first);
  requireGaussians("measure a disagreement", "second", second);
  if (second.mean.rows !== rows || second.mean.columns !== columns) {
    const got = `${second.mean.rows} x ${second.mean.columns}`;
    throw new RangeError(`Cannot measure a disagreement: "second" must be ${rows} x ${columns}, got ${got}`);
  }
  return perRow(rows, columns, (i, j) => {
    const at = i * columns + j;
    const q = [first.mean.values[at]!, first.logvar.values[at]!] as const;
    return gaussianKl(...q, second.mean.values[at]!, second.logvar.values[at]!);
  });
}

/** KL( N(mean, exp logvar) || N(priorMean, exp priorLogvar) ) in nats. */
export function gaussianKl(mean: number, logvar: number, priorMean: number, priorLogvar: number): number {
  const moved = (mean - priorMean) ** 2;
  return 0.5 * (priorLogvar - logvar + (Math.exp(logvar) + moved) / Math.exp(priorLogvar) - 1);
}

function perRow(rows: number, columns: number, term: (i: number, j: number) => number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += term(i, j);
    return sum;
  });
}

/** @returns the means, whose shape both have. @throws RangeError unless means and variances are finite and of one shape */
export function requireGaussians(action: string, name: string, { mean, logvar }: GaussianRows): Matrix {
  requireMatrix(action, `${name}.mean`, mean);
  requireMatrix(action, `${name}.logvar`, logvar);
  if (mean.rows !== logvar.rows || mean.columns !== logvar.columns) {
    const got = `${logvar.rows} x ${logvar.columns}`;
    throw new RangeError(`Cannot ${action}: "${name}.logvar" must be ${mean.rows} x ${mean.columns}, got ${got}`);
  }
  return mean;
}
