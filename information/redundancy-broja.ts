import type { JointDistribution, Selection } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";
import { mutualInformationBits } from "./mutual-information.ts";
import { requireSources } from "./redundancy-and.ts";
import { bitsPerNat } from "./units.ts";

export interface Broja {
  /** Redundant (shared) information. */
  readonly bits: number;
  /** Unique information of each source. */
  readonly uniqueBits: readonly [number, number];
  /**
   * How far the parts can be from their exact values, proved by duality. Mostly below 1e-7; above 1e-6 for 1 in 10,000
   * random tables whose counts range over six decades, 3e-6 the largest seen.
   */
  readonly gapBits: number;
}

/** The most it takes on: cells p(x_1 | y) p(x_2 | y) > 0, and marginal sums, in which the equations are dense. */
export const brojaLimits = { cells: 60_000, sums: 400 } as const;

/** Ends when the minimum is known this well. */
const toleranceNats = 1e-8;

/**
 * Partial information decomposition of Bertschinger, Rauh, Olbrich, Jost and Ay (BROJA).
 *
 *   union = min_Q I_Q(Y; X_1, X_2)   over Q with Q(x_1, y) = P(x_1, y) and Q(x_2, y) = P(x_2, y)
 *   unique_1 = union - I(X_2; Y),   redundant = I(X_1; Y) + I(X_2; Y) - union,   synergistic = I(X_1, X_2; Y) - union
 *
 * Convex. Minimised by Newton's method on f(q) = sum q ln(q(x_1, x_2, y) / q(x_1, x_2)) with a logarithmic barrier, from
 * the Q that makes the sources independent given the target. Since f is homogeneous, f(s) >= <grad f(q), s>, so potentials
 * of the transport problem min_s <grad f(q), s> prove a lower bound at every q, whatever the rounding: `gapBits`.
 *
 * Source: Bertschinger et al. 2014, "Quantifying unique information", definition 1; Boyd & Vandenberghe 2004, chapter 11
 *
 * Cost: some 100 Newton steps of O(|X_1| |X_2| |Y|^2 + (|Y| (|X_1| + |X_2|))^3); 0.6 s for 10 x 10 x 10.
 */
export function redundancyBroja(
  joint: JointDistribution,
  { sources, target }: { readonly sources: readonly [Selection, Selection]; readonly target: Selection },
): Broja {
  requireSources(sources);
  const problem = couplings(regroup(joint, [sources[0], sources[1], target]));
  const { value, gap } = minimise(problem);
  if (!Number.isFinite(value)) {
    const least = joint.probabilities.reduce((low, p) => Math.min(low, p), 1);
    throw new RangeError(
      `Cannot compute the BROJA decomposition: products of probabilities must be above 0 in float64, got probabilities down to ${least.toExponential(1)}`,
    );
  }
  const [first, second] = sources.map((source) => mutualInformationBits(joint, source, target)) as [number, number];
  const targetEntropy = mutualInformationBits(joint, target, target);
  // Between what it cannot fall below and what the start already gives, whatever the rounding.
  const union = Math.max(first, second, targetEntropy + value * bitsPerNat);
  return {
    bits: Math.max(0, first + second - union),
    uniqueBits: [union - second, union - first],
    // The union is at least what either source tells, where rounding left duality nothing to prove.
    gapBits: Math.min(gap * bitsPerNat, union - Math.max(first, second)),
  };
}

/** The cells a coupling may use, and the marginal sums that each takes part in. */
interface Couplings {
  /** Cells of one (x_1, x_2), adjacent: [start, end) of each. */
  readonly blocks: readonly (readonly [number, number])[];
  /** [cells] the sum over x_2, and the sum over x_1, that a cell belongs to. */
  readonly sums: readonly [Int32Array, Int32Array];
  /** [cells] its value of the target. */
  readonly target: Int32Array;
  /** Values of the sums, above 0. */
  readonly masses: Float64Array;
  /** [cells] p(x_1 | y) p(x_2 | y) p(y), above 0. */
  readonly start: Float64Array;
}

