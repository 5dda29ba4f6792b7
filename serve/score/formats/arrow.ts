import { readFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import {
  Bool,
  Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  tableFromIPC,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { Dtype } from "../../../schemas/tensor.ts";
import type { OutputShape, PartTable, TensorColumn } from "../part-table.ts";
import type { OutputFormat } from "./output-format.ts";

/**
 * Arrow: a part is an IPC stream of one record batch, the output an IPC file of them all. A tensor is a fixed-size list,
 * its shape in the field's metadata.
 */
export const arrowFormat: OutputFormat = {
  async encodePart(table, { shape }) {
    const schema = schemaOf(shape);
    const children = [...fixedColumns(table), ...table.tensors.map(tensorData)];
    const data = makeData({ type: new Struct(schema.fields), length: table.rows, nullCount: 0, children });
    const writer = new RecordBatchStreamWriter();
    writer.write(new RecordBatch(schema, data));
    writer.finish();
    return writer.toUint8Array(true);
  },

  async assemble(parts, target, shape) {
    const writer = new RecordBatchFileWriter();
    let writing = 0;
    const drained = (async () => {
      for await (const chunk of writer) {
        writing++;
        await target.append(chunk);
        writing--;
      }
    })();
    writer.reset(undefined, schemaOf(shape));
    for (const { path, rows } of parts) {
      if (rows === 0) continue;
      for (const batch of tableFromIPC(await readFile(path)).batches) writer.write(batch);
      // Until the batch is on its way to the disk: the writer's own queue has no end.
      do await turn();
      while (writing > 0);
    }
    writer.finish();
    await drained;
  },
};

const typeOf: Record<Dtype, () => DataType> = {
  float32: () => new Float32(),
  int32: () => new Int32(),
  int64: () => new Int64(),
  uint8: () => new Uint8(),
  bool: () => new Uint8(),
};

function schemaOf({ integerIds, masks, tensors }: OutputShape): Schema {
  return new Schema([
    new Field("id", integerIds ? new Int64() : new Utf8(), false),
    ...masks.map((name) => new Field(name, new Bool(), false)),
    ...tensors.map(({ spec, optional }) => {
      const shape = spec.shape.slice(1);
      const metadata = new Map([["shape", JSON.stringify(shape)]]);
      return new Field(spec.name, tensorType(spec.dtype, shape), optional, metadata);
    }),
  ]);
}

function tensorType(dtype: Dtype, shape: readonly number[]): DataType {
  if (shape.length === 0) return typeOf[dtype]();
  const size = shape.reduce((product, length) => product * length, 1);
  return new FixedSizeList(size, new Field("item", typeOf[dtype](), false));
}

function fixedColumns({ ids, masks, rows }: PartTable): Data[] {
  const id = ids.integer
    ? makeData({ type: new Int64(), length: rows, nullCount: 0, data: ids.values })
    : (vectorFromArray([...ids.values], new Utf8()).data[0] ?? makeData({ type: new Utf8() }));
  return [
    id,
    ...masks.map(({ data }) => makeData({ type: new Bool(), length: rows, nullCount: 0, data: bitmap(data) })),
  ];
}

function tensorData({ spec, data, size, present }: TensorColumn): Data {
  const rows = data.length / size;
  const shape = spec.shape.slice(1);
  const nullCount = present === undefined ? 0 : present.reduce((count, bit) => count + (1 - bit), 0);
  const validity = present === undefined ? {} : { 2: bitmap(present) };
  const values = typeOf[spec.dtype]();
  if (shape.length === 0) return new Data(values, 0, rows, nullCount, { 1: data, ...validity });
  const child = new Data(values, 0, data.length, 0, { 1: data });
  return new Data(tensorType(spec.dtype, shape), 0, rows, nullCount, validity, [child]);
}

/** One bit a row, the first in the lowest. */
function bitmap(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(flags.length / 64) * 8);
  for (let i = 0; i < flags.length; i++) if (flags[i] === 1) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}
