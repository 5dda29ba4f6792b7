import { existsSync } from "node:fs";
import path from "node:path";
import { UsageError } from "../../schemas/errors.ts";
import type { Manifest, TaskManifest, TensorSpec } from "../../schemas/manifest.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { openRepository } from "../engine/bundle-files.ts";

/** One task of a bundle and the file that computes it. */
export interface TaskModel {
  readonly task: string;
  readonly spec: TaskManifest;
  /** Absolute path of the ONNX file. */
  readonly file: string;
  readonly bundle: Manifest;
}

export interface ScoredTask {
  /** Absolute path of the bundle. */
  readonly folder: string;
  readonly model: TaskModel;
  /** Tasks that answer for a row whose other view is missing, `encode_1` for `encode`. */
  readonly standIns: readonly TaskModel[];
  /** Views of the bundle that the task does not take. */
  readonly otherViews: readonly TensorSpec[];
}

/**
 * The task of a bundle.
 *
 * @param partial whether tasks of one view stand in where the other is missing
 * @throws UsageError where there is no bundle or no such task, with the nearest; FailureError for a damaged bundle
 */
export async function findTask(bundle: string, task: string, { partial }: { partial: boolean }): Promise<ScoredTask> {
  const folder = path.resolve(bundle);
  if (!existsSync(path.join(folder, "manifest.json"))) {
    const actual = existsSync(folder) ? "a folder without one" : "nothing there";
    throw new UsageError(
      `Cannot score: --model must be a bundle, a folder with manifest.json, got "${bundle}": ${actual}`,
      {
        code: "no_bundle",
      },
    );
  }
  const { manifest, tasks, pathOf } = await (await openRepository(folder)).read("");
  const models = tasks.map(({ task: name, versions }): TaskModel => {
    const spec = versions.at(-1)!;
    return { task: name, spec, file: pathOf(spec), bundle: manifest };
  });
  const model = models.find((candidate) => candidate.task === task);
  if (model === undefined) {
    const known = models.map((candidate) => candidate.task);
    throw new UsageError(
      `Cannot score: --task must be one of ${known.join(", ")}, got "${task}"${didYouMean(task, known)}`,
      { code: "unknown_task" },
    );
  }
  const taken = new Set(model.spec.inputs.map(({ name }) => name));
  const standIns = partial ? models.filter((other) => answersFor(other, model)) : [];
  if (partial && standIns.length === 0) {
    throw new UsageError(
      `Cannot score: --partial needs tasks of one view, ${task}_1 or ${task}_2, got none in the bundle`,
      {
        code: "no_stand_in",
      },
    );
  }
  const views = models.flatMap(({ spec }) => spec.inputs).filter(({ name }) => /^view_\d+$/.test(name));
  const otherViews = new Map(views.filter(({ name }) => !taken.has(name)).map((spec) => [spec.name, spec]));
  return { folder, model, standIns, otherViews: [...otherViews.values()] };
}

/** Whether `other` is `model` for some of its inputs, and says nothing that `model` does not. */
function answersFor(other: TaskModel, model: TaskModel): boolean {
  const names = (specs: readonly TensorSpec[]): Map<string, string> =>
    new Map(specs.map(({ name, dtype, shape }) => [name, `${dtype} ${shape.join("x")}`]));
  const [inputs, outputs] = [names(model.spec.inputs), names(model.spec.outputs)];
  const within = (specs: readonly TensorSpec[], all: Map<string, string>): boolean =>
    [...names(specs)].every(([name, type]) => all.get(name) === type);
  return (
    new RegExp(`^${model.task}_\\d+$`).test(other.task) &&
    other.spec.inputs.length < model.spec.inputs.length &&
    within(other.spec.inputs, inputs) &&
    within(other.spec.outputs, outputs)
  );
}
