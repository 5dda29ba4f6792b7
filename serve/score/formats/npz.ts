import { crc32 } from "node:zlib";
import { npyHeader } from "../../../files/npy.ts";
import { type ZipEntry, zipEnd, zipLocalHeader } from "../../../files/zip-writer.ts";
import type { Dtype } from "../../../schemas/tensor.ts";
import type { OutputShape, PartTable } from "../part-table.ts";
import { type OutputFile, pieces } from "./output-file.ts";
import type { OutputFormat, PartFile } from "./output-format.ts";

/**
 * npz: a part is the bytes of its columns one after another; the output is an archive of stored arrays (zip64 where they
 * are long), `id` first. Values of rows that lack them are NaN or 0. Text ids are NumPy's `<U`, as wide as the longest.
 */
export const npzFormat: OutputFormat = {
  async encodePart(table) {
    const columns = columnBytes(table);
    const bytes = new Uint8Array(columns.reduce((sum, column) => sum + column.length, 0));
    let at = 0;
    for (const column of columns) {
      bytes.set(column, at);
      at += column.length;
    }
    return bytes;
  },

  async assemble(parts, target, shape) {
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const entries: ZipEntry[] = [];
    for (const column of columnsOf(parts, shape)) {
      const { name, descr, rowShape, rowBytes } = column;
      const header = npyHeader(descr, [rows, ...rowShape]);
      const bytes = header.length + rows * rowBytes;
      let crc = crc32(header);
      for await (const piece of column.bytes()) crc = crc32(piece, crc); // the local header has it, so it comes first
      const entry: ZipEntry = { name: `${name}.npy`, bytes, crc, start: target.bytes };
      entries.push(entry);
      await target.append(zipLocalHeader(entry));
      await target.append(header);
      for await (const piece of column.bytes()) await target.append(piece);
    }
    await finish(target, entries);
  },
};

async function finish(target: OutputFile, entries: readonly ZipEntry[]): Promise<void> {
  await target.append(zipEnd(entries, target.bytes));
}

const descrOf: Record<Dtype, string> = { float32: "<f4", int32: "<i4", int64: "<i8", uint8: "|u1", bool: "|b1" };
const widthOf: Record<Dtype, number> = { float32: 4, int32: 4, int64: 8, uint8: 1, bool: 1 };

function columnBytes({ ids, masks, tensors }: PartTable): Uint8Array[] {
  const whole = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...tensors.map(({ data, size, present }) => {
      if (present !== undefined && data instanceof Float32Array) {
        for (const [row, has] of present.entries()) if (has === 0) data.fill(Number.NaN, row * size, (row + 1) * size);
      }
      return whole(data);
    }),
    ...masks.map(({ data }) => data),
    ids.integer ? whole(ids.values) : Buffer.from(JSON.stringify(ids.values), "utf8"), // last: only its length varies
  ];
}

interface ArchiveColumn {
  readonly name: string;
  readonly descr: string;
  readonly rowShape: readonly number[];
  readonly rowBytes: number;
  bytes(): AsyncGenerator<Uint8Array>;
}

function columnsOf(parts: readonly PartFile[], shape: OutputShape): ArchiveColumn[] {
  const fixed = [
    ...shape.tensors.map(({ spec }) => {
      const rowShape = spec.shape.slice(1);
      const rowBytes = widthOf[spec.dtype] * rowShape.reduce((product, size) => product * size, 1);
      return { name: spec.name, descr: descrOf[spec.dtype], rowShape, rowBytes };
    }),
    ...shape.masks.map((name) => ({ name, descr: "|b1", rowShape: [], rowBytes: 1 })),
  ];
  let before = 0; // bytes a row of the columns in front
  const columns = fixed.map((column): ArchiveColumn => {
    const at = before;
    before += column.rowBytes;
    return { ...column, bytes: () => stretches(parts, at, column.rowBytes) };
  });
  return [idColumn(parts, { integer: shape.integerIds, at: before }), ...columns];
}

async function* stretches(parts: readonly PartFile[], at: number, rowBytes: number): AsyncGenerator<Uint8Array> {
  for (const { path, rows } of parts) yield* pieces(path, at * rows, rowBytes * rows);
}

function idColumn(parts: readonly PartFile[], { integer, at }: { integer: boolean; at: number }): ArchiveColumn {
  if (integer) return { name: "id", descr: "<i8", rowShape: [], rowBytes: 8, bytes: () => stretches(parts, at, 8) };
  const width = Math.max(1, ...parts.map(({ widestId }) => widestId));
  return {
    name: "id",
    descr: `<U${width}`,
    rowShape: [],
    rowBytes: 4 * width,
    async *bytes() {
      for (const part of parts) {
        const text: Uint8Array[] = [];
        for await (const piece of pieces(part.path, at * part.rows, part.bytes - at * part.rows))
          text.push(piece.slice());
        const ids = JSON.parse(Buffer.concat(text).toString("utf8")) as string[];
        const points = new Uint32Array(ids.length * width);
        for (const [row, id] of ids.entries()) {
          points.set(
            Uint32Array.from(id, (character) => character.codePointAt(0)!),
            row * width,
          );
        }
        yield new Uint8Array(points.buffer);
      }
    },
  };
}
