process.env.ORT_DISABLE_TELEMETRY = "1"; // read once, when the native library loads

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addConvertCommand } from "./export/command.ts";
import { FailureError, UsageError } from "./schemas/errors.ts";
import { addServeCommand } from "./serve/command.ts";
import { addScoreCommand } from "./serve/score/command.ts";
import { addWorkerCommand } from "./serve/score/worker-command.ts";
import { addStartCommand } from "./start.ts";
import { addDataCommand } from "./train/commands/data.ts";
import { addEvaluateCommand } from "./train/commands/evaluate.ts";
import { addExportCommand } from "./train/commands/export.ts";
import { addExportStepCommand } from "./train/commands/export-step.ts";
import { addInfoCommand } from "./train/commands/info.ts";
import { addResultsCommand } from "./train/commands/results.ts";
import { addSweepCommand } from "./train/commands/sweep.ts";
import { addTrainCommand } from "./train/commands/train.ts";

/** One verb per capability; each verb lives in its room and loads what it needs only when it runs. */

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("cominfo")
  .description(
    "Learns what two views share and what is each view's own, says how much in bits, and serves the result as ONNX.",
  )
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError("Try `cominfo --help`.")
  .exitOverride();

addStartCommand(program);
addDataCommand(program);
addTrainCommand(program);
addSweepCommand(program);
addEvaluateCommand(program);
addResultsCommand(program);
addExportCommand(program);
addExportStepCommand(program);
addConvertCommand(program);
addInfoCommand(program);
addServeCommand(program);
addScoreCommand(program);
addWorkerCommand(program);

// Whoever read the output has seen enough (`cominfo info ... | head`): that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** One line for what a person did or met; a stack trace for defects only. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError || error instanceof FailureError) {
    console.error(error.message);
    return error instanceof UsageError ? 2 : 1;
  }
  console.error(error);
  return 1;
}
