import type { Schedule } from "./family.ts";

/** Exponential, over the steps of a phase: `from` at its first step, `to` at its last. */
export function fall(from: number, to: number): Schedule {
  return (step, steps) => from * (to / from) ** (step / Math.max(1, steps - 1));
}
