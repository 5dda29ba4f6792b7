import type { Command } from "commander";
import { mostWeight } from "../../information/most-weight.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { RowWeights } from "./info-table.ts";
import { wholeNumber } from "./whole-number.ts";

interface InfoFlags {
  readonly x?: string;
  readonly y?: string;
  readonly target?: string;
  readonly columns?: string;
  readonly count?: string;
  readonly probability?: string;
  readonly slack?: number;
  readonly weight?: number;
  readonly starts?: number;
  readonly seed: number;
  readonly json?: true;
}

const examples = `
Examples:
  $ cominfo info table.csv --x left --y right
  $ cominfo info table.csv --x left --y right --target label
  $ cominfo info table.csv --x left --y right --json
  $ cominfo info table.csv --x left --y right --slack 0.1 --weight 4
  $ cominfo info table.csv --columns left,middle,right
  $ cominfo info table.csv --columns 'left,"height, cm"'
  $ cominfo info counts.csv --x left --y right --count times
  $ cominfo info known.csv --x left --y right --probability p

Counts the rows and takes their relative frequencies as the distribution: columns are symbols, not numbers, so a column
of measurements has to be binned before. Rows that are counted already have --count, a distribution that is known has
--probability. --columns is read as one line of CSV: a name with a comma or a quote in it stands in double quotes.
`;

/** Adds the verb `info`. `print` is replaced in tests. */
export function addInfoCommand(program: Command, print: (text: string) => void = console.log): void {
  program
    .command("info")
    .description("says in bits what two or more columns of a table have in common, and what two tell about a third")
    .argument("<table>", "CSV file with a header line")
    .option("--x <column>", "first column")
    .option("--y <column>", "second column")
    .option("--columns <names>", "in place of --x and --y, two or more, by commas: total correlation, Gacs-Korner")
    .option("--target <column>", "column that both tell about: adds the partial information decompositions")
    .option("--count <column>", "column of whole numbers: how often each row occurred (default: once)")
    .option("--probability <column>", "column of probabilities: the rows are the distribution itself, not a sample")
    .option(
      "--slack <bits>",
      "adds the largest function of each column that the other tells but for so many bits (up to 10 symbols)",
      atLeastZero("--slack"),
    )
    .option(
      "--weight <w>",
      "adds the stochastic Gacs-Korner information, a bit of disagreement costing so many (up to 1e12)",
      atLeastZero("--weight", mostWeight),
    )
    .option(
      "--starts <n>",
      "starts of the search for Wyner's common information of tables beyond 40 cells (default: 3)",
      wholeNumber("measure information", "--starts", 1),
    )
    .option(
      "--seed <n>",
      "seed of the searches for Wyner's common and stochastic Gacs-Korner information",
      wholeNumber("measure information", "--seed", 0),
      0,
    )
    .option("--json", "figures as JSON (schemas/info-report.ts)")
    .addHelpText("after", examples)
    .action(async (file: string, flags: InfoFlags) => print(await info(file, flags)));
}

async function info(file: string, flags: InfoFlags): Promise<string> {
  const { infoReportSchema, columnsReportSchema } = await import("../../schemas/info-report.ts");
  const { validate } = await import("../../schemas/validate.ts");
  const { columnsReport, infoReport } = await import("../../information/info-report.ts");
  const { formatColumns, formatInfo } = await import("./info-report.ts");
  const { readJoint } = await import("./info-table.ts");

  const { columns, x, y, target, json, seed, starts, slack, weight } = flags;
  const given = await selected(flags);
  const { joint, rows } = readJoint(file, given, weightsOf(flags, given));
  const action = "write the figures as JSON";
  if (columns !== undefined) {
    const report = columnsReport(joint, { columns: given, rows });
    return json ? JSON.stringify(validate(columnsReportSchema, report, action), null, 2) : formatColumns(report);
  }
  const pair = { x: x!, y: y!, target, rows, seed, fits: starts, slackBits: slack, weight };
  const report = infoReport(joint, pair);
  return json ? JSON.stringify(validate(infoReportSchema, report, action), null, 2) : formatInfo(report);
}

/** Column of the rows' weights, if any. @throws UsageError for two, or one that is a symbol too */
function weightsOf({ count, probability }: InfoFlags, names: readonly string[]): RowWeights {
  const action = "Cannot measure information";
  if (count !== undefined && probability !== undefined) {
    throw new UsageError(`${action}: rows must have either --count or --probability, got both`);
  }
  const weight = count ?? probability;
  if (weight !== undefined && names.includes(weight)) {
    const flag = count === undefined ? "--probability" : "--count";
    throw new UsageError(`${action}: ${flag} must name a column of its own, got "${weight}", which is measured`);
  }
  return { count, probability };
}

/** Names of the columns to read: --columns, or --x, --y and --target. */
async function selected({ columns, x, y, target, slack, weight }: InfoFlags): Promise<string[]> {
  const action = "Cannot measure information";
  if (columns !== undefined) {
    if ([x, y, target, slack, weight].some((flag) => flag !== undefined)) {
      const alone = "--columns must come without --x, --y, --target, --slack and --weight";
      throw new UsageError(`${action}: ${alone}, got both`);
    }
    const { namesOf } = await import("../data/csv-table.ts");
    const names = namesOf(columns);
    if (names === undefined) {
      throw new UsageError(
        `${action}: --columns must be names by commas, one with a comma or a quote in double quotes, got "${columns}"`,
      );
    }
    if (names.length < 2) throw new UsageError(`${action}: --columns must name at least two columns, got "${columns}"`);
    refuseTwice(names, "--columns");
    return names;
  }
  if (x === undefined || y === undefined) {
    const missing = x === undefined ? "--x" : "--y";
    throw new UsageError(
      `${action}: two columns must be named by --x and --y, or several by --columns, got no ${missing}`,
    );
  }
  const names = target === undefined ? [x, y] : [x, y, target];
  refuseTwice(names, "--x, --y and --target");
  return names;

  function refuseTwice(all: readonly string[], flags: string): void {
    const twice = all.find((name, at) => all.indexOf(name) !== at);
    if (twice !== undefined)
      throw new UsageError(`${action}: ${flags} must name different columns, got "${twice}" twice`);
  }
}

/** Reads the value of a flag that is a number of at least 0, and at most `most` where there is one. */
function atLeastZero(flag: string, most?: number): (text: string) => number {
  const wanted = most === undefined ? "of at least 0" : `from 0 to ${most}`;
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= 0 && value <= (most ?? value)) return value;
    throw new UsageError(`Cannot measure information: ${flag} must be a number ${wanted}, got "${text}"`);
  };
}
