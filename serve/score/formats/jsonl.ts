import type { PartTable, TensorColumn } from "../part-table.ts";
import type { OutputFormat } from "./output-format.ts";

/** JSON Lines: an object a row; tensors as nested arrays, a missing one as null. Numbers are those of the float32. */
export const jsonlFormat: OutputFormat = {
  async encodePart(table) {
    const lines = Array.from({ length: table.rows }, (_, row) => `${lineOf(table, row)}\n`);
    return Buffer.from(lines.join(""), "utf8");
  },
  async assemble(parts, target) {
    for (const { path, bytes } of parts) await target.copy(path, 0, bytes);
  },
};

function lineOf({ ids, masks, tensors }: PartTable, row: number): string {
  const id = ids.integer ? String(ids.values[row]) : JSON.stringify(ids.values[row]);
  const fields = [
    `"id":${id}`,
    ...masks.map(({ name, data }) => `${JSON.stringify(name)}:${data[row] === 1}`),
    ...tensors.map((tensor) => `${JSON.stringify(tensor.name)}:${textOf(tensor, row)}`),
  ];
  return `{${fields.join(",")}}`;
}

function textOf({ spec, size, data, present }: TensorColumn, row: number): string {
  if (present?.[row] === 0) return "null";
  const values = Array.from({ length: size }, (_, k) => {
    const value = data[row * size + k];
    return spec.dtype === "bool" ? String(value === 1) : String(value);
  });
  return nested(values, spec.shape.slice(1));
}

function nested(values: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return values[0]!;
  const size = values.length / shape[0]!;
  if (shape.length === 1) return `[${values.join(",")}]`;
  const rows = Array.from({ length: shape[0]! }, (_, k) =>
    nested(values.slice(k * size, (k + 1) * size), shape.slice(1)),
  );
  return `[${rows.join(",")}]`;
}
