import { UsageError } from "../schemas/errors.ts";

/** Rounding of 32-bit floats stays below it, but in networks so sharp that it is amplified on its way. */
export const parityTolerance = 1e-5;

/** `--tolerance` of the commands that prove a file: a share of an output's scale. */
export function parseTolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 0.01) return value;
  throw new UsageError(
    `Cannot compare with tfjs: --tolerance must be above 0 and at most 0.01, for instance 2e-5, got "${text}"`,
  );
}
