import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { type BenchRow, benchResultsSchema } from "../schemas/bench-results.ts";
import { validate } from "../schemas/validate.ts";

/** What a benchmark says of itself; machine, date and commit are added here. */
export type Measured = Omit<BenchRow, "machine" | "date" | "commit">;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)!, runs: sorted.length };
}

/**
 * Prints the rows and writes `bench/results/<name>.json` (to a temporary name first).
 *
 * @param trial what was measured otherwise than the program does by itself, in words: prints only
 */
export function record(name: string, rows: readonly Measured[], { trial }: { trial?: string | undefined } = {}): void {
  const stamp = { machine: machine(), date: new Date().toISOString().slice(0, 10), commit: commit() };
  const results = validate(
    benchResultsSchema,
    rows.map((row) => ({ ...row, ...stamp })),
    `record benchmark "${name}"`,
  );
  for (const { metric, unit, median, min, max, reference, ratio } of results) {
    const against = reference === undefined ? "" : `   ${ratio?.toFixed(3)} of ${reference}`;
    console.log(`${metric.padEnd(40)} ${shown(median)} ${unit} (${shown(min)} to ${shown(max)})${against}`);
  }
  if (trial !== undefined) {
    console.log(`Not written: measured with ${trial}`);
    return;
  }
  mkdirSync("bench/results", { recursive: true });
  const file = `bench/results/${name}.json`;
  writeFileSync(`${file}.tmp`, `${JSON.stringify(results, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
  console.log(`Wrote ${file}`);
}

const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

function machine(): string {
  const model = cpus()[0]?.model.replace(/\s+/g, " ").trim() ?? "unknown processor";
  return `${availableParallelism()} cores, ${model}, Node ${process.versions.node}`;
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
    return (
      git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
    );
  } catch {
    return "unknown";
  }
}
