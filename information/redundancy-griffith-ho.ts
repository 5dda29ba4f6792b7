import { type Column, ConcaveEnvelope } from "./concave-envelope.ts";
import { extremeRays } from "./extreme-rays.ts";
import type { JointDistribution } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { redundancyAndBits, requireSources, type SourcesAndTarget } from "./redundancy-and.ts";
import { bitsPerNat } from "./units.ts";

/** The most it takes on; beyond, the exact method would not end in reasonable time. Full tables meet the rays first. */
export const griffithHoLimits = { outcomes: 60, rays: 3000 } as const;

/** Worth of an artificial column: far below any mixture, so that none is left in the optimum. Nats. */
const artificial = -1e4;

/**
 * Redundant information I_GH (I_alpha): the most that a variable tells about the target without adding, to any single
 * source, anything about it.
 *
 *   I_GH = max_Q I(Q; Y)   such that   I(Q; Y | X_i) = 0 for every source,   Q drawn from any p(q | x_1, ..., x_n, y)
 *
 * Exact. For each q the constraint is linear in w(x, y) = p(q | x, y) p(x, y): the ratio w(x_i, y) / p(x_i, y) must not
 * depend on y. So the distribution is to be written as a sum of elements of a polyhedral cone; splitting an element never
 * loses information (it is convex), hence only the cone's extreme rays matter, and what is left is a linear programme
 * over them.
 *
 * Note: for AND this definition gives 0.1226 bits (also in dit's tests), where table 1 of the RINE paper prints 0.
 *
 * Source: Griffith & Ho 2015, "Quantifying redundant information in predicting a target random variable"; RINE paper,
 * equation 3
 *
 * @returns bits, between I_and and the smallest I(X_i; Y). Exponential in general: full tables up to 4 x 3 x 2
 *   (24 outcomes, 0.3 s) or 3 x 2 x 3 fit, 3 x 3 x 3, 4 x 4 x 2 and 5 x 3 x 2 do not; sparse ones up to 60 outcomes may
 * @throws RangeError for no source, for more outcomes of positive probability, or extreme rays, than `griffithHoLimits`, and for
 *   probabilities too far apart for float64
 */
export function redundancyGriffithHoBits(joint: JointDistribution, { sources, target }: SourcesAndTarget): number {
  requireSources(sources);
  const grouped = regroup(joint, [...sources, target]);
  const { probabilities } = grouped;
  const { outcomes: mostOutcomes, rays: mostRays } = griffithHoLimits;
  if (probabilities.length > mostOutcomes)
    throw tooLarge(`${mostOutcomes} outcomes`, `${probabilities.length}`, bounds());
  const rays = extremeRays(probabilities.length, markovConstraints(grouped), mostRays);
  if (rays === undefined) {
    throw tooLarge(`${mostRays} extreme rays`, `more from ${probabilities.length} outcomes`, bounds());
  }

  // Rows that determine the rest keep the programme free of redundant equations.
  const rows = independentRows(rays);
  const prior = targetSums(grouped, probabilities);
  const columns = rays.map(
    (ray): Column => ({
      point: Float64Array.from(rows, (row) => ray[row]!),
      value: informationOf(targetSums(grouped, ray), prior),
    }),
  );
  const start = rows.map((_, k): Column => {
    const point = new Float64Array(rows.length);
    point[k] = 1;
    return { point, value: artificial };
  });
  const envelope = new ConcaveEnvelope(
    Float64Array.from(rows, (row) => probabilities[row]!),
    start,
  );
  envelope.add(columns);
  envelope.optimise();
  if (!envelope.sound || envelope.largestGain() > 1e-9) {
    const least = probabilities.reduce((low, p) => Math.min(low, p), 1);
    throw new RangeError(
      `Cannot compute the Griffith-Ho redundancy: the linear programme must reach its optimum in float64, got stuck with probabilities down to ${least.toExponential(1)}`,
    );
  }
  const nats = envelope
    .parts()
    .filter(({ column }) => column.value !== artificial)
    .reduce((sum, { weight, column }) => sum + weight * column.value, 0);
  return Math.max(0, nats * bitsPerNat);

  /** What is known of it without the search. */
  function bounds(): string {
    const least = redundancyAndBits(joint, { sources, target });
    const most = Math.min(...sources.map((source) => mutualInformationBits(joint, source, target)));
    return `it lies between ${least.toFixed(4)} (I_and) and ${most.toFixed(4)} bits (the least that a source tells)`;
  }
}

function tooLarge(wanted: string, got: string, known: string): RangeError {
  return new RangeError(
    `Cannot compute the Griffith-Ho redundancy: there must be at most ${wanted}, got ${got}; ${known}`,
  );
}

/** sum_y w(y) ln( w(y) / (w p(y)) ), nats: what a value of Q of weight w adds to I(Q; Y). */
function informationOf(byTarget: Float64Array, prior: Float64Array): number {
  const weight = byTarget.reduce((sum, value) => sum + value, 0);
  return byTarget.reduce((sum, w, y) => (w > 0 ? sum + w * Math.log(w / (weight * prior[y]!)) : sum), 0);
}

function targetSums({ variables, outcomes }: JointDistribution, weights: Float64Array): Float64Array {
  const width = variables.length;
  const sums = new Float64Array(variables[width - 1]!.symbols.length);
  for (const [at, weight] of weights.entries()) sums[outcomes[at * width + width - 1]!]! += weight;
  return sums;
}

/** For each symbol of a source and each two values of the target with it: equal ratios of w to p. */
function markovConstraints({ variables, outcomes, probabilities }: JointDistribution): Float64Array[] {
  const width = variables.length;
  const constraints: Float64Array[] = [];
  for (let source = 0; source < width - 1; source++) {
    const bySymbol = new Map<number, Map<number, number[]>>();
    for (let at = 0; at < probabilities.length; at++) {
      const symbol = outcomes[at * width + source]!;
      const y = outcomes[at * width + width - 1]!;
      const byTarget = bySymbol.get(symbol) ?? new Map<number, number[]>();
      bySymbol.set(symbol, byTarget.set(y, [...(byTarget.get(y) ?? []), at]));
    }
    for (const byTarget of bySymbol.values()) {
      const [reference, ...others] = [...byTarget.values()].map((members) => shareOf(members, probabilities));
      for (const other of others) constraints.push(other.map((value, at) => value - reference![at]!));
    }
  }
  return constraints;
}

/** The linear form w -> (sum of w over members) / (sum of p over members). */
function shareOf(members: readonly number[], probabilities: Float64Array): Float64Array {
  const total = members.reduce((sum, at) => sum + probabilities[at]!, 0);
  const form = new Float64Array(probabilities.length);
  for (const at of members) form[at] = 1 / total;
  return form;
}

/** Rows whose values determine all others in the span of the rays: Gaussian elimination with full pivoting. */
function independentRows(rays: readonly Float64Array[]): number[] {
  const left = rays.map((ray) => ray.slice());
  const rows: number[] = [];
  for (;;) {
    let [best, ray, row] = [1e-10, -1, -1];
    for (const [i, values] of left.entries()) {
      for (const [k, value] of values.entries()) if (Math.abs(value) > best) [best, ray, row] = [Math.abs(value), i, k];
    }
    if (ray < 0) return rows;
    rows.push(row);
    const pivot = left[ray]!.slice();
    for (const values of left) {
      const factor = values[row]! / pivot[row]!;
      if (factor !== 0) for (const [k, value] of pivot.entries()) values[k]! -= factor * value;
    }
  }
}
