import { readFile } from "node:fs/promises";
import path from "node:path";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type Recipe, recipeSchema } from "../../schemas/recipe.ts";
import type { RunStatus } from "../../schemas/run-status.ts";
import { validate } from "../../schemas/validate.ts";
import { checkModelConfig } from "../models/registry.ts";
import { loadLatestCheckpoint } from "./checkpoint.ts";
import type { State } from "./engine.ts";
import { parse, readStatus } from "./run-folder.ts";

export interface LoadedRun {
  /** As the run was started, after overrides. */
  readonly recipe: Recipe;
  /** All variables of the newest whole checkpoint by name; optimiser slots (`adam.m/...`) among them. */
  readonly values: State;
  /** Steps of that checkpoint. */
  readonly step: number;
  readonly status: RunStatus["status"];
}

/**
 * What a run has come to: for evaluation and export.
 *
 * @param warn told of a damaged checkpoint that was passed over
 * @throws UsageError if the folder holds no run
 * @throws FailureError if the run has no checkpoint yet, or none that is whole
 */
export async function loadRun(folder: string, warn: (message: string) => void = console.warn): Promise<LoadedRun> {
  const file = path.join(folder, "recipe.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new UsageError(`Cannot load run "${folder}": it must hold a recipe.json, got none; train into it first`, {
      code: "no_run",
    });
  }
  const recipe = validate(recipeSchema, parse(text, file), `read "${file}"`);
  checkModelConfig(recipe.family, recipe.model, `read "${file}"`);
  const checkpoint = await loadLatestCheckpoint(folder, warn);
  if (checkpoint === undefined) {
    throw new FailureError(`Cannot load run "${folder}": it must hold a checkpoint, got none; train it further`, {
      code: "no_checkpoint",
    });
  }
  const status = (await readStatus(folder))?.status ?? "running";
  return { recipe, values: checkpoint.values, step: checkpoint.state.step, status };
}
