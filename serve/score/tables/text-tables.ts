import { parse } from "csv-parse/sync";
import { FailureError } from "../../../schemas/errors.ts";
import { fileBytes, withFile } from "./byte-source.ts";
import { type Chunk, chunkedRows } from "./chunks.ts";
import { indexLines } from "./lines.ts";
import { BrokenCell, type Cell, type Table } from "./table.ts";

/** Text files: one pass finds where lines begin, then a thousand lines are held at a time. */

const NO_BYTES = new Uint8Array(0);
/** Rows whose keys are the columns of a JSONL file: later rows may leave some out and add none. */
const SAMPLED_ROWS = 100;

/** JSON Lines: an object a line; arrays may be nested as the input is; null and absent are missing. */
export function openJsonlTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const bytes = fileBytes(handle, file);
    const { offsets, starts } = await indexLines(bytes, { size, quoted: false });

    async function rowsOf(chunk: number): Promise<(Readonly<Record<string, Cell>> | BrokenCell)[]> {
      const [from, to] = [offsets[chunk]!, offsets[chunk + 1]!];
      const text = Buffer.from(from < to ? await bytes.read(from, to - from) : NO_BYTES).toString("utf8");
      const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/); // Windows writes a byte order mark
      return lines.flatMap((line) => (/^\r*$/.test(line) ? [] : [parseLine(line)]));
    }

    async function readChunk(chunk: number, columns: readonly string[]): Promise<Chunk> {
      const rows = await rowsOf(chunk);
      return new Map(
        columns.map((name) => [name, rows.map((row) => (row instanceof BrokenCell ? row : (row[name] ?? null)))]),
      );
    }

    const names = new Set<string>();
    for (const row of starts.length > 1 ? (await rowsOf(0)).slice(0, SAMPLED_ROWS) : []) {
      if (!(row instanceof BrokenCell)) for (const name of Object.keys(row)) names.add(name);
    }
    return {
      label: file,
      rows: starts.at(-1)!,
      columns: [...names].map((name) => ({ name, shape: undefined, integer: false })),
      idColumn: undefined,
      uniqueIds: false,
      gaps: true,
      read: chunkedRows(starts, readChunk),
      close: () => handle.close(),
    };
  });
}

function parseLine(line: string): Readonly<Record<string, Cell>> | BrokenCell {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, Cell>;
    return new BrokenCell("the line must be a JSON object");
  } catch (error) {
    return new BrokenCell(`the line must be JSON, got: ${(error as Error).message}`);
  }
}

/** CSV (RFC 4180) with a header line; an empty cell is missing. */
export function openCsvTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const bytes = fileBytes(handle, file);
    const { offsets, starts } = await indexLines(bytes, { size, quoted: true });

    async function linesOf(chunk: number): Promise<string[][]> {
      const [from, to] = [offsets[chunk]!, offsets[chunk + 1]!];
      const text = Buffer.from(from < to ? await bytes.read(from, to - from) : NO_BYTES).toString("utf8");
      try {
        // Both ends in one file, and the lines that the index has: the parser would take the first end for all.
        const record_delimiter = ["\r\n", "\n"];
        return parse(text, { bom: true, skip_empty_lines: true, relax_column_count: true, record_delimiter });
      } catch (cause) {
        const where = `lines ${starts[chunk]! + 1} to ${starts[chunk + 1]}`;
        throw new FailureError(
          `Cannot score "${file}": it must be comma-separated values, got in ${where}: ${(cause as Error).message}`,
          { code: "bad_data", cause },
        );
      }
    }

    const names = starts.length > 1 ? ((await linesOf(0))[0] ?? []) : [];
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) {
      throw new FailureError(`Cannot score "${file}": every column name must occur once, got "${twice}" twice`, {
        code: "bad_data",
      });
    }

    async function readChunk(chunk: number, columns: readonly string[]): Promise<Chunk> {
      const lines = (await linesOf(chunk)).slice(chunk === 0 ? 1 : 0);
      return new Map(
        columns.map((name) => {
          const at = names.indexOf(name);
          return [name, lines.map((line) => cellOf(line, at, names.length))];
        }),
      );
    }

    // The header is the first line of the first chunk.
    const rowStarts = starts.map((line, chunk) => (chunk === 0 ? 0 : Math.max(0, line - 1)));
    return {
      label: file,
      rows: rowStarts.at(-1)!,
      columns: names.map((name) => ({ name, shape: [], integer: false })),
      idColumn: undefined,
      uniqueIds: false,
      gaps: true,
      read: chunkedRows(rowStarts, readChunk),
      close: () => handle.close(),
    };
  });
}

function cellOf(line: readonly string[], at: number, width: number): Cell {
  if (line.length !== width) return new BrokenCell(`the line must have ${width} cells, got ${line.length}`);
  return line[at] === "" ? null : line[at]!;
}
