import type { Factor } from "../data/pair-source.ts";
import type { EncodedPairs } from "./encode-pairs.ts";

/** Factors that take more than one value in the pairs, in either view: of the others there is nothing to find. */
export function variedFactors(factors: readonly Factor[], labels: EncodedPairs["labels"]): Factor[] {
  return factors.filter(({ name }) => labels.every((ofView) => new Set(ofView[name]).size > 1));
}

/** Name of the figures about all common factors at once. */
export const jointName = "common_factors";

/** More classes than this leave a probe too few examples of each. */
const jointClasses = 64;

/** All common factors as one: its entropy is the common information of the labels. */
export function jointFactor(factors: readonly Factor[]): Factor | undefined {
  const common = factors.filter(({ role }) => role === "common");
  const size = common.reduce((product, factor) => product * factor.size, 1);
  return common.length > 1 && size <= jointClasses ? { name: jointName, size, role: "common" } : undefined;
}

/** Labels of one view, for `common_factors` the number of the combination. */
export function labelsOf(
  { name }: Factor,
  labels: Readonly<Record<string, Int32Array>>,
  factors: readonly Factor[],
): Int32Array {
  if (name !== jointName) return labels[name]!;
  const common = factors.filter(({ role }) => role === "common");
  const first = labels[common[0]!.name]!;
  return Int32Array.from(first, (_, i) =>
    common.reduce((index, factor) => index * factor.size + labels[factor.name]![i]!, 0),
  );
}
