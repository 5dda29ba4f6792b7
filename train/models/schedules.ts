import type { UniqueWarmUp } from "../../schemas/unique-warm-up.ts";
import type { Schedule } from "./family.ts";

/** Exponential, over the steps of a phase: `from` at its first step, `to` at its last. */
export function fall(from: number, to: number): Schedule {
  return (step, steps) => from * (to / from) ** (step / Math.max(1, steps - 1));
}

/**
 * Factor on the rates of the unique codes: `weight` at the first step of a phase, 1 from `share` of its steps on,
 * exponential between.
 *
 * What changes most of a picture is learned first, by whichever code learns fastest; where that is a unique code, what
 * is common stays there (a local optimum). Unique codes that cost more at first leave it to the common one.
 */
export function warmUp({ weight, share }: UniqueWarmUp): Schedule {
  return (step, steps) => weight ** Math.max(0, 1 - step / (share * steps));
}
