import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { MappedColumns } from "../../schemas/score-plan.ts";
import type { NamedTable } from "./mapping.ts";
import type { Cell, Numbers, Table, Values } from "./tables/table.ts";

/** Sources joined by id: the rows that are scored, in a fixed order. */
export interface Dataset {
  readonly rows: number;
  /** Whether ids are whole numbers. Without an id column they are the numbers of the rows, from 0. */
  readonly integerIds: boolean;
  /** Whether no id can occur twice. */
  readonly uniqueIds: boolean;
  /** Whether a row may lack an input. */
  readonly gaps: boolean;
  read(first: number, end: number): Promise<RowBlock>;
  close(): Promise<void>;
}

export interface RowBlock {
  readonly first: number;
  readonly rows: number;
  readonly ids: readonly (string | bigint)[];
  /** Columns of every mapped input. */
  readonly values: Readonly<Record<string, readonly Values[]>>;
  /** 1 where the source of an input has no such row. */
  readonly absent: Readonly<Record<string, Uint8Array>>;
}

const ID_BLOCK = 8192;

/**
 * One source: its rows as they are. Several: joined by their ids, in the order of the first source, then what only later
 * ones have, in theirs. The ids of several sources are held in memory while the join is made, and 4 bytes a row and
 * source after it; sources without ids are joined by position and must have equally many rows.
 *
 * @throws UsageError where a source lacks the id column; FailureError for an id that occurs twice or is missing
 */
export async function openDataset(
  tables: readonly NamedTable[],
  { id, inputs }: { id: string | undefined; inputs: Readonly<Record<string, MappedColumns>> },
): Promise<Dataset> {
  const idColumns = tables.map(({ table }) => idColumnOf(table, id));
  const index = tables.length === 1 ? undefined : await join(tables, idColumns);
  const rows = index === undefined ? tables[0]!.table.rows : index[0]!.length;
  const integerIds = tables.every(({ table }, k) => {
    return idColumns[k] === undefined || table.columns.find(({ name }) => name === idColumns[k])!.integer;
  });

  async function read(first: number, end: number): Promise<RowBlock> {
    const values: Record<string, readonly Values[]> = {};
    const absent: Record<string, Uint8Array> = {};
    const ids = new Array<string | bigint>(end - first).fill("");
    const named = new Uint8Array(end - first);
    for (const [source, { table }] of tables.entries()) {
      const mine = Object.entries(inputs).filter(([, mapped]) => mapped.source === source);
      const idColumn = idColumns[source];
      const columns = [...mine.flatMap(([, mapped]) => mapped.columns), ...(idColumn === undefined ? [] : [idColumn])];
      const places = index?.[source]?.subarray(first, end);
      const read = await readRows(table, { columns, first, end, places });
      let at = 0;
      for (const [input, mapped] of mine) {
        values[input] = read.slice(at, at + mapped.columns.length);
        absent[input] = Uint8Array.from({ length: end - first }, (_, row) =>
          places !== undefined && places[row]! < 0 ? 1 : 0,
        );
        at += mapped.columns.length;
      }
      for (let row = 0; row < end - first; row++) {
        if (named[row] === 1 || (places !== undefined && places[row]! < 0)) continue;
        ids[row] = idColumn === undefined ? BigInt(places?.[row] ?? first + row) : idOf(read[at]!, row, integerIds);
        named[row] = 1;
      }
    }
    return { first, rows: end - first, ids, values, absent };
  }

  return {
    rows,
    integerIds,
    uniqueIds: index !== undefined || idColumns[0] === undefined || (id === undefined && tables[0]!.table.uniqueIds),
    gaps: index !== undefined || tables.some(({ table }) => table.gaps),
    read,
    async close() {
      for (const { table } of tables) await table.close();
    },
  };
}

function idColumnOf(table: Table, id: string | undefined): string | undefined {
  if (id === undefined) return table.idColumn;
  if (table.columns.some(({ name }) => name === id)) return id;
  if (table.idColumn !== undefined) return table.idColumn;
  const names = table.columns.map(({ name }) => name).join(", ");
  throw new UsageError(`Cannot join ${table.label}: the id must be a column of it, got "${id}" and columns ${names}`, {
    code: "unknown_column",
  });
}

function idOf(values: Values, row: number, integer: boolean): string | bigint {
  const cell = values.kind === "cells" ? (values.cells[row] ?? null) : values.data[row]!;
  if (integer && (typeof cell === "number" || typeof cell === "bigint")) return BigInt(cell);
  return textOf(cell);
}

/** A missing or broken id is the empty text. */
function textOf(cell: Cell): string {
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString("utf8");
  return typeof cell === "string" || typeof cell === "number" || typeof cell === "bigint" ? String(cell) : "";
}

