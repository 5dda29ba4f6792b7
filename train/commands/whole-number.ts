import { UsageError } from "../../schemas/errors.ts";

/**
 * Reads the value of a flag.
 *
 * @param action what cannot be done with another: "train"
 * @throws UsageError for what is no whole number of at least `least`
 */
export function wholeNumber(action: string, flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new UsageError(`Cannot ${action}: ${flag} must be a whole number of at least ${least}, got "${text}"`);
  };
}
