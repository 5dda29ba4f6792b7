import { type JointDistribution, jointFromOutcomes } from "./joint-distribution.ts";

/**
 * The canonical tasks of partial information decomposition: sources "x1" and "x2", target "y".
 *
 * Source: RINE paper, appendix A, tables 2-5; Griffith & Koch 2014
 */

/** UNQ: each source is one of the two bits of the target. 1 bit unique to each. */
export function uniqueTask(): JointDistribution {
  return equallyLikely(["a b ab", "a B aB", "A b Ab", "A B AB"]);
}

/** AND: the target is the conjunction of two fair bits. */
export function andTask(): JointDistribution {
  return equallyLikely(["0 0 0", "0 1 0", "1 0 0", "1 1 1"]);
}

/** XOR: the target is the parity of two fair bits. 1 bit of synergy. */
export function xorTask(): JointDistribution {
  return equallyLikely(["0 0 0", "0 1 1", "1 0 1", "1 1 0"]);
}

/** RDNXOR: a bit that both sources hold, and the parity of their other bits. 1 bit redundant, 1 bit synergistic. */
export function redundantXorTask(): JointDistribution {
  const parity = ["0 0 0", "0 1 1", "1 0 1", "1 1 0"];
  const prefixed = ["r", "R"].flatMap((bit) => parity.map((row) => row.replace(/\d/g, (digit) => bit + digit)));
  return equallyLikely(prefixed);
}

/** IMPERFECTRDN: the first source is the target, the second is too but for a flip of probability 0.001. */
export function imperfectRedundancyTask(): JointDistribution {
  return jointFromOutcomes(
    ["x1", "x2", "y"],
    [
      [[0, 0, 0], 0.499],
      [[0, 1, 0], 0.001],
      [[1, 1, 1], 0.5],
    ],
  );
}

function equallyLikely(rows: readonly string[]): JointDistribution {
  return jointFromOutcomes(
    ["x1", "x2", "y"],
    rows.map((row) => [row.split(" "), 1 / rows.length]),
  );
}
