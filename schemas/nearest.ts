import { distance } from "fastest-levenshtein";

/** Nearest of `known` to a mistyped `word`, if it is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, d: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.d - b.d);
  const best = ranked[0];
  return best !== undefined && best.d <= Math.max(2, Math.ceil(word.length / 2)) ? best.name : undefined;
}

/** End of an error message: `, did you mean "<name>"?`, or nothing where no name of `known` is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? "" : `, did you mean "${meant}"?`;
}

/** End of an error message that has not listed `known`: the name that is meant, or all of them. */
export function meantOrAll(word: string, known: readonly string[]): string {
  return didYouMean(word, known) || `, it must be one of ${known.join(", ") || "none"}`;
}
