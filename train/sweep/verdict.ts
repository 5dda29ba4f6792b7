/** How a figure of a sweep stands to what its source claims. */
export interface Judged {
  /** Whether it has the claimed sign; undefined where nothing is claimed. */
  readonly agrees?: boolean | undefined;
  /** Whether it is told from chance. */
  readonly isClear: boolean;
}

/** @returns words for people, and the class of the report's style sheet */
export function verdictOf({ agrees, isClear }: Judged): { words: string; look: string } {
  if (isClear) return agrees ? { words: "agrees", look: "met" } : { words: "contradicts it", look: "missed" };
  return { words: `not clear; ${agrees ? "the same" : "the other"} direction`, look: "" };
}

/** A p-value for people; one that three digits would round to zero, which none is, is said to be below them. */
export function pText(pValue: number): string {
  return pValue < 0.001 ? "p < 0.001" : `p = ${pValue.toFixed(3)}`;
}
