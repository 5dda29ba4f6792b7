import { mkdir } from "node:fs/promises";
import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import type { Device } from "../../runtime/session.ts";
import type { CellLine, Sweep } from "../../schemas/sweep.ts";
import { producer } from "../producer.ts";
import { appendCellLine, readCellLines } from "./cell-lines.ts";
import type { CellRequest } from "./cell-process.ts";
import { type Cell, cellsOf, type Shard, shardOf } from "./cells.ts";
import { lockSweep } from "./lock-sweep.ts";
import { requireData, requireFigures, requireSamePlan } from "./requirements.ts";
import { type CellOutcome, runCell } from "./run-cell.ts";

export interface SweepRequest {
  readonly sweep: Sweep;
  /** `full`, or one of the sweep's budgets. */
  readonly budget: string;
  /** Folder of the sweep; runs are under `cells/`. */
  readonly outDir: string;
  readonly dataDir?: string | undefined;
  readonly shard?: Shard | undefined;
  /** Cells at a time. */
  readonly workers: number;
  /** Threads of each. */
  readonly threads: number;
  readonly device: Device | "auto";
  /** Whether each run gets its own report.html. */
  readonly reports: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SweepEvent) => void;
  /** Replaced in tests. */
  readonly run?: (
    request: CellRequest,
    watch: { signal: AbortSignal; onStep: (step: number) => void },
  ) => Promise<CellOutcome>;
}

export type SweepEvent =
  | { readonly kind: "planned"; readonly cells: number; readonly alreadyFinished: number }
  | { readonly kind: "step"; readonly cell: Cell; readonly step: number }
  | { readonly kind: "ended"; readonly cell: Cell; readonly line: CellLine };

export interface SweepResult {
  /** Of this shard. */
  readonly cells: number;
  readonly finished: number;
  readonly failed: number;
  readonly interrupted: boolean;
}

/**
 * Trains and evaluates every cell that is not finished yet, some at a time, and notes each as one line when it ends. A
 * cell that fails is noted and does not stop the rest; it is tried again when the sweep is run again. Killed at any
 * moment and started again, a cell goes on from its checkpoint.
 *
 * @throws UsageError if a recipe is not valid, no cell has its data, the folder holds cells of another plan, or the
 *   plan names a figure that its cells do not have
 * @throws FailureError if another process sweeps there, or the folder cannot be written
 */
export async function runSweep(request: SweepRequest): Promise<SweepResult> {
  const planned = await cellsOf(request.sweep, request.budget);
  const before = await readCellLines(request.outDir);
  const open = planned.filter(({ name }) => before.get(name)?.status !== "finished");
  await requireData(open, request.dataDir);
  const release = await takeFolder(request.outDir, request.shard);
  try {
    return await runCells(planned, request);
  } finally {
    release();
  }
}

async function runCells(planned: readonly Cell[], request: SweepRequest): Promise<SweepResult> {
  const { sweep, budget, outDir, shard, workers, signal = new AbortController().signal, onEvent = () => {} } = request;
  const cells = shard === undefined ? planned : shardOf(planned, shard);
  const lines = await readCellLines(outDir);
  await requireSamePlan(outDir, { sweep, budget }, { planned, lines });
  await writePlan(outDir, { sweep, budget });
  const isFinished = ({ name }: Cell): boolean => lines.get(name)?.status === "finished";
  const open = cells.filter((cell) => !isFinished(cell));
  onEvent({ kind: "planned", cells: cells.length, alreadyFinished: cells.length - open.length });
  const figuresAreThere = (): void => {
    const those = planned.flatMap(({ name }) => lines.get(name) ?? []);
    requireFigures(sweep, those, planned.length);
  };
  figuresAreThere();
  const queue = [...open];
  let interrupted = false;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);

  async function worker(): Promise<void> {
    for (let cell = queue.shift(); cell !== undefined && !either.aborted; cell = queue.shift()) {
      const line = await workOn(cell, { ...request, signal: either, onEvent });
      if (line === undefined) interrupted = true;
      else {
        await appendCellLine(outDir, shard, line);
        lines.set(cell.name, line);
        onEvent({ kind: "ended", cell, line });
        figuresAreThere();
      }
    }
  }
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(workers, open.length) }, () =>
      worker().catch((error: unknown) => {
        stop.abort(); // the others save their step before the error is told
        throw error;
      }),
    ),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  const failed = cells.filter(({ name }) => lines.get(name)?.status === "failed").length;
  return {
    cells: cells.length,
    finished: cells.filter(isFinished).length,
    failed,
    interrupted: interrupted || signal.aborted,
  };
}

type Watched = SweepRequest & Required<Pick<SweepRequest, "signal" | "onEvent">>;

/** @returns undefined if it was interrupted */
async function workOn(cell: Cell, request: Watched): Promise<CellLine | undefined> {
  const { outDir, dataDir, device, threads, reports, signal, onEvent, run = runCell } = request;
  const { recipe, name, variant, seed, recipeHash } = cell;
  const outcome = await run(
    { recipe, outDir: path.join(outDir, "cells", name), dataDir, device, threads, report: reports },
    { signal, onStep: (step) => onEvent({ kind: "step", cell, step }) },
  );
  if (outcome.kind === "interrupted") return undefined;
  const { steps, batchSize } = recipe.training;
  const line = { cell: name, variant, seed, recipeHash, steps, batchSize, created: new Date().toISOString(), producer };
  if (outcome.kind === "failed") {
    return { ...line, status: "failed", error: outcome.message, figures: {}, seconds: 0, device: "" };
  }
  const { figures, seconds, device: used } = outcome;
  return { ...line, status: "finished", figures: { ...figures }, seconds, device: used };
}

async function takeFolder(outDir: string, shard: Shard | undefined): Promise<() => void> {
  try {
    await mkdir(outDir, { recursive: true });
    return lockSweep(outDir, shard);
  } catch (error) {
    throw diskFailure("sweep", outDir, error);
  }
}

/** It is kept beside its cells, for the report and for people. */
async function writePlan(outDir: string, plan: { sweep: Sweep; budget: string }): Promise<void> {
  const text = `${JSON.stringify(plan, null, 2)}\n`;
  await replaceFile(realDisk, path.join(outDir, "sweep.json"), new TextEncoder().encode(text));
}
