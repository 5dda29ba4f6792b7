import { availableParallelism } from "node:os";
import type { Command } from "commander";
import type { Device } from "../../runtime/session.ts";
import { UsageError } from "../../schemas/errors.ts";
import { limits } from "../../schemas/limits.ts";
import type { SweepSummary } from "../../schemas/sweep.ts";
import type { SweepResult } from "../sweep/run-sweep.ts";
import { pText, verdictOf } from "../sweep/verdict.ts";
import { DEVICES, oneOf } from "./one-of.ts";
import { untilInterrupted } from "./until-interrupted.ts";
import { wholeNumber } from "./whole-number.ts";

interface SweepFlags {
  readonly budget?: string;
  readonly data?: string;
  readonly out?: string;
  readonly shard?: string;
  readonly workers?: number;
  readonly threads: number;
  readonly device: Device | "auto";
  readonly reports?: true;
  readonly reportOnly?: true;
  readonly quiet?: true;
}

const examples = `
A cell is one variant with one seed. Run the same command again to go on: finished cells are kept, one that was
interrupted goes on from its checkpoint, and one that failed is tried again.

Examples:
  $ cominfo sweep split-encoder --budget reduced
  $ cominfo sweep split-encoder-cars3d --data ../shared/data --workers 4
  $ cominfo sweep split-encoder --shard 2/3          on the second of three machines; then bring the folders together
  $ cominfo sweep split-encoder --budget reduced --report-only
  $ cominfo results runs/split-encoder-reduced
`;

/** Adds the verb `sweep`. */
export function addSweepCommand(program: Command): void {
  program
    .command("sweep")
    .description("trains and evaluates every variant of a plan with every seed, and reports medians over seeds")
    .argument("<sweep>", "name of a plan, or the path of a JSON file")
    .option("--budget <name>", "one of the plan's named budgets (default: the full one)")
    .option("--data <dir>", "folder with the files of the dataset, for recipes that read some")
    .option("--out <dir>", "folder of the sweep (default: runs/<sweep>, with a budget runs/<sweep>-<budget>)")
    .option("--shard <i/n>", "only every n-th cell, from the i-th on: for one of n machines")
    .option(
      "--workers <n>",
      "cells at a time (default: all cores over --threads)",
      wholeNumber("sweep", "--workers", 1),
    )
    .option("--threads <n>", "threads of each cell", wholeNumber("sweep", "--threads", 1, limits.threads), 1)
    .option("--device <device>", "auto, cpu, webgpu or cuda", oneOf("sweep", "--device", DEVICES), "cpu")
    .option("--reports", "a report.html for every cell, too")
    .option("--report-only", "train nothing; write the report of what is there")
    .option("--quiet", "no progress")
    .addHelpText("after", examples)
    .action(sweep);
}

async function sweep(nameOrFile: string, flags: SweepFlags): Promise<void> {
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { budgetOf, readSweep } = await import("../sweep/read-sweep.ts");
  const { cellsOf, parseShard } = await import("../sweep/cells.ts");
  const { readCellLines } = await import("../sweep/cell-lines.ts");
  const { requireFigures, requireSamePlan } = await import("../sweep/requirements.ts");
  const { runSweep } = await import("../sweep/run-sweep.ts");
  const { writeSweepReport } = await import("../sweep/write-sweep-report.ts");
  const plan = await readSweep(nameOrFile);
  const budget = budgetOf(plan, flags.budget);
  const outDir = flags.out ?? `runs/${plan.name}${budget === "full" ? "" : `-${budget}`}`;
  const shard = flags.shard === undefined ? undefined : parseShard(flags.shard);
  let result: SweepResult | undefined;
  if (flags.reportOnly !== true) {
    const { createSweepProgress } = await import("../sweep/sweep-progress.ts");
    const progress = createSweepProgress(process.stderr, flags.quiet === true);
    const { threads, device, data } = flags;
    const workers = flags.workers ?? Math.max(1, Math.floor(availableParallelism() / threads));
    const request = { sweep: plan, budget, outDir, dataDir: data, shard, workers, threads, device };
    result = await untilInterrupted(
      (signal) => runSweep({ ...request, reports: flags.reports === true, signal, onEvent: progress.tell }),
      () => progress.line("Saving the cells in work (again: at once, without saving)"),
    ).finally(progress.stop);
  }
  const planned = await cellsOf(plan, budget);
  const found = await readCellLines(outDir);
  const lines = planned.flatMap(({ name }) => found.get(name) ?? []);
  if (lines.length > 0) {
    await requireSamePlan(outDir, { sweep: plan, budget }, { planned, lines: found });
    requireFigures(plan, lines, planned.length);
    const summary = await writeSweepReport(outDir, { sweep: plan, budget }, { lines, planned });
    console.log(tableOf(summary));
    if (!flags.quiet) console.error(`Report: ${outDir}/report.html`);
  } else if (flags.reportOnly === true) {
    throw new UsageError(`Cannot report sweep "${plan.name}": "${outDir}" must hold finished cells, got none`);
  }
  if (result?.interrupted) {
    console.error("Interrupted. Run the same command again to go on");
    process.exitCode = 130;
  } else if (result !== undefined && result.failed > 0) process.exitCode = 1;
}

/** Medians and effects for a terminal. */
export function tableOf({ medians, comparisons, trends, failures, finished, planned }: SweepSummary): string {
  const wide = Math.max(0, ...medians.map(({ variant }) => variant.length));
  const unitOf = (unit: string) => (unit === "1" ? "" : ` ${unit}`);
  const of = (interval: readonly number[]) => interval.map((end) => end.toFixed(3)).join(" to ");
  return [
    `${finished} of ${planned} cells finished${failures.length === 0 ? "" : `, ${failures.length} failed`}`,
    "",
    ...medians.map(
      ({ variant, quantity, median, unit, interval, seeds }) =>
        `${variant.padEnd(wide)}  ${quantity.padEnd(15)} ${median.toFixed(3)}${unitOf(unit)} (${interval === undefined ? "" : `${of(interval)}; `}${seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`})`,
    ),
    ...(comparisons.length === 0 ? [] : ["", "Difference of medians, 95 % bootstrap interval over seeds:"]),
    ...comparisons.map(
      ({ of: first, against, quantity, difference, interval, claim, agrees, isClear }) =>
        `  ${quantity} of ${first} against ${against}: ${difference.toFixed(3)}${interval === undefined ? "" : ` (${of(interval)})`}; claimed ${claim}: ${verdictOf({ agrees, isClear }).words}`,
    ),
    ...(trends.length === 0 ? [] : ["", "Rank correlation along the variants:"]),
    ...trends.map(({ quantity, axis, correlation, pValue, claim, agrees, isClear }) => {
      const judged = claim === undefined ? "" : `; claimed ${claim}: ${verdictOf({ agrees, isClear }).words}`;
      return `  ${quantity} against ${axis}: ${correlation.toFixed(2)} (${pText(pValue)})${judged}`;
    }),
    ...failures.map(({ cell, error }) => `  FAILED ${cell}: ${error}`),
  ].join("\n");
}
