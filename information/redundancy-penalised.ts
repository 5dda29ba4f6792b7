import type { JointDistribution } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";
import { minimise } from "./lbfgs.ts";
import { requireSources, type SourcesAndTarget } from "./redundancy-and.ts";
import { bitsPerNat } from "./units.ts";

/** Widths over which |d| is rounded off, one after the other: the last one bounds how far the objective is off. */
const roundings = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5] as const;

/**
 * What RINE finds if its optimisation succeeds: the information at the exact optimum of its penalised objective over all
 * conditional distributions, on a known table.
 *
 *   min over p_1 .. p_n of  1/n sum_i E[ -ln p_i(Y | X_i) ] + weight E[ sum_{i<j} |p_i(. | X_i) - p_j(. | X_j)|_1 ]
 *   answer: H(Y) - 1/n sum_i E[ -log2 p_i(Y | X_i) ] there
 *
 * With weight 0 it is the mean of the I(X_i; Y); for a large weight it falls to that of a common prediction. For UNQ it is
 * 1 up to weight 1/2, log2(1 / weight) up to 1, then 0. With the authors' mean over K classes the weight is beta / K.
 *
 * The problem is convex in the distributions, and a softmax reaches all that are positive, so a stationary point of the
 * logits is the optimum; |d| is taken as sqrt(d^2 + e^2), e falling to 1e-5.
 *
 * Source: RINE paper, equations 9 and 18
 *
 * @param weight of the L1 norm summed over classes, at least 0
 * @returns bits, within 1e-3
 * @throws RangeError for no source, or a weight that is negative or not finite
 */
export function redundancyPenalisedBits(
  joint: JointDistribution,
  { sources, target }: SourcesAndTarget,
  weight: number,
): number {
  requireSources(sources);
  if (!(weight >= 0 && Number.isFinite(weight))) {
    throw new RangeError(`Cannot optimise RINE's objective: "weight" must be finite and not negative, got ${weight}`);
  }
  const { variables, outcomes, probabilities } = regroup(joint, [...sources, target]);
  const n = sources.length;
  const width = n + 1;
  const classes = variables[n]!.symbols.length;
  /** Where the distribution of a source's symbol begins among all parameters. */
  const starts = sourceStarts(variables.slice(0, n).map(({ symbols }) => symbols.length * classes));
  const rows = Array.from(probabilities, (p, at) => ({
    p,
    y: outcomes[at * width + n]!,
    begins: starts.map((start, i) => start + outcomes[at * width + i]! * classes),
  }));
  const contexts = mergeContexts(rows);

  function evaluate(logits: Float64Array, gradient: Float64Array, rounding: number): number {
    const q = softmaxes(logits, classes);
    const byPrediction = new Float64Array(logits.length);
    let value = 0;
    for (const { p, y, begins } of rows) {
      for (const begin of begins) {
        value -= (p / n) * Math.log(q[begin + y]!);
        byPrediction[begin + y]! -= p / n / q[begin + y]!;
      }
    }
    for (const { p, begins } of contexts) {
      for (const [i, first] of begins.entries()) {
        for (const second of begins.slice(i + 1)) {
          for (let k = 0; k < classes; k++) {
            const d = q[first + k]! - q[second + k]!;
            const length = Math.sqrt(d * d + rounding * rounding);
            value += weight * p * length;
            byPrediction[first + k]! += (weight * p * d) / length;
            byPrediction[second + k]! -= (weight * p * d) / length;
          }
        }
      }
    }
    for (let begin = 0; begin < logits.length; begin += classes) {
      let along = 0;
      for (let k = begin; k < begin + classes; k++) along += q[k]! * byPrediction[k]!;
      for (let k = begin; k < begin + classes; k++) gradient[k] = q[k]! * (byPrediction[k]! - along);
    }
    return value;
  }

  let point: Float64Array = new Float64Array(starts.at(-1)! + variables[n - 1]!.symbols.length * classes);
  for (const rounding of roundings) {
    const objective = (at: Float64Array, gradient: Float64Array): number => evaluate(at, gradient, rounding);
    point = minimise(objective, point, { tolerance: 1e-8, iterations: 500 }).point;
  }
  const q = softmaxes(point, classes);
  const ofTarget = new Float64Array(classes);
  let nats = 0;
  for (const { p, y, begins } of rows) {
    ofTarget[y]! += p;
    for (const begin of begins) nats += (p / n) * Math.log(q[begin + y]!);
  }
  return (nats - ofTarget.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0)) * bitsPerNat;
}

function sourceStarts(sizes: readonly number[]): number[] {
  let start = 0;
  return sizes.map((size) => {
    const own = start;
    start += size;
    return own;
  });
}

interface Context {
  readonly p: number;
  readonly begins: readonly number[];
}

/** Probabilities of the sources' symbols together, whatever the target. */
function mergeContexts(rows: readonly Context[]): Context[] {
  const merged = new Map<string, Context>();
  for (const { p, begins } of rows) {
    const key = begins.join();
    merged.set(key, { p: p + (merged.get(key)?.p ?? 0), begins });
  }
  return [...merged.values()];
}

function softmaxes(logits: Float64Array, classes: number): Float64Array {
  const q = new Float64Array(logits.length);
  for (let begin = 0; begin < logits.length; begin += classes) {
    const own = logits.subarray(begin, begin + classes);
    const top = own.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    let total = 0;
    for (let k = 0; k < classes; k++) total += Math.exp(own[k]! - top);
    for (let k = 0; k < classes; k++) q[begin + k] = Math.exp(own[k]! - top) / total;
  }
  return q;
}
