import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { MappedColumns, ScoreMapping } from "../../schemas/score-plan.ts";
import { elementCount } from "../../schemas/tensor.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import type { Source } from "./tables/open-table.ts";
import type { Table, TableColumn } from "./tables/table.ts";

/** Which column feeds which input, settled and checked against the manifest before the first row is read. */

export interface NamedTable extends Source {
  readonly table: Table;
}

export interface MappingRequest {
  /** Inputs that must be fed. */
  readonly needed: readonly TensorSpec[];
  /** Views that are mapped if they are there, so that the output says which rows had them. */
  readonly welcome: readonly TensorSpec[];
  readonly mapping: ScoreMapping;
  readonly resize: boolean;
}

/** Inputs whose values are drawn where no column gives them. */
export function isNoise({ name, dtype }: Pick<TensorSpec, "name" | "dtype">): boolean {
  return name.startsWith("noise") && dtype === "float32";
}

/**
 * Columns of every input. Without a word from the caller an input is fed by the column of its name, or by the only
 * column of the source of its name, or of the only source where there is one input.
 *
 * @throws UsageError that names the nearest column, or the shapes that do not fit
 */
export function resolveMapping(tables: readonly NamedTable[], request: MappingRequest): Record<string, MappedColumns> {
  const { needed, welcome, mapping, resize } = request;
  const known = [...needed, ...welcome].map(({ name }) => name);
  for (const name of Object.keys(mapping.inputs)) {
    if (!known.includes(name)) {
      throw new UsageError(
        `Cannot map columns: input "${name}" must be one of ${known.join(", ")}${hint(name, known)}`,
        { code: "unknown_input" },
      );
    }
  }
  const resolved: Record<string, MappedColumns> = {};
  for (const spec of [...needed, ...welcome]) {
    const asked = mapping.inputs[spec.name];
    const found = asked === undefined ? byName(tables, spec, needed, mapping.id) : byRequest(tables, spec.name, asked);
    if (found === undefined) {
      if (isNoise(spec) || !needed.includes(spec)) continue;
      throw lacking(tables, spec);
    }
    requireFit(tables[found.source]!.table, { spec, columns: found.columns, resize });
    resolved[spec.name] = found;
  }
  return resolved;
}

function byName(
  tables: readonly NamedTable[],
  spec: TensorSpec,
  needed: readonly TensorSpec[],
  id: string | undefined,
): MappedColumns | undefined {
  const fed = needed.filter((input) => !isNoise(input));
  const values = ({ table }: NamedTable): TableColumn[] =>
    table.columns.filter((column) => column.name !== id && column.name !== table.idColumn);
  for (const [source, table] of tables.entries()) {
    if (values(table).some(({ name }) => name === spec.name)) return { source, columns: [spec.name] };
  }
  for (const [source, table] of tables.entries()) {
    const columns = values(table);
    const isOnly = tables.length === 1 && fed.length === 1 && fed[0] === spec;
    if ((table.name === spec.name || isOnly) && columns.length === 1) return { source, columns: [columns[0]!.name] };
  }
  return undefined;
}

function byRequest(tables: readonly NamedTable[], input: string, asked: string | readonly string[]): MappedColumns {
  const parts = typeof asked === "string" ? [asked] : asked;
  const found = parts.map((part) => {
    const colon = part.indexOf(":");
    const source = colon < 0 ? -1 : tables.findIndex(({ name }) => name === part.slice(0, colon));
    return source >= 0
      ? { source, columns: expand(tables, [source], part.slice(colon + 1), input) }
      : { source: undefined, columns: expand(tables, [...tables.keys()], part, input) };
  });
  const columns = found.flatMap((part) => part.columns.map(({ name }) => name));
  const sources = new Set(found.flatMap((part) => part.columns.map(({ source }) => source)));
  if (sources.size > 1) {
    throw new UsageError(`Cannot map columns: those of input "${input}" must lie in one source, got ${sources.size}`);
  }
  return { source: [...sources][0]!, columns };
}

function expand(
  tables: readonly NamedTable[],
  sources: readonly number[],
  pattern: string,
  input: string,
): { source: number; name: string }[] {
  const escaped = pattern.split("*").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const matcher = new RegExp(`^${escaped.join(".*")}$`);
  for (const source of sources) {
    const names = tables[source]!.table.columns.map(({ name }) => name).filter((name) => matcher.test(name));
    if (names.length > 0) return names.sort(naturally).map((name) => ({ source, name }));
  }
  const names = sources.flatMap((source) => tables[source]!.table.columns.map(({ name }) => name));
  throw new UsageError(
    `Cannot map columns: column "${pattern}" of input "${input}" must be one of ${list(names)}${hint(pattern, names)}`,
    { code: "unknown_column" },
  );
}

/** px_2 before px_10. */
const naturally = new Intl.Collator("en", { numeric: true }).compare;

/** Whether rows of `shape` can feed `spec`: equal but for sizes of 1, or the same values written flat. */
function requireFit(
  table: Table,
  { spec, columns, resize }: { spec: TensorSpec; columns: readonly string[]; resize: boolean },
): void {
  const wanted = spec.shape.slice(1);
  const shapes = columns.map((name) => table.columns.find((column) => column.name === name)!.shape);
  const refuse = (actual: string): UsageError =>
    new UsageError(
      `Cannot feed input "${spec.name}" from ${table.label}: rows must have shape ${show(wanted)}, got ${actual}${canResize(wanted, shapes[0]) ? "; --resize makes pictures fit" : ""}`,
      { code: "bad_shape", path: ["inputs", spec.name] },
    );
  if (columns.length > 1) {
    if (columns.length !== elementCount(wanted)) throw refuse(`${columns.length} columns`);
    const vector = shapes.findIndex((shape) => shape !== undefined && elementCount(shape) !== 1);
    if (vector >= 0)
      throw refuse(`${columns.length} columns, of which "${columns[vector]}" is ${show(shapes[vector]!)}`);
    return;
  }
  const shape = shapes[0];
  if (shape === undefined || shapesFit(shape, wanted) || (resize && canResize(wanted, shape))) return;
  throw refuse(show(shape));
}

export function shapesFit(shape: readonly number[], wanted: readonly number[]): boolean {
  if (elementCount(shape) !== elementCount(wanted)) return false;
  const [a, b] = [shape, wanted].map((sizes) => sizes.filter((size) => size !== 1));
  if (a!.length <= 1 || b!.length <= 1) return true;
  return a!.length === b!.length && a!.every((size, axis) => size === b![axis]);
}

/** Pictures [height, width, channels], or [height, width] of one channel. */
export function canResize(wanted: readonly number[], shape: readonly number[] | undefined): boolean {
  if (shape === undefined || wanted.length !== 3) return false;
  return (shape.length === 3 && shape[2] === wanted[2]) || (shape.length === 2 && wanted[2] === 1);
}

function lacking(tables: readonly NamedTable[], { name, shape }: TensorSpec): UsageError {
  const names = tables.flatMap(({ table }) => table.columns.map((column) => column.name));
  return new UsageError(
    `Cannot feed input "${name}" (rows of ${show(shape.slice(1))}): it must be a column, got ${list(names)}${hint(name, names)}; name one by --map ${name}=COLUMN, or the source by --in ${name}=PATH`,
    { code: "missing_input", path: ["inputs", name] },
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(", ") || "none";
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

function hint(name: string, names: readonly string[]): string {
  return names.includes(name) ? "" : didYouMean(name, names);
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
