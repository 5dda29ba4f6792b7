import { createHash } from "node:crypto";
import type { CheckpointState, Configuration } from "../../schemas/checkpoint.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import type { Phase, Schedule } from "../models/family.ts";

/** Everything of a recipe that the trained values depend on, the number of steps apart. */
export function configurationOf({ family, model, data, training }: Recipe): Configuration {
  const { seed, batchSize, microBatch } = training;
  return { family, model, data, seed, batchSize, microBatch };
}

export function hashOf(configuration: Configuration): string {
  return createHash("sha256").update(canonical(configuration)).digest("hex");
}

type Scheduled = Pick<Phase, "name" | "scalars">;

/** Whether a run of other steps would have had other values of a schedule at a step that this one has done. */
function isTiedToSteps(phases: readonly Scheduled[], { step, steps }: CheckpointState, wanted: number): boolean {
  return schedulesOf(phases).some((schedule) => schedule(step, steps) !== schedule(step, wanted));
}

/**
 * Whether a training of `step` steps would have had other values than the first `step` of a longer one: where phases
 * share the steps out, or a schedule ends with them.
 *
 * @param phases of the family
 */
export function isCutShort({ training: { steps } }: Recipe, step: number, phases: readonly Scheduled[]): boolean {
  if (step >= steps) return false;
  if (phases.length > 1) return true;
  return schedulesOf(phases).some((schedule) => {
    for (let at = 0; at < step; at++) if (schedule(at, steps) !== schedule(at, step)) return true;
    return false;
  });
}

function schedulesOf(phases: readonly Scheduled[]): Schedule[] {
  return phases.flatMap(({ scalars }) => Object.values(scalars));
}

/**
 * @param phases of the family: with one a run may be made longer, unless a schedule ends with it; with several their
 *   borders would move
 * @throws UsageError that names the first field in which the checkpoint and the recipe differ
 */
export function requireSameConfiguration(
  checkpoint: CheckpointState,
  recipe: Recipe,
  { folder, phases: all }: { folder: string; phases: readonly Scheduled[] },
): void {
  const phases = all.map(({ name }) => name);
  const refuse = (field: string, saved: unknown, given: unknown): UsageError =>
    new UsageError(
      `Cannot resume "${folder}": ${field} must be ${canonical(saved)} as in its checkpoint, got ${canonical(given)}; use another --out, or --force to start anew`,
      { code: "foreign_checkpoint", path: field.split(".") },
    );
  const given = configurationOf(recipe);
  const difference = firstDifference(checkpoint.configuration, given, []);
  if (difference !== undefined) {
    const [head = "", ...rest] = difference.path;
    const field = ["seed", "batchSize", "microBatch"].includes(head) ? ["training", head, ...rest] : [head, ...rest];
    throw refuse(field.join("."), difference.saved, difference.given);
  }
  if (!phases.includes(checkpoint.phase)) {
    throw new UsageError(
      `Cannot resume "${folder}": the phase of its checkpoint must be one of ${phases.join(", ")}, got "${checkpoint.phase}"${didYouMean(checkpoint.phase, phases)}; use another --out, or --force to start anew`,
      { code: "foreign_checkpoint", path: ["phase"] },
    );
  }
  const { steps } = recipe.training;
  if (steps === checkpoint.steps) return;
  if (phases.length > 1 || isTiedToSteps(all, checkpoint, steps))
    throw refuse("training.steps", checkpoint.steps, steps);
  if (steps < checkpoint.step) {
    throw new UsageError(
      `Cannot resume "${folder}": training.steps must be at least ${checkpoint.step}, the steps already done, got ${steps}`,
      { code: "foreign_checkpoint", path: ["training", "steps"] },
    );
  }
}

interface Difference {
  readonly path: readonly string[];
  readonly saved: unknown;
  readonly given: unknown;
}

function firstDifference(saved: unknown, given: unknown, path: readonly string[]): Difference | undefined {
  if (canonical(saved) === canonical(given)) return undefined;
  if (!isObject(saved) || !isObject(given)) return { path, saved, given };
  const keys = [...new Set([...Object.keys(saved), ...Object.keys(given)])];
  for (const key of keys) {
    const difference = firstDifference(saved[key], given[key], [...path, key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** JSON with sorted keys: equal for equal values, whatever the order they were written in. */
function canonical(value: unknown): string {
  if (value === undefined) return "nothing";
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
