import { UsageError } from "../../schemas/errors.ts";
import { type Datatype, datatypeOf } from "../../schemas/open-inference.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";

/**
 * The binary tensor data extension of the Open Inference Protocol, both directions, as pure functions.
 *
 * A message is a JSON header followed by one blob for each tensor whose parameters say `binary_data_size`, in the
 * order of the header, with nothing between them: little-endian, row-major, BOOL one byte an element. The length of
 * the JSON part travels in the HTTP header `Inference-Header-Content-Length`.
 *
 * Source: triton-inference-server/server, docs/protocol/extension_binary_data.md
 */

/** In the lower case in which Node keeps header names. */
export const headerLengthName = "inference-header-content-length";

type Path = readonly (string | number)[];

const arrayOf = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
} as const satisfies Record<Dtype, unknown>;

/** Typed arrays have the order of the machine. Node's big-endian port (s390x) would need a swap that nobody can test. */
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new Error("Cannot carry binary tensors: the machine must be little-endian");
}

/** Bytes of a tensor of this type and shape. Not a safe integer for a shape that nobody can hold. */
export function byteCount(dtype: Dtype, shape: readonly number[]): number {
  return elementCount(shape) * arrayOf[dtype].BYTES_PER_ELEMENT;
}

/** The bytes of a tensor, as a view: nothing is copied. */
export function bytesOf({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * A tensor from its bytes. A view where its place in memory allows it (offsets divisible by the element's size), a copy
 * otherwise: a JSON header may end anywhere. `joinMessage` ends it where no copy is needed.
 *
 * @param name for the error only
 * @throws UsageError unless `bytes` holds exactly the values of `shape`, and a BOOL only 0 and 1
 */
export function tensorOf(
  bytes: Uint8Array,
  { name, dtype, shape, path = [] }: { name: string; dtype: Dtype; shape: readonly number[]; path?: Path },
): HostTensor {
  const wanted = byteCount(dtype, shape);
  if (bytes.byteLength !== wanted) {
    const what = `"${name}" must hold ${wanted} bytes for ${datatypeOf[dtype]} [${shape.join(", ")}]`;
    throw fault(`${what}, got ${bytes.byteLength}`, path);
  }
  if (dtype === "bool") {
    const bad = bytes.findIndex((byte) => byte > 1);
    if (bad >= 0) throw fault(`"${name}" must hold bytes 0 or 1, got ${bytes[bad]} at byte ${bad}`, path);
  }
  return { dtype, shape, data: arrayFrom(bytes, dtype) };
}

function arrayFrom(bytes: Uint8Array, dtype: Dtype): TensorData {
  const ArrayClass = arrayOf[dtype];
  const size = ArrayClass.BYTES_PER_ELEMENT;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  return new ArrayClass(buffer as ArrayBuffer, byteOffset, bytes.byteLength / size);
}

/**
 * The JSON part of a message and what follows it; views of `body`.
 *
 * @throws UsageError when `headerLength` is not the length of a part of the body
 */
export function splitMessage(body: Uint8Array, headerLength: number): { json: Uint8Array; blobs: BlobReader } {
  if (!Number.isSafeInteger(headerLength) || headerLength < 0 || headerLength > body.byteLength) {
    const wanted = `must be from 0 to the body's ${body.byteLength} bytes`;
    throw fault(`Inference-Header-Content-Length ${wanted}, got ${headerLength}`, []);
  }
  return { json: body.subarray(0, headerLength), blobs: new BlobReader(body.subarray(headerLength)) };
}

/** Takes blobs in their order; sizes are checked against what is there before anything is made of them. */
export class BlobReader {
  readonly #bytes: Uint8Array;
  #taken = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.byteLength - this.#taken;
  }

  /** The next `size` bytes, a view. @throws UsageError when there are fewer */
  take(size: number, { name, path }: { name: string; path: Path }): Uint8Array {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.left) {
      const got = `binary_data_size ${size} with ${this.left} bytes left after the JSON part`;
      throw fault(`"${name}" must have its bytes in the body, got ${got}`, path);
    }
    this.#taken += size;
    return this.#bytes.subarray(this.#taken - size, this.#taken);
  }

  /** @throws UsageError when bytes are left that no tensor claimed */
  end(): void {
    if (this.left > 0) {
      const hint = "must be the binary_data_size of a tensor each";
      throw fault(`all bytes after the JSON part ${hint}, got ${this.left} bytes more`, ["inputs"]);
    }
  }
}

/** A JSON part is followed by spaces up to a multiple of 8 bytes: then blobs of whole 8 bytes can be read without a copy. */
function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** A message as it goes over the wire. */
export interface BinaryMessage {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Value of the header Inference-Header-Content-Length. */
  readonly headerLength: number;
}

/** JSON header and blobs in one piece, written once. */
export function joinMessage(header: object, blobs: readonly Uint8Array[]): BinaryMessage {
  const json = JSON.stringify(header);
  const headerLength = padded(Buffer.byteLength(json));
  const body = Buffer.allocUnsafe(blobs.reduce((size, blob) => size + blob.byteLength, headerLength));
  body.fill(0x20, body.write(json), headerLength);
  let at = headerLength;
  for (const blob of blobs) {
    body.set(blob, at);
    at += blob.byteLength;
  }
  return { body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength), headerLength };
}

