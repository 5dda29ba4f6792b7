/** How a figure of a sweep stands to what its source claims. */
export interface Judged {
  /** Whether it has the claimed sign; undefined where nothing is claimed. */
  readonly agrees?: boolean | undefined;
  /** Whether it is told from chance. */
  readonly isClear: boolean;
}

/** @returns words for people, and the class of the report's style sheet */
export function verdictOf({ agrees, isClear }: Judged): { words: string; look: string } {
  const words = `${agrees ? "agrees" : "does not agree"}${isClear ? "" : ", not clearly"}`;
  return { words, look: agrees ? (isClear ? "met" : "") : "missed" };
}
