import { readFileSync } from "node:fs";
import { type CsvError, parse } from "csv-parse/sync";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";

/** A table of text with named columns. */
export interface CsvTable {
  readonly file: string;
  readonly names: readonly string[];
  /** At least one; each with a text for each name. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads a CSV file (RFC 4180: commas, double quotes, a header line; a byte order mark and empty lines are skipped).
 * Spaces belong to the values.
 *
 * @throws UsageError where there is no such file; FailureError for a malformed line, a name that occurs twice, or no row
 */
export function readCsvTable(file: string): CsvTable {
  const lines = parseLines(file, readText(file));
  const [names, ...rows] = lines;
  if (names === undefined) {
    throw new FailureError(`Cannot read table "${file}": it must have a header line, got an empty file`);
  }
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new FailureError(`Cannot read table "${file}": every column name must occur once, got "${twice}" twice`);
  }
  if (rows.length === 0) {
    throw new FailureError(`Cannot read table "${file}": there must be rows below the header, got none`);
  }
  return { file, names, rows };
}

/**
 * Values of a column, one a row.
 *
 * @throws UsageError for an unknown column, with the nearest one; FailureError for an empty cell
 */
export function columnOf({ file, names, rows }: CsvTable, name: string): string[] {
  const at = names.indexOf(name);
  if (at < 0) {
    throw new UsageError(
      `Cannot read table "${file}": the column must be one of ${names.join(", ")}, got "${name}"${didYouMean(name, names)}`,
    );
  }
  const missing = rows.findIndex((row) => row[at] === "");
  if (missing >= 0) {
    throw new FailureError(
      `Cannot read table "${file}": every row must have a value of "${name}", got an empty cell in row ${missing + 1}`,
    );
  }
  return rows.map((row) => row[at]!);
}

/**
 * Names on one line, as a CSV header has them: a name with a comma or a quote in it stands in double quotes. Spaces
 * around a name do not belong to it unless they are quoted.
 *
 * @returns undefined where the text is no such line
 */
export function namesOf(line: string): string[] | undefined {
  try {
    const lines: string[][] = parse(line, { trim: true });
    return lines.length > 1 ? undefined : (lines[0] ?? []);
  } catch {
    return undefined;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UsageError(`Cannot read table "${file}": it must be a readable file, got ${code}`, { cause });
  }
}

function parseLines(file: string, text: string): string[][] {
  try {
    return parse(text, { bom: true, skip_empty_lines: true });
  } catch (cause) {
    const { message } = cause as CsvError;
    throw new FailureError(`Cannot read table "${file}": it must be comma-separated values, got: ${message}`, {
      cause,
    });
  }
}
