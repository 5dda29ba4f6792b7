import type { Field, RecordBatch, Schema, Vector } from "apache-arrow";
import { FailureError } from "../../../schemas/errors.ts";
import { fileBytes, withFile } from "./byte-source.ts";
import { type Chunk, chunkedRows } from "./chunks.ts";
import type { Cell, Numbers, Table, TableColumn } from "./table.ts";

interface MessagePlace {
  readonly start: number;
  readonly length: number;
}

/** An Arrow IPC file or stream (`.arrow`, `.feather` version 2). One record batch is held at a time. */
export function openArrowTable(file: string): Promise<Table> {
  return withFile(file, async ({ handle, size }) => {
    const arrow = await import("apache-arrow");
    const bytes = fileBytes(handle, file);
    const index = await guarded(file, () => indexMessages(arrow));
    const schema = await guarded(file, readSchema);

    /** From the footer of a file, whose schema message some writers leave out, or from the first message of a stream. */
    async function readSchema(): Promise<Schema> {
      if (!index.isFile && index.shared.length === 0) throw new Error("no schema: it is empty or truncated");
      if (!index.isFile) return arrow.RecordBatchReader.from(await gatherMessages(index.shared)).open().schema;
      const end = Buffer.from(await bytes.read(size - 10, 10));
      if (end.toString("latin1", 4) !== "ARROW1") throw new Error("no footer: it is truncated");
      const footerBytes = end.readInt32LE(0) + 10;
      const footer = await bytes.read(size - footerBytes, footerBytes);
      return arrow.RecordBatchReader.from(Buffer.concat([Buffer.from("ARROW1\0\0", "latin1"), footer])).open().schema;
    }

    /** A small stream of its own: schema, dictionaries, and this batch. */
    async function gather(batch: MessagePlace): Promise<Uint8Array> {
      const empty = new arrow.RecordBatchStreamWriter();
      empty.reset(undefined, schema);
      empty.finish();
      const head = empty.toUint8Array(true).slice(0, -8); // without the end of the stream
      return Buffer.concat([head, await gatherMessages([...index.dictionaries, batch])]);
    }

    /** Every message of the file by kind, found by its headers: bodies are not read. */
    async function indexMessages({ Message, MessageHeader }: typeof arrow) {
      const head = await bytes.read(0, Math.min(size, 8));
      const isFile = Buffer.from(head).toString("latin1", 0, 6) === "ARROW1";
      let at = isFile ? 8 : 0;
      const shared: MessagePlace[] = []; // the schema, at most once
      const dictionaries: MessagePlace[] = [];
      const batches: MessagePlace[] = [];
      const starts = [0];
      while (at + 8 <= size) {
        const prefix = Buffer.from(await bytes.read(at, 8));
        const continued = prefix.readUInt32LE(0) === 0xffffffff;
        const headerBytes = continued ? prefix.readInt32LE(4) : prefix.readInt32LE(0);
        if (headerBytes === 0) break; // end of stream
        const headerAt = at + (continued ? 8 : 4);
        const message = Message.decode(await bytes.read(headerAt, headerBytes));
        const length = headerAt - at + headerBytes + message.bodyLength;
        if (at + length > size) throw new Error("a record batch ends beyond the file: it is truncated");
        if (message.headerType === MessageHeader.RecordBatch) {
          batches.push({ start: at, length });
          starts.push(starts.at(-1)! + (message.header() as { length: number }).length);
        } else if (message.headerType === MessageHeader.Schema) shared.push({ start: at, length });
        else dictionaries.push({ start: at, length });
        at += length;
      }
      return { isFile, shared, dictionaries, batches, starts };
    }

    async function gatherMessages(places: readonly MessagePlace[]): Promise<Uint8Array> {
      const stream = new Uint8Array(places.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const { start, length } of places) {
        await bytes.read(start, length, stream.subarray(at, at + length));
        at += length;
      }
      return stream;
    }

    async function readChunk(batch: number, columns: readonly string[]): Promise<Chunk> {
      const table = await guarded(file, async () => arrow.tableFromIPC(await gather(index.batches[batch]!)));
      return new Map(columns.map((name) => [name, cellsOf(table.batches[0], name)]));
    }

    return {
      label: file,
      rows: index.starts.at(-1)!,
      columns: schema.fields.map((field) => columnOf(field, arrow)),
      idColumn: undefined,
      uniqueIds: false,
      gaps: true,
      read: chunkedRows(index.starts, readChunk),
      close: () => handle.close(),
    };
  });
}

function columnOf({ name, type }: Field, { DataType }: typeof import("apache-arrow")): TableColumn {
  if (DataType.isInt(type)) return { name, shape: [], integer: type.isSigned || type.bitWidth < 64 };
  if (DataType.isFloat(type) || DataType.isBool(type)) return { name, shape: [], integer: false };
  return { name, shape: undefined, integer: false };
}

function cellsOf(batch: RecordBatch | undefined, name: string): Cell[] {
  const vector = batch?.getChild(name) as Vector | null | undefined;
  return Array.from({ length: batch?.numRows ?? 0 }, (_, row) => cellOf(vector?.get(row)));
}

/** Lists come as vectors of their elements. */
function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === "object" && "toArray" in value && typeof value.toArray === "function") {
    return value.toArray() as Numbers;
  }
  if (typeof value === "boolean") return value ? 1 : 0;
  return value as Cell;
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof FailureError) throw cause;
    throw new FailureError(
      `Cannot score "${file}": it must be a whole Arrow IPC file, got: ${(cause as Error).message}`,
      {
        code: "bad_data",
        cause,
      },
    );
  }
}
