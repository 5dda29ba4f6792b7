import { type JointDistribution, jointFromRows, sumTolerance } from "../../information/joint-distribution.ts";
import { FailureError } from "../../schemas/errors.ts";
import { type CsvTable, columnOf, readCsvTable } from "../data/csv-table.ts";

/** How the rows of a table weigh: each once, or as one of its columns says. */
export interface RowWeights {
  /** Column of whole numbers: how often each row occurred. */
  readonly count?: string | undefined;
  /** Column of probabilities: the rows are a distribution, not a sample. */
  readonly probability?: string | undefined;
}

/**
 * Distribution of some columns of a CSV file. Rows that agree in them add up.
 *
 * @returns `rows` observations, none where the table is a distribution
 * @throws UsageError for an unknown column; FailureError for a weight that is none, or
 *   probabilities that do not sum to 1
 */
export function readJoint(
  file: string,
  names: readonly string[],
  { count, probability }: RowWeights,
): { joint: JointDistribution; rows: number | undefined } {
  const table = readCsvTable(file);
  const columns = names.map((name) => columnOf(table, name));
  const rows = table.rows.map((_, row) => columns.map((values) => values[row]!));
  if (probability !== undefined) {
    const weights = weightsOf(table, { name: probability, wanted: "a probability", holds: (value) => value <= 1 });
    return { joint: jointFromRows(names, rows, requireOne(table, { name: probability, weights })), rows: undefined };
  }
  if (count === undefined) return { joint: jointFromRows(names, rows), rows: rows.length };
  const weights = weightsOf(table, { name: count, wanted: "a whole number", holds: Number.isSafeInteger });
  const observed = weights.reduce((sum, value) => sum + value, 0);
  if (observed === 0) {
    throw new FailureError(`Cannot read table "${file}": a count in "${count}" must be above 0, got none`);
  }
  return { joint: jointFromRows(names, rows, weights), rows: observed };
}

interface Weight {
  readonly name: string;
  readonly wanted: string;
  /** What a value must be besides finite and not negative. */
  readonly holds: (value: number) => boolean;
}

function weightsOf(table: CsvTable, { name, wanted, holds }: Weight): number[] {
  return columnOf(table, name).map((text, row) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value) && value >= 0 && holds(value)) return value;
    throw new FailureError(
      `Cannot read table "${table.file}": every value of "${name}" must be ${wanted} of at least 0, got "${text}" in row ${row + 1}`,
    );
  });
}

/** Nothing is renormalised: a wrong sum is a wrong table. */
function requireOne({ file }: CsvTable, { name, weights }: { name: string; weights: number[] }): number[] {
  const sum = weights.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) <= sumTolerance) return weights;
  throw new FailureError(
    `Cannot read table "${file}": the probabilities in "${name}" must sum to 1 within ${sumTolerance}, got ${sum}`,
  );
}
