import type { JointDistribution, Selection, Variable } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";

/** The largest variable that is a function of each of several variables, and its entropy. */
export interface GacsKorner {
  /** Entropy of the common variable. */
  readonly bits: number;
  /** Distribution of the common variable: the probability of each component. */
  readonly probabilities: Float64Array;
  /** The variables (or merged groups) it is common to. */
  readonly variables: readonly Variable[];
  /** The functions: for each variable, [symbols], the component a symbol lies in; -1 for probability 0. */
  readonly componentOf: readonly Int32Array[];
}

/**
 * Gacs-Korner common information (zero-error information, common randomness) of two or more variables.
 *
 *   C(X_1; ...; X_n) = max_Z H(Z)   such that   Z = f_1(X_1) = ... = f_n(X_n)
 *
 * The maximum is the component that an outcome lies in, in the graph whose nodes are the symbols of all variables and in
 * which an outcome of positive probability joins its symbols. Exact, and discontinuous: an outcome of probability 1e-12
 * can join two components, so the empirical distribution of noisy data has C = 0.
 *
 * Source: Gacs & Korner 1973; GK-VAE paper, equation 1
 *
 * @param of the variables or groups; left out: every variable
 * @returns bits, between 0 and the smallest mutual information of two of them. O(outcomes x variables)
 */
export function gacsKorner(joint: JointDistribution, of?: readonly Selection[]): GacsKorner {
  const grouped = regroup(joint, of ?? joint.variables.map(({ name }) => name));
  const { variables, outcomes, probabilities } = grouped;
  const width = variables.length;
  const starts: number[] = [];
  let nodes = 0;
  for (const { symbols } of variables) {
    starts.push(nodes);
    nodes += symbols.length;
  }

  const parent = Int32Array.from({ length: nodes }, (_, node) => node);
  function root(node: number): number {
    let at = node;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  }
  for (let i = 0; i < probabilities.length; i++) {
    const first = root(starts[0]! + outcomes[i * width]!);
    for (let k = 1; k < width; k++) parent[root(starts[k]! + outcomes[i * width + k]!)] = first;
  }

  const componentOf = variables.map(({ symbols }) => new Int32Array(symbols.length).fill(-1));
  const numbers = new Map<number, number>();
  const sums: number[] = [];
  for (const [i, probability] of probabilities.entries()) {
    const top = root(starts[0]! + outcomes[i * width]!);
    let component = numbers.get(top);
    if (component === undefined) {
      component = numbers.size;
      numbers.set(top, component);
      sums.push(0);
    }
    sums[component]! += probability;
    for (const [k, components] of componentOf.entries()) components[outcomes[i * width + k]!] = component;
  }
  // One component is 0 exactly, although its probability may be summed to 1 - 1e-16.
  const bits = sums.length === 1 ? 0 : sums.reduce((total, p) => total - p * Math.log2(p), 0);
  return { bits, probabilities: Float64Array.from(sums), variables, componentOf };
}
