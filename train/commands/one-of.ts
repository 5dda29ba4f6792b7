import { UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";

/** What `--device` takes where a compiled step is trained. */
export const DEVICES = ["auto", "cpu", "webgpu", "cuda"] as const;

/** Parses an option's value that is one of a few words; a UsageError names them and the nearest. */
export function oneOf(action: string, flag: string, known: readonly string[]): (text: string) => string {
  return (text) => {
    if (known.includes(text)) return text;
    throw new UsageError(
      `Cannot ${action}: ${flag} must be ${known.join(", ")}, got "${text}"${didYouMean(text, known)}`,
      { code: "unknown_option" },
    );
  };
}
