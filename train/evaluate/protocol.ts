import type { SessionOptions } from "../../runtime/session.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { NotComputed, Results } from "../../schemas/results.ts";
import type { PairSource } from "../data/pair-source.ts";
import type { State } from "../engine/engine.ts";
import type { CompiledTasks } from "./compile-tasks.ts";
import type { Html } from "./report/html.ts";

/** A trained model, ready to be asked, and the data to ask it with. */
export interface Subject {
  readonly recipe: Recipe;
  /** Variables of the checkpoint by name. */
  readonly values: State;
  readonly source: PairSource;
  readonly tasks: CompiledTasks;
  /** How whatever else runs in ONNX Runtime is to run. */
  readonly sessions: SessionOptions;
  /** Steps of the checkpoints that there are, ascending; the last one is that of `values`, if it is whole. */
  readonly checkpoints: readonly number[];
  /** Variables of another checkpoint, for `tasks.load`. @throws FailureError if it is not whole */
  readonly valuesAt: (step: number) => Promise<State>;
  /** Fresh pairs to draw; the same for every checkpoint of a run. */
  readonly pairs: number;
  /** Of the training run; evaluation draws from streams of its own below it. */
  readonly seed: number;
  /** Folder with the files of the dataset, for measures that need more than the source draws. */
  readonly dataDir?: string | undefined;
  /** Before each part of the work, in words. */
  readonly onProgress: (doing: string) => void;
  readonly warn: (message: string) => void;
}

/** What a protocol found: figures for `results.json`, and the sections of the report that are its own. */
export interface Findings {
  readonly figures: readonly Figure[];
  /** What was measured and came to no number, for `results.json` and the report. */
  readonly notComputed?: readonly NotComputed[];
  readonly importance?: Results["importance"];
  /** Tables that a reader wants first. */
  readonly tables: (results: Results) => readonly Html[];
  /** Charts and pictures; they may run the model again, and are not asked for where no report is wanted. */
  readonly pictures: () => Promise<readonly Html[]>;
}

/**
 * How models of one kind are measured. Every family names its protocol in `protocols.ts`; results, comparison with the
 * recipe, the report's frame and publication are the same for all.
 */
export type Protocol = (subject: Subject) => Promise<Findings>;
