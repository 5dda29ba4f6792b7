import path from "node:path";
import type { Command } from "commander";
import { limits } from "../../schemas/limits.ts";
import { wholeNumber } from "./whole-number.ts";

interface EvaluateFlags {
  readonly pairs?: number;
  readonly data?: string;
  readonly threads?: number;
  readonly json?: true;
  readonly report: boolean;
  readonly quiet?: true;
}

const examples = `
Examples:
  $ cominfo evaluate runs/quickstart
  $ cominfo evaluate runs/rotated-mnist --data ../shared/data/mnist --pairs 5000
  $ cominfo evaluate runs/quickstart --json
`;

/** Adds the verb `evaluate`. */
export function addEvaluateCommand(program: Command): void {
  program
    .command("evaluate")
    .description(
      "measures in bits what each block of a trained representation tells, and writes results.json and report.html",
    )
    .argument("<run>", "folder of the run")
    .option(
      "--pairs <n>",
      "fresh pairs, of which the last fifth tests (default: the recipe's)",
      wholeNumber("evaluate", "--pairs", 100, limits.pairs),
    )
    .option("--data <dir>", "folder with the files of the dataset, for recipes that read some")
    .option(
      "--threads <n>",
      "threads of ONNX Runtime (default: all cores)",
      wholeNumber("evaluate", "--threads", 1, limits.threads),
    )
    .option("--no-report", "no report.html")
    .option("--quiet", "no progress")
    .option("--json", "results.json on standard output instead of a table")
    .addHelpText("after", examples)
    .action(evaluate);
}

async function evaluate(run: string, { pairs, data, threads, json, report, quiet }: EvaluateFlags): Promise<void> {
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { evaluateRun } = await import("../evaluate/evaluate-run.ts");
  const { reportName } = await import("../evaluate/report/write-report.ts");
  const { formatTable } = await import("../evaluate/format-table.ts");
  const { isTTY } = process.stderr;
  const say = (doing: string): void => {
    if (!quiet && isTTY) process.stderr.write(`\r\x1b[K${doing}`);
  };
  const results = await evaluateRun(run, {
    ...(pairs === undefined ? {} : { pairs }),
    ...(data === undefined ? {} : { dataDir: data }),
    ...(threads === undefined ? {} : { threads }),
    report,
    onProgress: say,
    warn: (message) => console.error(message),
  }).finally(() => say(""));
  console.log(json ? JSON.stringify(results) : formatTable(results));
  if (report && !quiet) console.error(`Report: ${path.join(run, reportName)}`);
}
