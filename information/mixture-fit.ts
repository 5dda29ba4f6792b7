import type { WeightedProduct } from "./exact-mixture.ts";
import { minimise } from "./lbfgs.ts";
import { MixtureParameters } from "./mixture-parameters.ts";

export interface MixtureFit {
  readonly parts: readonly WeightedProduct[];
  /** [rows, columns], nats: multipliers of the cells, which are prices of products where the fit is optimal. */
  readonly prices: Float64Array;
  /** Largest relative difference of a possible cell. */
  readonly error: number;
  readonly penalty: number;
}

export interface MixtureFitOptions {
  readonly prices?: Float64Array | undefined;
  readonly penalty: number;
}

/** Rounds of multipliers, and steps in each. More did not pay: a new product helps sooner than the last digit of an old. */
const [rounds, steps] = [10, 150];
/** Gradient at which a round ends: below it the value no longer moves in float64. */
const tolerance = 1e-7;
/** Close enough: what is missing is made up by `exactMixture`, at that share of the bits. */
const goodError = 1e-8;
const mostPenalty = 3000;

/**
 * A mixture of a few products that is nearly a table, with sum_z w_z (H(a_z) + H(b_z)) at a local maximum: augmented
 * Lagrangian on the cells, each round an L-BFGS minimisation over logarithms of the weights and products.
 *
 *   - sum_z w_z (H(a_z) + H(b_z)) + sum_c prices_c (q_c - p_c) + penalty / 2 sum_c (q_c - p_c)^2 / p_c
 *
 * A product keeps the zeros of its start, so impossible cells stay impossible.
 *
 * Source: Nocedal & Wright 2006, "Numerical Optimization", algorithm 17.4
 *
 * @param table [rows, columns] row-major, sums to 1
 */
export function fitMixture(
  table: Float64Array,
  columns: number,
  start: readonly WeightedProduct[],
  options: MixtureFitOptions,
): MixtureFit {
  const mixture = new MixtureParameters(start, columns);
  const prices = options.prices?.slice() ?? new Float64Array(table.length);
  const slopes = new Float64Array(table.length);
  let penalty = options.penalty;
  let point = mixture.start;
  let error = mixture.at(point).largestError(table);
  for (let round = 0; round < rounds && error > goodError; round++) {
    const scale = mixture.at(point).scales(table, penalty);
    const { point: scaled } = minimise(lagrangian(scale), divided(point, scale), { tolerance, iterations: steps });
    const next = multiplied(scaled, scale);
    const nextError = mixture.at(next).largestError(table);
    // A penalty too weak for rare cells lets the mixture run away from the table.
    if (!(nextError <= Math.max(0.1, 2 * error))) {
      penalty *= 10;
      continue;
    }
    point = next;
    for (const [c, p] of table.entries()) if (p > 0) prices[c]! += (penalty * (mixture.cells[c]! - p)) / p;
    if (nextError > 0.3 * error && penalty < mostPenalty) penalty *= 3;
    error = nextError;
  }
  return { parts: mixture.at(point).parts(), prices, error, penalty };

  function lagrangian(scale: Float64Array) {
    return (scaled: Float64Array, gradient: Float64Array): number => {
      mixture.at(multiplied(scaled, scale));
      let value = 0;
      for (const [c, p] of table.entries()) {
        if (p === 0) continue;
        const difference = mixture.cells[c]! - p;
        slopes[c] = prices[c]! + (penalty * difference) / p;
        value += prices[c]! * difference + (0.5 * penalty * difference * difference) / p;
      }
      value -= mixture.gradient(slopes, gradient);
      for (const [k, factor] of scale.entries()) gradient[k]! *= factor;
      return value;
    };
  }
}

function multiplied(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, k) => value * b[k]!);
}

function divided(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, k) => value / b[k]!);
}
