import { UsageError } from "../../schemas/errors.ts";
import { nearest } from "../../schemas/nearest.ts";
import type { Random } from "../random.ts";
import type { Factor, Labels } from "./pair-source.ts";

/** Generative factor before it has a role. */
export interface FactorSize {
  readonly name: string;
  readonly size: number;
}

/** Which factors both views share and which each view draws alone. One list may be left out: it is the rest. */
export interface Roles {
  readonly common?: readonly string[] | undefined;
  readonly unique?: readonly string[] | undefined;
}

/**
 * Gives every factor its role, in the order of `sizes`.
 *
 * @throws UsageError if a name is unknown, named twice, or in neither of two given lists
 */
export function assignRoles(sizes: readonly FactorSize[], roles: Roles, action: string): Factor[] {
  const known = sizes.map(({ name }) => name);
  const given = [...(roles.common ?? []), ...(roles.unique ?? [])];
  for (const [index, name] of given.entries()) {
    if (!known.includes(name)) {
      const meant = nearest(name, known) ?? known.join(", ");
      throw new UsageError(`Cannot ${action}: unknown factor "${name}", did you mean "${meant}"?`, { code: "invalid" });
    }
    if (given.indexOf(name) !== index) {
      throw new UsageError(`Cannot ${action}: factor "${name}" must have one role, got it twice`, { code: "invalid" });
    }
  }
  const left = known.filter((name) => !given.includes(name));
  if (roles.common !== undefined && roles.unique !== undefined && left.length > 0) {
    throw new UsageError(
      `Cannot ${action}: every factor must be common or unique, got neither for ${left.join(", ")}: name it in one list, or leave one list out`,
      { code: "invalid" },
    );
  }
  const common = roles.common ?? known.filter((name) => !(roles.unique ?? []).includes(name));
  return sizes.map(({ name, size }) => ({ name, size, role: common.includes(name) ? "common" : "unique" }));
}

/** Distance between the kept values of a thinned factor of `full` values: from 0 on every n-th is kept. */
export function strideFor(option: string, kept: number, { full, action }: { full: number; action: string }): number {
  if (full % kept === 0) return full / kept;
  throw new UsageError(`Cannot ${action}: "${option}" must divide ${full}, got ${kept}`, {
    code: "invalid",
    path: [option],
  });
}

/** Names of the factors with this role, for a summary. */
export function namesOf(factors: readonly Factor[], role: Factor["role"]): string {
  const names = factors.filter((factor) => factor.role === role).map(({ name }) => name);
  return names.join(", ") || "nothing";
}

/** Draws the value of view 2 given that of view 1, for a unique factor that is not independent. */
export type Follow = (first: number, random: Random) => number;

/**
 * Draws the labels of `size` pairs: factors independent and uniform, common ones once for both views, unique ones for
 * each view (they may coincide). Source: Kleinman et al., GK-VAE, section "Datasets": an epoch is fresh random pairs.
 *
 * `follow` has the unique factors whose second value depends on the first, by name.
 * Rows are drawn one after another, so a smaller batch from the same generator is the beginning of a larger one.
 */
export function drawLabels(
  factors: readonly Factor[],
  size: number,
  random: Random,
  follow: Readonly<Record<string, Follow>> = {},
): [Labels, Labels] {
  const columns = factors.map((factor) => {
    const first = new Int32Array(size);
    const second = factor.role === "common" ? first : new Int32Array(size);
    return { factor, first, second, drawSecond: follow[factor.name] ?? (() => random.integer(factor.size)) };
  });
  for (let row = 0; row < size; row++) {
    for (const { factor, first, second, drawSecond } of columns) {
      first[row] = random.integer(factor.size);
      if (second !== first) second[row] = drawSecond(first[row]!, random);
    }
  }
  return [
    Object.fromEntries(columns.map(({ factor, first }) => [factor.name, first])),
    Object.fromEntries(columns.map(({ factor, second }) => [factor.name, second])),
  ];
}

/**
 * Common information of the two views' *factor labels* in bits: the entropy of the common factors, sum of log2 size.
 *
 * For independent uniform factors Gács-Körner, mutual and Wyner information of the labels are all this number
 * (Gács & Körner 1973). It is also the number for the *images* where each image tells its common factors; where
 * two values look the same it is an upper bound.
 */
export function commonFactorBits(factors: readonly Factor[]): number {
  return factors.reduce((bits, { role, size }) => (role === "common" ? bits + Math.log2(size) : bits), 0);
}
