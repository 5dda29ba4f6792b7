import { readSync } from "node:fs";
import path from "node:path";
import { decodeValues, MAX_HEADER_BYTES, type NpyHeader, parseNpyHeader } from "../../../files/npy.ts";
import { readZipDirectory } from "../../../files/zip-directory.ts";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { elementCount } from "../../../schemas/tensor.ts";
import { type ByteSource, fileBytes, packedBytes, withFile } from "./byte-source.ts";
import { checkedBytes } from "./checked-bytes.ts";
import type { Numbers, Table, TableColumn, Values } from "./table.ts";

/** NumPy's files: arrays whose first axis is the row. Stored ones are read where they lie, packed ones in order. */

interface ArrayColumn {
  readonly header: NpyHeader;
  readonly bytes: ByteSource;
  /** Bytes of one row. */
  readonly rowBytes: number;
}

/** A `.npy` file: one column, called as the file is. */
export function openNpyTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const bytes = fileBytes(handle, file);
    const head = Buffer.from(await bytes.read(0, Math.min(size, MAX_HEADER_BYTES)));
    const header = parseNpyHeader(head, `score "${file}"`);
    if (size !== header.start + header.bytes) {
      throw new FailureError(
        `Cannot score "${file}": its shape must take ${header.start + header.bytes} bytes, got ${size}: it is truncated or damaged`,
        { code: "bad_data" },
      );
    }
    const name = path.basename(file).replace(/\.npy$/i, "");
    return arrayTable(file, new Map([[name, columnOf(header, bytes)]]), () => handle.close());
  });
}

/** An `.npz` file: its arrays are the columns; those of another length than the longest are no columns. */
export function openNpzTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const action = `score "${file}"`;
    const read = (start: number, length: number): Buffer => {
      const piece = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
      return piece.subarray(0, readSync(handle.fd, piece, 0, piece.length, start));
    };
    const members = readZipDirectory(read, { size, action, wanted: (name) => name.endsWith(".npy") });
    const columns = new Map<string, ArrayColumn>();
    for (const member of members) {
      const name = member.name.slice(0, -4);
      const within = `${file}, array "${name}"`;
      const stored = fileBytes(handle, within, member.start);
      const packed = { file, form: "deflate-raw", start: member.start, bytes: member.packedBytes } as const;
      const source = member.deflated ? packedBytes(packed, within) : stored;
      const bytes = checkedBytes(source, { length: member.bytes, crc: member.crc });
      const head = Buffer.from(await bytes.read(0, Math.min(member.bytes, 4096)));
      const header = headerOf(head, `score "${within}"`);
      if (header === undefined || header.shape.length === 0) continue;
      if (member.bytes !== header.start + header.bytes) {
        throw new FailureError(
          `Cannot score "${within}": its shape must take ${header.start + header.bytes} bytes, got ${member.bytes}`,
          { code: "bad_data" },
        );
      }
      columns.set(name, columnOf(header, bytes));
    }
    const rows = Math.max(0, ...[...columns.values()].map(({ header }) => header.shape[0]!));
    for (const [name, { header }] of columns) if (header.shape[0] !== rows) columns.delete(name);
    return arrayTable(file, columns, () => handle.close());
  });
}

/** Pickled objects and types that no model takes are passed over: they may lie beside what is asked for. */
function headerOf(head: Buffer, action: string): NpyHeader | undefined {
  try {
    return parseNpyHeader(head, action);
  } catch (error) {
    if (error instanceof FailureError && head.toString("latin1", 0, 6) === "\x93NUMPY") return undefined;
    throw error;
  }
}

function columnOf(header: NpyHeader, bytes: ByteSource): ArrayColumn {
  const rows = header.shape[0] ?? 1;
  return { header, bytes, rowBytes: rows === 0 ? 0 : header.bytes / rows };
}

function arrayTable(file: string, columns: ReadonlyMap<string, ArrayColumn>, close: () => Promise<void>): Table {
  const described = [...columns].map(([name, { header }]): TableColumn => {
    return { name, shape: header.shape.slice(1), integer: isInteger(header) };
  });
  return {
    label: file,
    rows: [...columns.values()][0]?.header.shape[0] ?? 0,
    columns: described,
    idColumn: undefined,
    uniqueIds: false,
    gaps: false,
    async read(names, first, end) {
      const values: Values[] = [];
      for (const name of names) values.push(await readRows(file, columns.get(name)!, first, end));
      return values;
    },
    async close() {
      for (const { bytes } of columns.values()) await bytes.close();
      await close();
    },
  };
}

/** Whether an int64 holds every value. */
function isInteger({ dtype }: NpyHeader): boolean {
  return !dtype.startsWith("float") && dtype !== "uint64";
}

async function readRows(file: string, column: ArrayColumn, first: number, end: number): Promise<Values> {
  const { header, bytes, rowBytes } = column;
  if (header.fortran && header.shape.length > 1) {
    throw new UsageError(
      `Cannot score "${file}": its arrays must be row-major, got fortran_order True; save them by numpy.ascontiguousarray`,
      { code: "fortran_order" },
    );
  }
  const raw = await bytes.read(header.start + first * rowBytes, (end - first) * rowBytes);
  const shape = header.shape.slice(1);
  const isBytes = header.dtype === "uint8" || header.dtype === "bool"; // as they lie, without a copy
  const data: Numbers = isBytes ? raw : decodeValues(raw, { ...header, shape: [end - first, ...shape] });
  if (data.length !== (end - first) * elementCount(shape)) throw new Error(`${file}: ${data.length} values`);
  return { kind: "dense", shape, data };
}
