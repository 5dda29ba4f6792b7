import { type JointDistribution, jointFromRows, jointFromTable } from "../../information/joint-distribution.ts";
import { stream } from "../../train/random.ts";

/** Seeded random distribution of variables named `names`, of the given sizes; a share `zeros` of cells is impossible. */
export function randomJoint(
  seed: number,
  names: readonly string[],
  { sizes, zeros = 0 }: { sizes: readonly number[]; zeros?: number },
): JointDistribution {
  const random = stream(seed, "random-joint", ...names, ...sizes, zeros);
  const cells = sizes.reduce((product, size) => product * size, 1);
  const weights = Array.from({ length: cells }, () => (random.uniform() < zeros ? 0 : -Math.log(1 - random.uniform())));
  weights[random.integer(cells)]! += 0.1; // never all zero
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return jointFromTable(
    names.map((name, k) => ({ name, symbols: Array.from({ length: sizes[k]! }, (_, i) => `${name}${i}`) })),
    weights.map((weight) => weight / total),
  );
}

/** The same factor in both views, uniform. */
export function shared(name: string, size: number): JointDistribution {
  return jointFromRows(
    [`${name}1`, `${name}2`],
    Array.from({ length: size }, (_, i) => [i, i]),
  );
}

const shapes = [
  { sizes: [2, 3] },
  { sizes: [3, 3], zeros: 0.4 },
  { sizes: [4, 3] },
  { sizes: [4, 4], zeros: 0.6 },
] as const;

/** Twelve pairs of small variables, some with cells that never occur. */
export const randoms = Array.from({ length: 12 }, (_, seed) => randomJoint(seed, ["x", "y"], shapes[seed % 4]!));
