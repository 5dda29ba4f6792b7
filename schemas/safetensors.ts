import { FailureError } from "./errors.ts";
import { type Dtype, elementCount, type HostTensor } from "./tensor.ts";

/**
 * The safetensors file format: 8 bytes little-endian header length, a JSON header, the values row-major and
 * little-endian without holes. Source: https://github.com/huggingface/safetensors#format
 */

const formats = {
  F32: { dtype: "float32", bytes: 4, ArrayOf: Float32Array },
  I32: { dtype: "int32", bytes: 4, ArrayOf: Int32Array },
  U8: { dtype: "uint8", bytes: 1, ArrayOf: Uint8Array },
  BOOL: { dtype: "bool", bytes: 1, ArrayOf: Uint8Array },
  I64: { dtype: "int64", bytes: 8, ArrayOf: BigInt64Array },
} as const satisfies Record<string, { dtype: Dtype; bytes: number; ArrayOf: unknown }>;

/** The format's own limit, which keeps a hostile length from being believed. */
const largestHeader = 100_000_000;

/** Bytes of `tensors`, the same for the same values whatever the order of the map. Names are sorted. */
export function writeSafetensors(tensors: ReadonlyMap<string, HostTensor>): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }> = {};
  let end = 0;
  for (const name of names) {
    const { dtype, shape, data } = tensors.get(name)!;
    if (name === "__metadata__" || name === "__proto__") {
      throw new RangeError(`Cannot write safetensors: a name must not be "${name}"`);
    }
    if (data.length !== elementCount(shape)) {
      throw new RangeError(
        `Cannot write safetensors: "${name}" of shape [${shape.join(", ")}] must have ${elementCount(shape)} values, got ${data.length}`,
      );
    }
    const tag = Object.entries(formats).find(([, format]) => format.dtype === dtype)![0];
    header[name] = { dtype: tag, shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8; // spaces after the header align the values
  const file = new Uint8Array(8 + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8 + text.length, 8 + headerLength);
  file.set(text, 8);
  for (const name of names) {
    const { data } = tensors.get(name)!;
    const [begin] = header[name]!.data_offsets;
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 8 + headerLength + begin);
  }
  return file;
}

/**
 * Tensors of a safetensors file. Nothing in the header is believed before it is checked.
 *
 * @param name of the file, for errors
 * @throws FailureError if the file is cut short, its header is not valid, or the values overlap or leave holes
 */
export function readSafetensors(file: Uint8Array, name: string): Map<string, HostTensor> {
  const broken = (why: string): FailureError =>
    new FailureError(`Cannot read "${name}": ${why}`, { code: "bad_safetensors" });
  if (file.length < 8) throw broken(`a safetensors file must have at least 8 bytes, got ${file.length}`);
  const headerLength = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > Math.min(largestHeader, file.length - 8)) {
    throw broken(`its header must have at most ${Math.min(largestHeader, file.length - 8)} bytes, got ${headerLength}`);
  }
  const header = parseHeader(file.subarray(8, 8 + headerLength), broken);
  const values = file.subarray(8 + headerLength);
  const entries = Object.entries(header)
    .filter(([key]) => key !== "__metadata__")
    .map(([key, entry]) => ({ key, ...checkEntry(key, entry, broken) }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, HostTensor>();
  let expected = 0;
  for (const { key, begin, end, shape, format } of entries) {
    if (begin !== expected) throw broken(`"${key}" must begin at byte ${expected} of the values, got ${begin}`);
    if (end > values.length) throw broken(`"${key}" must end within ${values.length} bytes of values, got ${end}`);
    const copy = new Uint8Array(values.subarray(begin, end)); // aligned, and free of the file (slice of a Buffer is a view)
    const data = new format.ArrayOf(copy.buffer, 0, (end - begin) / format.bytes);
    tensors.set(key, { dtype: format.dtype, shape, data });
    expected = end;
  }
  if (expected !== values.length) throw broken(`it must hold ${expected} bytes of values, got ${values.length}`);
  return tensors;
}

function parseHeader(bytes: Uint8Array, broken: (why: string) => FailureError): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw broken("its header must be JSON in UTF-8");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw broken("its header must be a JSON object");
  }
  return header as Record<string, unknown>;
}

function checkEntry(key: string, entry: unknown, broken: (why: string) => FailureError) {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(formats, dtype)) {
    throw broken(`"${key}" must have a dtype of ${Object.keys(formats).join(", ")}, got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) throw broken(`"${key}" must have a shape of whole numbers, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw broken(`"${key}" must have two whole data_offsets, got ${JSON.stringify(offsets)}`);
  }
  const format = formats[dtype as keyof typeof formats];
  const [begin, end] = offsets as [number, number];
  const bytes = elementCount(shape) * format.bytes;
  if (end - begin !== bytes) {
    throw broken(`"${key}" of ${dtype} [${shape.join(", ")}] must take ${bytes} bytes, got ${end - begin}`);
  }
  return { begin, end, shape, format };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
