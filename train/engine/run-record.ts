import type { Disk } from "../../files/disk.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { RunStatus } from "../../schemas/run-status.ts";
import { type Checkpoint, saveCheckpoint } from "./checkpoint.ts";
import { Clock } from "./clock.ts";
import { configurationOf, hashOf } from "./configuration.ts";
import type { State } from "./engine.ts";
import { type MetricsLog, openMetricsLog } from "./metrics-log.ts";
import type { RunFolder } from "./run-folder.ts";

export type Terms = Readonly<Record<string, number>>;

export interface RecordParts {
  readonly folder: RunFolder;
  readonly recipe: Recipe;
  readonly engine: string;
  readonly threads: number;
  readonly disk: Disk;
  /** From which the run goes on. */
  readonly checkpoint: Checkpoint | undefined;
}

/** Where a run stands, and what of it is on disk: run.json, metrics.jsonl, checkpoints. */
export class RunRecord {
  /** Steps done. */
  step: number;
  /** Where the steps really run; empty until an engine has started. */
  device: string;
  readonly clock: Clock;
  readonly #parts: RecordParts;
  readonly #metrics: MetricsLog;
  #savedStep: number;

  static async open(parts: RecordParts): Promise<RunRecord> {
    await parts.folder.writeRecipe(parts.recipe);
    return new RunRecord(parts, await openMetricsLog(parts.folder.path, parts.checkpoint?.state.step ?? 0, parts.disk));
  }

  private constructor(parts: RecordParts, metrics: MetricsLog) {
    const state = parts.checkpoint?.state;
    this.#parts = parts;
    this.#metrics = metrics;
    this.step = state?.step ?? 0;
    this.#savedStep = this.step;
    this.device = state?.device ?? "";
    this.clock = new Clock(state?.seconds ?? 0);
  }

  /**
   * Notes the terms of step `this.step`.
   *
   * @throws FailureError that names a term which is not finite
   */
  async note(terms: Terms, phase: string): Promise<void> {
    const bad = Object.entries(terms).find(([, value]) => !Number.isFinite(value));
    if (bad !== undefined) throw this.#diverged(`term "${bad[0]}" of phase "${phase}" must be finite, got ${bad[1]}`);
    const { logEvery, steps, batchSize } = this.#parts.recipe.training;
    if (this.step !== 1 && this.step % logEvery !== 0 && this.step !== steps) return;
    const examplesPerSecond = batchSize * this.clock.stepsPerSecond(this.step);
    await this.#metrics.write({ step: this.step, phase, terms, seconds: this.clock.seconds, examplesPerSecond });
  }

  /** @throws FailureError, and keeps the checkpoint before, if a variable is not finite or the disk refuses */
  async save(values: State, phase: string): Promise<void> {
    const { recipe, engine, threads, folder, disk } = this.#parts;
    const broken = [...values].find(([, { data }]) => !allFinite(data as Float32Array));
    if (broken !== undefined) {
      throw this.#diverged(`variable "${broken[0]}" must be finite after the update, got values that are not`);
    }
    const configuration = configurationOf(recipe);
    const head = {
      step: this.step,
      steps: recipe.training.steps,
      phase,
      seconds: this.clock.seconds,
      configuration,
      recipeHash: hashOf(configuration),
      engine,
      device: this.device,
      threads,
    };
    await saveCheckpoint(folder.path, head, values, { disk, keep: recipe.training.keepCheckpoints });
    this.#savedStep = this.step;
    await this.writeStatus("running");
  }

  /** run.json tells of the newest checkpoint, not of steps that a resume would have to do again. */
  writeStatus(status: RunStatus["status"], error?: string): Promise<void> {
    return this.#parts.folder.writeStatus({
      status,
      step: this.#savedStep,
      steps: this.#parts.recipe.training.steps,
      seconds: this.clock.seconds,
      engine: this.#parts.engine,
      device: this.device,
      ...(error === undefined ? {} : { error }),
    });
  }

  close(): Promise<void> {
    return this.#metrics.close();
  }

  #diverged(what: string): FailureError {
    const saved =
      this.#savedStep > 0 ? `the checkpoint of step ${this.#savedStep} is kept` : "no checkpoint was due yet";
    return new FailureError(
      `Cannot go on training at step ${this.step}: ${what}; ${saved}; try a smaller learning rate`,
      { code: "not_finite" },
    );
  }
}

function allFinite(data: Float32Array): boolean {
  for (const value of data) if (!Number.isFinite(value)) return false;
  return true;
}
