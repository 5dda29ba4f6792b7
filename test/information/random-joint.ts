import { type JointDistribution, jointFromTable } from "../../information/joint-distribution.ts";
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