function couplings({ variables, outcomes, probabilities }: JointDistribution): Couplings {
  const [m, n, l] = variables.map(({ symbols }) => symbols.length) as [number, number, number];
  const first = new Float64Array(m * l);
  const second = new Float64Array(n * l);
  const prior = new Float64Array(l);
  for (const [at, p] of probabilities.entries()) {
    const y = outcomes[3 * at + 2]!;
    first[outcomes[3 * at]! * l + y]! += p;
    second[outcomes[3 * at + 1]! * l + y]! += p;
    prior[y]! += p;
  }
  const masses = [...first, ...second].filter((mass) => mass > 0);
  let count = 0;
  const [ofFirst, ofSecond] = [first, second].map((sums) => sums.map((mass) => (mass > 0 ? count++ : -1)));

  let cells = 0;
  for (let y = 0; y < l; y++) {
    const [rows, columns] = [first, second].map((sums) => sums.filter((mass, at) => mass > 0 && at % l === y).length);
    cells += rows! * columns!;
  }
  if (count > brojaLimits.sums || cells > brojaLimits.cells) {
    throw new RangeError(
      `Cannot compute the BROJA decomposition: there must be at most ${brojaLimits.sums} marginal sums and ${brojaLimits.cells} cells, got ${count} and ${cells}`,
    );
  }

  const blocks: [number, number][] = [];
  const [start, target]: [number[], number[]] = [[], []];
  const sums: [number[], number[]] = [[], []];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const from = start.length;
      for (let y = 0; y < l; y++) {
        const mass = first[i * l + y]! * second[j * l + y]!;
        if (mass === 0) continue;
        start.push(mass / prior[y]!);
        target.push(y);
        sums[0].push(ofFirst![i * l + y]!);
        sums[1].push(ofSecond![j * l + y]!);
      }
      if (start.length > from) blocks.push([from, start.length]);
    }
  }
  return {
    blocks,
    sums: [Int32Array.from(sums[0]), Int32Array.from(sums[1])],
    target: Int32Array.from(target),
    masses: Float64Array.from(masses),
    start: Float64Array.from(start),
  };
}

/** min of f(q) = -H(Y | X_1, X_2), nats, and how far it can be above the true minimum. */
function minimise(problem: Couplings): { value: number; gap: number } {
  const { start } = problem;
  let q = start;
  let best = { value: objective(q, 0, problem), gap: Number.POSITIVE_INFINITY };
  for (let barrier = 1 / start.length; best.gap > toleranceNats && barrier > 1e-16; barrier /= 8) {
    // A few steps a stage; the bound is for float64 running out.
    for (let step = 0; step < 40; step++) {
      const { direction, decrement, potentials } = newton(q, barrier, problem);
      const value = objective(q, 0, problem);
      const gap = Math.max(0, value - lowerBound(q, potentials, problem));
      if (gap < best.gap) best = { value, gap };
      if (!(decrement > 1e-9 * barrier)) break;
      const next = lineSearch(q, { direction, decrement }, { barrier, problem });
      if (next === undefined) break;
      q = next;
    }
  }
  return best;
}

/** Armijo backtracking from the longest step that stays inside; undefined where float64 shows no descent. */
function lineSearch(
  q: Float64Array,
  { direction, decrement }: { direction: Float64Array; decrement: number },
  { barrier, problem }: { barrier: number; problem: Couplings },
): Float64Array | undefined {
  const value = objective(q, barrier, problem);
  let length = 1;
  for (const [k, move] of direction.entries()) if (move < 0) length = Math.min(length, (-0.99 * q[k]!) / move);
  for (; length > 1e-10; length /= 2) {
    const next = q.map((mass, k) => mass + length * direction[k]!);
    if (objective(next, barrier, problem) <= value - 0.1 * length * decrement) return next;
  }
  return undefined;
}

function objective(q: Float64Array, barrier: number, { blocks }: Couplings): number {
  let value = 0;
  for (const [from, to] of blocks) {
    const total = sumOf(q, from, to);
    for (let k = from; k < to; k++) value += q[k]! * Math.log(q[k]! / total) - barrier * Math.log(q[k]!);
  }
  return value;
}

/**
 * Dual value of min_s <grad f(q), s> over all couplings s: potentials of the sums over x_2 are taken as given, those of
 * the sums over x_1 are set as high as they may be. Never above the minimum of f.
 */
function lowerBound(q: Float64Array, potentials: Float64Array, { blocks, sums, masses }: Couplings): number {
  const dual = potentials.map((value) => -value);
  const least = new Float64Array(masses.length).fill(Number.POSITIVE_INFINITY);
  for (const [from, to] of blocks) {
    const total = sumOf(q, from, to);
    for (let k = from; k < to; k++) {
      const room = Math.log(q[k]! / total) - dual[sums[0][k]!]!;
      least[sums[1][k]!] = Math.min(least[sums[1][k]!]!, room);
    }
  }
  return masses.reduce(
    (sum, mass, row) => sum + mass * (least[row] === Number.POSITIVE_INFINITY ? dual[row]! : least[row]!),
    0,
  );
}

