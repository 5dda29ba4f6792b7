import { readFile } from "node:fs/promises";
import type { RowGroup, SchemaElement } from "hyparquet";
import { ByteWriter, type ColumnSource, ParquetWriter } from "hyparquet-writer";
import type { Dtype } from "../../../schemas/tensor.ts";
import type { OutputShape, PartTable, TensorColumn } from "../part-table.ts";
import type { OutputFormat } from "./output-format.ts";

/**
 * Parquet: a part is a whole file of one row group, and the output is their row groups one after another under one
 * footer, byte for byte as they were. A vector becomes one column a component, `common_mean_0`, ... (columns of lists
 * took five times as long to write, and cannot be filtered by their statistics); a tensor of more than 256 values
 * becomes one binary column, little-endian and row-major, whose shape is in the footer's key "cominfo".
 */
const WIDEST_VECTOR = 256;
/** Bytes before the first row group: PAR1. */
const HEAD = 4;

const types: Record<Dtype, Pick<SchemaElement, "type" | "converted_type">> = {
  float32: { type: "FLOAT" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  uint8: { type: "INT32", converted_type: "UINT_8" },
  bool: { type: "BOOLEAN" },
};

export const parquetFormat: OutputFormat = {
  async encodePart(table, { shape }) {
    const bytes = new ByteWriter();
    const writer = createWriter(bytes, shape);
    if (table.rows > 0) await writer.write({ columnData: columnData(table), rowGroupSize: table.rows });
    await writer.finish();
    return bytes.getBytes();
  },

  async assemble(parts, target, shape) {
    const { parquetMetadata } = await import("hyparquet");
    const bytes = new ByteWriter();
    const writer = createWriter(bytes, shape);
    await target.append(bytes.getBytes().slice(0, HEAD));
    for (const part of parts) {
      const whole = await readFile(part.path);
      const { row_groups } = parquetMetadata(whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength));
      const end = whole.length - 8 - whole.readUInt32LE(whole.length - 8); // the footer, its length, PAR1
      for (const group of row_groups) {
        writer.row_groups.push(moved(group, BigInt(bytes.offset - HEAD)));
        writer.num_rows += group.num_rows;
      }
      await target.append(whole.subarray(HEAD, end));
      bytes.offset += end - HEAD; // the writer's place in the file; its buffer holds head and footer only
    }
    await writer.finish();
    await target.append(bytes.getBytes().slice(HEAD));
  },
};

function createWriter(writer: ByteWriter, shape: OutputShape): ParquetWriter {
  const shapes = Object.fromEntries(shape.tensors.map(({ spec }) => [spec.name, spec.shape.slice(1)]));
  return new ParquetWriter({
    writer,
    schema: schemaOf(shape),
    codec: "UNCOMPRESSED", // SNAPPY made files of codes 2 % smaller
    createdBy: "cominfo",
    kvMetadata: [{ key: "cominfo", value: JSON.stringify({ shapes }) }],
  });
}

function schemaOf({ integerIds, masks, tensors }: OutputShape): SchemaElement[] {
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
  const columns: SchemaElement[] = [
    { name: "id", repetition_type: "REQUIRED", ...(integerIds ? { type: "INT64" } : text) },
    ...masks.map((name): SchemaElement => ({ name, repetition_type: "REQUIRED", type: "BOOLEAN" })),
    ...tensors.flatMap(({ spec, optional }) => {
      const repetition_type = optional ? ("OPTIONAL" as const) : ("REQUIRED" as const);
      const shape = spec.shape.slice(1);
      const type = isBinary(shape) ? ({ type: "BYTE_ARRAY" } as const) : types[spec.dtype];
      return columnNames(spec.name, shape).map((name): SchemaElement => ({ name, repetition_type, ...type }));
    }),
  ];
  return [{ name: "root", num_children: columns.length }, ...columns];
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const isBinary = (shape: readonly number[]): boolean => sizeOf(shape) > WIDEST_VECTOR;

function columnNames(name: string, shape: readonly number[]): string[] {
  if (shape.length === 0 || isBinary(shape)) return [name];
  return Array.from({ length: sizeOf(shape) }, (_, k) => `${name}_${k}`);
}

function columnData({ ids, masks, tensors }: PartTable): ColumnSource[] {
  const plain = { encoding: "PLAIN", offsetIndex: false } as const; // codes hardly repeat: a dictionary would not pay
  return [
    { name: "id", data: ids.integer ? ids.values : [...ids.values], ...plain },
    ...masks.map(({ name, data }) => ({ name, data: Array.from(data, (value) => value === 1), offsetIndex: false })),
    ...tensors.flatMap((tensor) => {
      const shape = tensor.spec.shape.slice(1);
      if (isBinary(shape)) return [{ name: tensor.name, data: binaryRows(tensor), statistics: false, ...plain }];
      return columnNames(tensor.name, shape).map((name, k) => ({ name, data: component(tensor, k), ...plain }));
    }),
  ];
}

function binaryRows({ data, size, present }: TensorColumn): (Uint8Array | null)[] {
  const rowBytes = size * data.BYTES_PER_ELEMENT;
  return Array.from({ length: data.length / size }, (_, row) =>
    present?.[row] === 0 ? null : new Uint8Array(data.buffer, data.byteOffset + row * rowBytes, rowBytes),
  );
}

function component({ data, size, present, spec }: TensorColumn, k: number): ColumnSource["data"] {
  const rows = data.length / size;
  if (present === undefined && spec.dtype === "float32") {
    if (size === 1) return data as Float32Array;
    const column = new Float32Array(rows);
    for (let row = 0; row < rows; row++) column[row] = (data as Float32Array)[row * size + k]!;
    return column;
  }
  return Array.from({ length: rows }, (_, row) => {
    const value = data[row * size + k]!;
    return present?.[row] === 0 ? null : spec.dtype === "bool" ? value === 1 : value;
  });
}

/** The same row group `by` bytes further on. */
function moved(group: RowGroup, by: bigint): RowGroup {
  return {
    ...group,
    columns: group.columns.map((column) => {
      const meta = column.meta_data!;
      const { dictionary_page_offset: dictionary } = meta;
      return {
        ...column,
        file_offset: column.file_offset + by,
        meta_data: {
          ...meta,
          data_page_offset: meta.data_page_offset + by,
          ...(dictionary === undefined ? {} : { dictionary_page_offset: dictionary + by }),
        },
      };
    }),
  };
}
