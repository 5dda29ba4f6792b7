import { UsageError } from "../../schemas/errors.ts";
import type { Phase } from "../models/family.ts";

/** A phase and its steps: from `begin` (exclusive) to `end` (inclusive), counted over the whole run. */
export interface Span {
  readonly phase: Phase;
  readonly begin: number;
  readonly end: number;
}

/**
 * Divides the steps of a run among its phases by their shares.
 *
 * @throws UsageError if there are too few steps for every phase to have one
 */
export function planPhases(phases: readonly Phase[], steps: number): Span[] {
  const total = phases.reduce((sum, { share }) => sum + share, 0);
  if (phases.length === 0 || Math.abs(total - 1) > 1e-9) {
    throw new Error(`Cannot plan the run: the shares of its phases must sum to 1, got ${total}`);
  }
  let share = 0;
  let begin = 0;
  const spans = phases.map((phase, index) => {
    share += phase.share;
    const end = index === phases.length - 1 ? steps : Math.round(share * steps);
    const span = { phase, begin, end };
    begin = end;
    return span;
  });
  const empty = spans.find((span) => span.end <= span.begin);
  if (empty !== undefined) {
    throw new UsageError(
      `Cannot train: training.steps must give every phase a step, got ${steps}, of which "${empty.phase.name}" has none`,
      { code: "too_few_steps", path: ["training", "steps"] },
    );
  }
  return spans;
}
