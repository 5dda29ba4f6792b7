import { existsSync } from "node:fs";
import path from "node:path";
import type { Device } from "../../runtime/session.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { loadSource } from "../data/open-source.ts";
import { runTraining } from "../engine/run.ts";
import { evaluateRun } from "../evaluate/evaluate-run.ts";
import { familyByName } from "../models/registry.ts";
import { untilFree } from "./lock-sweep.ts";

/**
 * The process of one cell: tfjs knows variables by name, so that a process holds one model at a time, and one that dies
 * takes only its own cell along. Goes on from a checkpoint that is there. Without its sweep it saves its step and ends.
 */

export interface CellRequest {
  readonly recipe: Recipe;
  /** Run folder. */
  readonly outDir: string;
  readonly dataDir: string | undefined;
  readonly device: Device | "auto";
  readonly threads: number;
  /** Whether each run gets its own report.html. */
  readonly report: boolean;
}

export type CellMessage =
  | { readonly kind: "step"; readonly step: number }
  | {
      readonly kind: "finished";
      readonly figures: Readonly<Record<string, { value: number; unit: string; estimator: string }>>;
      readonly seconds: number;
      readonly device: string;
    }
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly message: string };

const abort = new AbortController();
process.on("SIGINT", () => {}); // reaches the whole group of a terminal; the parent decides
process.on("SIGTERM", () => abort.abort());
process.on("disconnect", () => abort.abort());
process.on("message", (message: CellRequest | "stop") => {
  if (message === "stop") abort.abort();
  else void answerTo(message);
});

async function answerTo(request: CellRequest): Promise<void> {
  const answer = await work(request).catch(
    (error: unknown): CellMessage => ({
      kind: "failed",
      message: error instanceof Error ? error.message : String(error),
    }),
  );
  if (process.connected) process.send!(answer, () => process.disconnect());
}

async function work({ recipe, outDir, dataDir, device, threads, report }: CellRequest): Promise<CellMessage> {
  const source = await loadSource(recipe.data, { dataDir });
  await untilFree(outDir, abort.signal);
  if (abort.signal.aborted) return { kind: "interrupted" };
  const trained = await runTraining({
    recipe,
    family: familyByName(recipe.family),
    source,
    outDir,
    resume: existsSync(path.join(outDir, "recipe.json")),
    device,
    threads,
    signal: abort.signal,
    onProgress: ({ step }) => {
      if (step % recipe.training.logEvery === 0) tell({ kind: "step", step });
    },
  });
  if (trained.status === "interrupted" || !process.connected) return { kind: "interrupted" };
  const leave = (): void => process.exit(); // nothing is lost: whoever sweeps next measures the same checkpoint
  process.once("disconnect", leave);
  const results = await evaluateRun(outDir, { ...(dataDir === undefined ? {} : { dataDir }), threads, report });
  process.off("disconnect", leave);
  const figures = Object.fromEntries(
    results.figures.map(({ quantity, value, unit, estimator }) => [quantity, { value, unit, estimator }]),
  );
  return { kind: "finished", figures, seconds: trained.seconds, device: trained.device };
}

function tell(message: CellMessage): void {
  if (process.connected) process.send!(message, () => {}); // killed since: the step is to be saved all the same
}
