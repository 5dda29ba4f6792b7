import path from "node:path";
import { decodeIdx, type IdxHeader, MAX_IDX_HEADER_BYTES, parseIdxHeader } from "../../../files/idx.ts";
import { FailureError } from "../../../schemas/errors.ts";
import { type ByteSource, fileBytes, packedBytes, withFile } from "./byte-source.ts";
import type { Table } from "./table.ts";

/** An IDX file, plain or gzip (told apart by its first bytes): one column, called as the file is. */
export function openIdxTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const plain = fileBytes(handle, file);
    const start = await plain.read(0, Math.min(size, 2));
    const packed = start[0] === 0x1f && start[1] === 0x8b;
    const bytes = packed ? packedBytes({ file, form: "gzip" }, file) : plain;
    const header = await readHeader(bytes, { file, size: packed ? undefined : size });
    const [rows = 0, ...shape] = header.shape;
    const rowBytes = rows === 0 ? 0 : header.bytes / rows;
    if (!packed && size !== header.start + header.bytes) {
      throw new FailureError(
        `Cannot score "${file}": its shape must take ${header.start + header.bytes} bytes, got ${size}: it is truncated or damaged`,
        { code: "bad_data" },
      );
    }
    const name = path.basename(file).replace(/\.gz$/i, "");
    return {
      label: file,
      rows,
      columns: [{ name, shape, integer: header.dtype !== "float32" }],
      idColumn: undefined,
      uniqueIds: false,
      gaps: false,
      async read(columns, first, end) {
        if (columns.length === 0) return [];
        const raw = await bytes.read(header.start + first * rowBytes, (end - first) * rowBytes);
        const { data } = decodeIdx(raw, header);
        return columns.map(() => ({ kind: "dense", shape, data }));
      },
      async close() {
        await bytes.close();
        await handle.close();
      },
    };
  });
}

async function readHeader(
  bytes: ByteSource,
  { file, size }: { file: string; size: number | undefined },
): Promise<IdxHeader> {
  const magic = await bytes.read(0, Math.min(size ?? 4, 4));
  const length = Math.min(4 + 4 * (magic[3] ?? 0), MAX_IDX_HEADER_BYTES, size ?? MAX_IDX_HEADER_BYTES);
  return parseIdxHeader(Buffer.from(await bytes.read(0, length)), `score "${file}"`);
}