/**
 * Newton direction that keeps all sums: H d + A' v = -g, A d = 0. H is a diagonal minus a multiple of the all-ones matrix
 * in each block, so its inverse is explicit, and only the equations for the potentials v are dense.
 */
function newton(
  q: Float64Array,
  barrier: number,
  problem: Couplings,
): { direction: Float64Array; decrement: number; potentials: Float64Array } {
  const { blocks, sums, masses } = problem;
  const inverse = q.map((value) => (value * value) / (value + barrier));
  const gradient = new Float64Array(q.length);
  const scale = new Float64Array(blocks.length);
  for (const [b, [from, to]] of blocks.entries()) {
    const total = sumOf(q, from, to);
    let kept = 0; // total - sum of inverse, without the cancellation
    for (let k = from; k < to; k++) kept += (barrier * q[k]!) / (q[k]! + barrier);
    for (let k = from; k < to; k++) gradient[k] = Math.log(q[k]! / total) - barrier / q[k]!;
    scale[b] = 1 / kept;
  }
  /** H^-1 v by Sherman-Morrison. */
  function solve(v: Float64Array): Float64Array {
    const out = v.map((value, k) => inverse[k]! * value);
    for (const [b, [from, to]] of blocks.entries()) {
      const shift = sumOf(out, from, to) * scale[b]!;
      for (let k = from; k < to; k++) out[k]! += inverse[k]! * shift;
    }
    return out;
  }

  const schur = Array.from(masses, () => new Float64Array(masses.length));
  for (const [b, [from, to]] of blocks.entries()) {
    for (let k = from; k < to; k++) {
      for (let other = from; other < to; other++) {
        const entry = (k === other ? inverse[k]! : 0) + inverse[k]! * inverse[other]! * scale[b]!;
        for (const side of sums) for (const across of sums) schur[side[k]!]![across[other]!]! += entry;
      }
    }
  }
  const free = solve(gradient);
  const right = new Float64Array(masses.length);
  for (const side of sums) for (const [k, row] of side.entries()) right[row]! -= free[k]!;
  const potentials = solveSemidefinite(schur, right);
  const pulled = gradient.map((value, k) => value + potentials[sums[0][k]!]! + potentials[sums[1][k]!]!);
  const direction = withoutSums(
    solve(pulled).map((value) => -value),
    problem,
  );
  const decrement = -direction.reduce((sum, move, k) => sum + move * gradient[k]!, 0);
  return { direction, decrement, potentials };
}

/** Nearest direction that leaves every sum as it is: rounding in the dense equations must not move the marginals. */
function withoutSums(direction: Float64Array, { sums, target, masses }: Couplings): Float64Array {
  const totals = new Float64Array(masses.length);
  const counts = new Float64Array(masses.length);
  const values = target.reduce((most, y) => Math.max(most, y + 1), 0);
  const whole = new Float64Array(values);
  const cells = new Float64Array(values);
  for (const [k, move] of direction.entries()) {
    for (const side of sums) {
      totals[side[k]!]! += move;
      counts[side[k]!]! += 1;
    }
    whole[target[k]!]! += move;
    cells[target[k]!]! += 1;
  }
  return direction.map((move, k) => {
    const [row, column] = [sums[0][k]!, sums[1][k]!];
    return (
      move - totals[row]! / counts[row]! - totals[column]! / counts[column]! + whole[target[k]!]! / cells[target[k]!]!
    );
  });
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let k = from; k < to; k++) sum += values[k]!;
  return sum;
}

/**
 * A solution of a consistent symmetric positive semidefinite system, by Cholesky in place. A pivot that is rounding only
 * belongs to an equation that follows from the others (both families of sums add up to p(y)): its unknown is set to 0.
 */
function solveSemidefinite(matrix: Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  for (let j = 0; j < n; j++) {
    const row = matrix[j]!;
    const size = row[j]!;
    let pivot = size;
    for (let k = 0; k < j; k++) pivot -= row[k]! * row[k]!;
    const root = pivot > 1e-13 * size ? Math.sqrt(pivot) : Number.POSITIVE_INFINITY;
    row[j] = root;
    for (let i = j + 1; i < n; i++) {
      const other = matrix[i]!;
      let sum = other[j]!;
      for (let k = 0; k < j; k++) sum -= other[k]! * row[k]!;
      other[j] = sum / root;
    }
  }
  const out = right.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) out[i]! -= matrix[i]![k]! * out[k]!;
    out[i]! /= matrix[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) out[i]! -= matrix[k]![i]! * out[k]!;
    out[i]! /= matrix[i]![i]!;
  }
  return out;
}
