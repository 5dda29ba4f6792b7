import type { Command } from "commander";
import { wholeNumber } from "./whole-number.ts";

interface InfoFlags {
  readonly x: string;
  readonly y: string;
  readonly target?: string;
  readonly seed: number;
  readonly json?: true;
}

const examples = `
Examples:
  $ cominfo info table.csv --x left --y right
  $ cominfo info table.csv --x left --y right --target label
  $ cominfo info table.csv --x left --y right --json

Counts the rows and takes their relative frequencies as the distribution: columns are symbols, not numbers, so a column
of measurements has to be binned before.
`;

/** Adds the verb `info`. `print` is replaced in tests. */
export function addInfoCommand(program: Command, print: (text: string) => void = console.log): void {
  program
    .command("info")
    .description("says in bits what two columns of a table have in common, and what they tell about a third")
    .argument("<table>", "CSV file with a header line")
    .requiredOption("--x <column>", "first column")
    .requiredOption("--y <column>", "second column")
    .option("--target <column>", "column that both tell about: adds the partial information decompositions")
    .option(
      "--seed <n>",
      "seed of the search for Wyner's common information",
      wholeNumber("measure information", "--seed", 0),
      0,
    )
    .option("--json", "figures as JSON (schemas/info-report.ts)")
    .addHelpText("after", examples)
    .action(async (file: string, flags: InfoFlags) => print(await info(file, flags)));
}

async function info(file: string, { x, y, target, seed, json }: InfoFlags): Promise<string> {
  const { UsageError } = await import("../../schemas/errors.ts");
  const { columnOf, readCsvTable } = await import("../data/csv-table.ts");
  const { jointFromRows } = await import("../../information/joint-distribution.ts");
  const { infoReportSchema } = await import("../../schemas/info-report.ts");
  const { validate } = await import("../../schemas/validate.ts");
  const { infoReport } = await import("../../information/info-report.ts");
  const { formatInfo } = await import("./info-report.ts");

  const names = target === undefined ? [x, y] : [x, y, target];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new UsageError(
      `Cannot measure information: --x, --y and --target must name different columns, got "${twice}" twice`,
    );
  }
  const table = readCsvTable(file);
  const columns = names.map((name) => columnOf(table, name));
  for (const [k, values] of columns.entries()) {
    if (new Set(values).size > 1) continue;
    throw new UsageError(
      `Cannot measure information: column "${names[k]}" must have at least two values, got "${values[0]}" in every row`,
    );
  }
  const joint = jointFromRows(
    names,
    table.rows.map((_, row) => columns.map((values) => values[row]!)),
  );
  const report = infoReport(joint, { x, y, target, rows: table.rows.length, seed });
  if (!json) return formatInfo(report);
  return JSON.stringify(validate(infoReportSchema, report, "write the figures as JSON"), null, 2);
}
