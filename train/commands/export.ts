import type { Command } from "commander";
import type { BundleProgress } from "../../export/bundle.ts";
import { parityTolerance, parseTolerance } from "../../export/parse-tolerance.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { Manifest } from "../../schemas/manifest.ts";

interface ExportFlags {
  readonly out?: string;
  readonly name?: string;
  readonly task: readonly string[];
  readonly data?: string;
  readonly keep: string;
  readonly samples: string;
  readonly tolerance: number;
  readonly quiet?: true;
}

const examples = `
Examples:
  $ cominfo export runs/quickstart
  $ cominfo export runs/rotated-mnist --out models/digits
  $ cominfo export runs/quickstart --task encode --task common_information --out models/small
`;

/** Adds the verb `export`. */
export function addExportCommand(program: Command): void {
  program
    .command("export")
    .description("writes the bundle of a run: one checked ONNX file a task, with a manifest and a card")
    .argument("<run>", "folder of the run")
    .option("--out <dir>", "folder of the bundle (default: models/<name>)")
    .option("--name <name>", "name of the bundle (default: that of --out, or of the recipe)")
    .option("--task <task>", "only this task; may be repeated", collect, [])
    .option("--data <dir>", "files of the data set, for the sample of pairs and to describe it")
    .option("--samples <number>", "pairs that come along for the browser demo; 0 for none", "512")
    .option("--keep <n>", "earlier versions of each task that stay in the bundle beside the new one", "0")
    .option(
      "--tolerance <share>",
      "largest difference from tfjs and WASM, of an output's scale",
      parseTolerance,
      parityTolerance,
    )
    .option("--quiet", "no progress")
    .addHelpText("after", examples)
    .action(exportVerb);
}

async function exportVerb(run: string, flags: ExportFlags): Promise<void> {
  const { out, name, task, data, keep, samples, tolerance, quiet } = flags;
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { exportRun } = await import("../export-run.ts");
  const began = performance.now();
  const { dir, manifest } = await exportRun({
    run,
    tasks: task,
    keepVersions: keepOf(keep),
    samples: countOf(samples),
    tolerance,
    ...(out === undefined ? {} : { out }),
    ...(name === undefined ? {} : { name }),
    ...(data === undefined ? {} : { dataDir: data }),
    ...(quiet ? {} : { onProgress: reportTo(process.stderr) }),
    warn: (message) => console.error(message),
  });
  if (!quiet) console.error(summary(manifest, { dir, tolerance, seconds: (performance.now() - began) / 1000 }));
}

/** One line a task; on a terminal it says what the task is at. */
export function reportTo(stream: {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}): (progress: BundleProgress) => void {
  const stages = { trace: "tracing", check: "checking", parity: "comparing with tfjs and WASM", done: "done" };
  return ({ task, index, count, stage }) => {
    const line = `[${index}/${count}] ${task}: ${stages[stage]}`;
    if (stream.isTTY) stream.write(`\r\x1b[K${line}${stage === "done" ? "\n" : ""}`);
    else if (stage === "done") stream.write(`${line}\n`);
  };
}

function summary(
  { tasks }: Manifest,
  { dir, tolerance, seconds }: { dir: string; tolerance: number; seconds: number },
): string {
  const all = Object.values(tasks);
  const mebibytes = all.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
  const worst = Math.max(...all.flatMap(({ parity }) => parity.map(({ maxRelativeError }) => maxRelativeError)));
  return `Exported ${all.length} tasks to ${dir} (${mebibytes.toFixed(1)} MiB) in ${seconds.toFixed(1)} s; largest difference from tfjs and WASM ${worst.toExponential(1)} of the scale, allowed ${tolerance}`;
}

function countOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new UsageError(`Cannot export: --samples must be a whole number from 0 to 99999, got "${text}"`);
}

function keepOf(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new UsageError(`Cannot export: --keep must be a number of versions from 0 to 999, got "${text}"`);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