/** Entry of a tensor whose bytes follow the header. */
export interface BinaryEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly parameters: { readonly binary_data_size: number };
}

export function binaryEntry(name: string, tensor: HostTensor): BinaryEntry {
  return {
    name,
    shape: tensor.shape,
    datatype: datatypeOf[tensor.dtype],
    parameters: { binary_data_size: tensor.data.byteLength },
  };
}

/**
 * A client's request with binary inputs that asks for binary outputs.
 *
 * @param outputs names; left out: all of the model's
 */
export function encodeRequest(request: {
  readonly id?: string;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly outputs?: readonly string[];
}): BinaryMessage {
  const inputs = Object.entries(request.inputs);
  const header = {
    ...(request.id === undefined ? {} : { id: request.id }),
    parameters: { binary_data_output: true },
    inputs: inputs.map(([name, tensor]) => binaryEntry(name, tensor)),
    ...(request.outputs === undefined ? {} : { outputs: request.outputs.map((name) => ({ name })) }),
  };
  return joinMessage(
    header,
    inputs.map(([, tensor]) => bytesOf(tensor)),
  );
}

/**
 * A server's answer to such a request, as a client reads it.
 *
 * @throws UsageError when the message does not hold what its header says
 */
export function decodeResponse(body: Uint8Array, headerLength: number): DecodedResponse {
  const { json, blobs } = splitMessage(body, headerLength);
  const { outputs, ...rest } = JSON.parse(new TextDecoder().decode(json)) as Omit<DecodedResponse, "outputs"> & {
    outputs: readonly BinaryEntry[];
  };
  const tensors = outputs.map(({ name, shape, datatype, parameters }, index) => {
    const dtype = dtypeOf(datatype);
    if (dtype === undefined) throw fault(`"${name}" must have a known datatype, got ${datatype}`, ["outputs", index]);
    const bytes = blobs.take(parameters?.binary_data_size, { name, path: ["outputs", index] });
    return [name, tensorOf(bytes, { name, dtype, shape })] as const;
  });
  blobs.end();
  return { ...rest, outputs: Object.fromEntries(tensors) };
}

export interface DecodedResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: Readonly<Record<string, HostTensor>>;
}

/** Our name of a datatype of the protocol, where a bundle can have it. */
export function dtypeOf(datatype: string): Dtype | undefined {
  return (Object.keys(datatypeOf) as Dtype[]).find((dtype) => datatypeOf[dtype] === datatype);
}

function fault(text: string, path: Path): UsageError {
  return new UsageError(`Cannot read binary tensors: ${text}`, { code: "bad_inputs", path });
}
