import type { AsyncBuffer, FileMetaData, SchemaTree } from "hyparquet";
import { FailureError } from "../../../schemas/errors.ts";
import { fileBytes, withFile } from "./byte-source.ts";
import { type Chunk, chunkedRows } from "./chunks.ts";
import type { Cell, Table, TableColumn } from "./table.ts";

/** A Parquet file: its top-level columns. One row group is held at a time. */
export function openParquetTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const { parquetMetadataAsync, parquetScan, parquetSchema } = await import("hyparquet");
    const { compressors } = await import("hyparquet-compressors");
    const bytes = fileBytes(handle, file);
    const buffer: AsyncBuffer = {
      byteLength: size,
      slice: async (start, end = size) => {
        const piece = await bytes.read(start, end - start);
        return piece.buffer as ArrayBuffer;
      },
    };
    const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (cause) {
        if (cause instanceof FailureError) throw cause;
        throw new FailureError(
          `Cannot score "${file}": it must be a whole Parquet file, got: ${(cause as Error).message}`,
          {
            code: "bad_data",
            cause,
          },
        );
      }
    };
    const metadata = await guarded(() => parquetMetadataAsync(buffer));
    const starts = groupStarts(metadata);
    const scan = await guarded(() => parquetScan({ file: buffer, metadata, compressors, utf8: false }));

    async function readChunk(group: number, columns: readonly string[]): Promise<Chunk> {
      const [rowStart, rowEnd] = [starts[group]!, starts[group + 1]!];
      const values = new Map<string, readonly Cell[]>();
      for (const column of columns) {
        const data = await guarded(() => scan.readColumn({ column, rowStart, rowEnd }));
        values.set(column, data as unknown as readonly Cell[]);
      }
      return values;
    }

    return {
      label: file,
      rows: starts.at(-1)!,
      columns: parquetSchema(metadata).children.map(columnOf),
      idColumn: undefined,
      uniqueIds: false,
      gaps: true,
      read: chunkedRows(starts, readChunk),
      close: () => handle.close(),
    };
  });
}

function groupStarts({ row_groups }: FileMetaData): number[] {
  const starts = [0];
  for (const { num_rows } of row_groups) starts.push(starts.at(-1)! + Number(num_rows));
  return starts;
}

function columnOf({ element, children }: SchemaTree): TableColumn {
  const { name, type, converted_type, logical_type } = element;
  const isNumber = type === "INT32" || type === "INT64" || type === "FLOAT" || type === "DOUBLE" || type === "BOOLEAN";
  const plain = children.length === 0 && isNumber;
  const isOther = /DECIMAL|TIME|DATE|UINT_64/.test(converted_type ?? "");
  const isUnsigned = logical_type?.type === "INTEGER" && logical_type.bitWidth === 64 && !logical_type.isSigned;
  const integer = plain && (type === "INT32" || type === "INT64") && !isOther && !isUnsigned;
  return { name, shape: plain ? [] : undefined, integer };
}
