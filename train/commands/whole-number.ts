import { UsageError } from "../../schemas/errors.ts";

/**
 * Reads the value of a flag.
 *
 * @param action what cannot be done with another: "train"
 * @param most where memory grows with the number; none where it does not
 * @throws UsageError for what is no whole number of at least `least` and at most `most`
 */
export function wholeNumber(action: string, flag: string, least: number, most?: number): (text: string) => number {
  const wanted = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`;
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= (most ?? value)) return value;
    throw new UsageError(`Cannot ${action}: ${flag} must be a whole number ${wanted}, got "${text}"`);
  };
}
