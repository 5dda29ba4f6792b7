import type { Selection } from "./joint-distribution.ts";

/** Names of all selections, each once: H(X, X) is H(X). */
export function union(...selections: readonly Selection[]): string[] {
  return [...new Set(selections.flat())];
}