/** For each source the row of every joined row, -1 where it has none. */
async function join(tables: readonly NamedTable[], idColumns: readonly (string | undefined)[]): Promise<Int32Array[]> {
  if (idColumns.every((column) => column === undefined)) return joinByPosition(tables);
  const places = new Map<string, number>();
  const found: number[][] = tables.map(() => []);
  for (const [source, { table }] of tables.entries()) {
    const column = idColumns[source];
    if (column === undefined) {
      throw new UsageError(`Cannot join ${table.label}: it has no ids and the others have; name its column by --id`, {
        code: "no_id",
      });
    }
    for (let first = 0; first < table.rows; first += ID_BLOCK) {
      const end = Math.min(first + ID_BLOCK, table.rows);
      const [ids] = await table.read([column], first, end);
      for (let row = first; row < end; row++) {
        const id = String(idOf(ids!, row - first, false));
        let place = places.get(id);
        if (place === undefined) {
          place = places.size;
          places.set(id, place);
        }
        if (id === "" || found[source]![place] !== undefined) {
          const fault = id === "" ? `got none in row ${row}` : `got "${id}" twice, in row ${row} again`;
          throw new FailureError(`Cannot join ${table.label}: every row must have an id of its own, ${fault}`, {
            code: "bad_id",
          });
        }
        found[source]![place] = row;
      }
    }
  }
  return found.map((rows) => Int32Array.from({ length: places.size }, (_, place) => rows[place] ?? -1));
}

function joinByPosition(tables: readonly NamedTable[]): Int32Array[] {
  const [first, ...others] = tables.map(({ table }) => table);
  for (const table of others) {
    if (table.rows !== first!.rows) {
      throw new UsageError(
        `Cannot join ${table.label} and ${first!.label}: without ids they must have equally many rows, got ${table.rows} and ${first!.rows}; name a column by --id`,
        { code: "no_id" },
      );
    }
  }
  return tables.map(({ table }) => Int32Array.from({ length: table.rows }, (_, row) => row));
}

interface RowsWanted {
  readonly columns: readonly string[];
  readonly first: number;
  readonly end: number;
  /** Rows of this table, -1 for none; undefined: `first .. end - 1`. */
  readonly places: Int32Array | undefined;
}

async function readRows(table: Table, { columns, first, end, places }: RowsWanted): Promise<Values[]> {
  if (places === undefined) return table.read(columns, first, end);
  const start = places[0] ?? 0;
  if (start >= 0 && places.every((row, at) => row === start + at))
    return table.read(columns, start, start + places.length);
  const targets: (Values | undefined)[] = columns.map(() => undefined);
  for (const { from, to, at } of runs(places)) {
    const read = await table.read(columns, from, to);
    for (const [k, values] of read.entries()) {
      targets[k] ??= emptyLike(values, places.length);
      copyInto(targets[k]!, values, at);
    }
  }
  return targets.map((target) => target ?? { kind: "cells", cells: new Array<Cell>(places.length).fill(null) });
}

/** Stretches of consecutive rows with where they go, in the order of the file, the one in which it is read fast. */
function runs(places: Int32Array): { from: number; to: number; at: Int32Array }[] {
  const order = [...places.keys()].filter((at) => places[at]! >= 0).sort((a, b) => places[a]! - places[b]!);
  const found: { from: number; to: number; at: Int32Array }[] = [];
  let begin = 0;
  for (let k = 1; k <= order.length; k++) {
    if (k < order.length && places[order[k]!]! === places[order[k - 1]!]! + 1) continue;
    const at = Int32Array.from(order.slice(begin, k));
    found.push({ from: places[at[0]!]!, to: places[at.at(-1)!]! + 1, at });
    begin = k;
  }
  return found;
}

function emptyLike(values: Values, rows: number): Values {
  if (values.kind === "cells") return { kind: "cells", cells: new Array<Cell>(rows).fill(null) };
  const size = values.shape.reduce((product, length) => product * length, 1);
  const Maker = values.data.constructor as new (length: number) => Numbers;
  return { kind: "dense", shape: values.shape, data: new Maker(rows * size) };
}

function copyInto(target: Values, values: Values, at: Int32Array): void {
  if (target.kind === "cells" && values.kind === "cells") {
    for (const [k, row] of at.entries()) (target.cells as Cell[])[row] = values.cells[k] ?? null;
  } else if (target.kind === "dense" && values.kind === "dense") {
    const size = values.shape.reduce((product, length) => product * length, 1);
    for (const [k, row] of at.entries()) {
      (target.data as Uint8Array).set(values.data.subarray(k * size, (k + 1) * size) as Uint8Array, row * size);
    }
  }
}
