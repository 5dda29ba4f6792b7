import type { Command } from "commander";
import type { Device } from "../../runtime/session.ts";
import { UsageError } from "../../schemas/errors.ts";
import { limits } from "../../schemas/limits.ts";
import type { ProgressDisplay } from "../engine/progress.ts";
import type { TrainingRequest, TrainingResult } from "../engine/run.ts";
import { DEVICES, oneOf } from "./one-of.ts";
import { untilInterrupted } from "./until-interrupted.ts";
import { wholeNumber } from "./whole-number.ts";

interface TrainFlags {
  readonly data?: string;
  readonly out?: string;
  readonly steps?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly variant?: string;
  readonly budget?: string;
  readonly set?: readonly string[];
  readonly engine: "compiled" | "eager";
  readonly backend: "cpu" | "tensorflow";
  readonly device: Device | "auto";
  readonly threads?: number;
  readonly resume?: true;
  readonly force?: true;
  readonly quiet?: true;
  readonly json?: true;
}

const examples = `
Examples:
  $ cominfo train quickstart
  $ cominfo train rotated-mnist --data ../shared/data/mnist --budget reduced
  $ cominfo train quickstart --steps 200 --set training.logEvery=10 --out runs/try
  $ cominfo train quickstart --resume
`;

/** Adds the verb `train`. */
export function addTrainCommand(program: Command): void {
  program
    .command("train")
    .description("trains a recipe into a run folder")
    .argument("<recipe>", "name of a recipe, or the path of a JSON file")
    .option("--data <dir>", "folder with the files of the dataset, for recipes that read some")
    .option("--out <dir>", "run folder (default: runs/<recipe>)")
    .option("--steps <n>", "optimiser steps", wholeNumber("train", "--steps", 1, limits.steps))
    .option("--batch-size <n>", "pairs a step", wholeNumber("train", "--batch-size", 1, limits.batchSize))
    .option("--seed <n>", "seed of everything that is random", wholeNumber("train", "--seed", 0))
    .option("--variant <name>", "one of the recipe's variants: the same as <recipe>-<variant> as a name")
    .option("--budget <name>", "one of the recipe's named budgets")
    .option("--set <path=value>", "any field of the recipe; may be repeated", collect)
    .option("--engine <engine>", "compiled or eager", oneOf("train", "--engine", ["compiled", "eager"]), "compiled")
    .option(
      "--backend <backend>",
      "cpu or tensorflow, of the eager engine",
      oneOf("train", "--backend", ["cpu", "tensorflow"]),
      "cpu",
    )
    .option(
      "--device <device>",
      "auto, cpu, webgpu or cuda, of the compiled engine",
      oneOf("train", "--device", DEVICES),
      "auto",
    )
    .option(
      "--threads <n>",
      "threads of the compiled engine (default: all cores)",
      wholeNumber("train", "--threads", 1, limits.threads),
    )
    .option("--resume", "go on from the last checkpoint")
    .option("--force", "replace the run in the folder")
    .option("--quiet", "no progress")
    .option("--json", "one line of JSON on standard output at the end")
    .addHelpText("after", examples)
    .action(train);
}

async function train(nameOrFile: string, flags: TrainFlags): Promise<void> {
  if (flags.resume && flags.force) throw new UsageError("Cannot train: --resume and --force exclude each other");
  if (flags.backend === "tensorflow" && flags.engine !== "eager") {
    throw new UsageError("Cannot train: --backend tensorflow needs --engine eager");
  }
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { readRecipe } = await import("../recipes/read-recipe.ts");
  const { loadSource } = await import("../data/open-source.ts");
  const { familyByName } = await import("../models/registry.ts");
  const { runTraining } = await import("../engine/run.ts");
  const { createProgress } = await import("../engine/progress.ts");

  const recipe = await readRecipe(nameOrFile, flags);
  const outDir = flags.out ?? `runs/${recipe.name}`;
  const progress = flags.quiet ? silent : createProgress(process.stderr, recipe.training.batchSize);
  const request: TrainingRequest = {
    recipe,
    family: familyByName(recipe.family),
    source: await loadSource(recipe.data, { dataDir: flags.data }),
    outDir,
    resume: flags.resume ?? false,
    force: flags.force ?? false,
    engine: flags.engine,
    backend: flags.backend,
    device: flags.device,
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    onProgress: progress.update,
    log: progress.line,
  };
  const result = await untilInterrupted(
    (signal) => runTraining({ ...request, signal }),
    () => progress.line("Stopping after this step (again: at once, without saving)"),
  ).finally(() => progress.stop());
  if (flags.json) console.log(JSON.stringify(result));
  else if (!flags.quiet) console.error(summary(result));
  if (result.status === "finished" && recipe.evaluation.atEnd) await evaluateAtEnd(outDir, flags);
  if (result.status === "interrupted") {
    if (result.step > 0) console.error(`Saved at step ${result.step}. Go on with: ${resumeCommand(outDir, flags)}`);
    process.exitCode = 130;
  }
}

async function evaluateAtEnd(outDir: string, { data, threads, quiet, json }: TrainFlags): Promise<void> {
  const { evaluateRun } = await import("../evaluate/evaluate-run.ts");
  const { formatTable } = await import("../evaluate/format-table.ts");
  const results = await evaluateRun(outDir, {
    ...(data === undefined ? {} : { dataDir: data }),
    ...(threads === undefined ? {} : { threads }),
  });
  if (!quiet && !json) console.log(formatTable(results));
}

function summary({ status, step, steps, seconds, device, outDir }: TrainingResult): string {
  const done = status === "finished" ? `Trained ${steps} steps` : `Interrupted at step ${step} of ${steps}`;
  return `${done} in ${seconds.toFixed(1)} s on ${device || "no device"}: ${outDir}`;
}

/** The run's own recipe.json holds all overrides, so the command needs none of them. */
function resumeCommand(outDir: string, flags: TrainFlags): string {
  const words = ["cominfo", "train", `${outDir}/recipe.json`, "--out", outDir, "--resume"];
  if (flags.data !== undefined) words.push("--data", flags.data);
  if (flags.engine !== "compiled") words.push("--engine", flags.engine);
  if (flags.backend !== "cpu") words.push("--backend", flags.backend);
  if (flags.device !== "auto") words.push("--device", flags.device);
  if (flags.threads !== undefined) words.push("--threads", String(flags.threads));
  return words.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}

const silent: ProgressDisplay = { update() {}, line() {}, stop() {} };

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
