import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Dtype, HostTensor } from "../../../schemas/tensor.ts";
import {
  BlobReader,
  byteCount,
  bytesOf,
  decodeResponse,
  encodeRequest,
  joinMessage,
  splitMessage,
  tensorOf,
} from "../../../serve/protocol/binary-tensors.ts";
import { UsageError } from "../../../schemas/errors.ts";

const sizes: Record<Dtype, number> = { float32: 4, int32: 4, uint8: 1, bool: 1, int64: 8 };
const dtypes = Object.keys(sizes) as Dtype[];

/** Tensors of any bit pattern (NaN payloads included), BOOL apart, which has two. */
const tensors: fc.Arbitrary<HostTensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const size = byteCount(dtype, shape);
    return fc
      .uint8Array({ minLength: size, maxLength: size, max: dtype === "bool" ? 1 : 255 })
      .map((bytes) => tensorOf(Uint8Array.from(bytes), { name: "t", dtype, shape }));
  });

describe("tensorOf()", () => {
  test("reads little-endian, row-major values: known bytes of every type", () => {
    const read = (dtype: Dtype, ...bytes: number[]) =>
      Array.from(
        tensorOf(Uint8Array.from(bytes), { name: "t", dtype, shape: [bytes.length / sizes[dtype]] }).data as Iterable<
          number | bigint
        >,
      );
    expect(read("float32", 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1)).toEqual([1, -10]);
    expect(read("int32", 1, 2, 0, 0, 0xff, 0xff, 0xff, 0xff)).toEqual([513, -1]);
    expect(read("uint8", 0, 7, 255)).toEqual([0, 7, 255]);
    expect(read("bool", 1, 0)).toEqual([1, 0]);
    expect(read("int64", 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).toEqual([-2n]);
  });

  test("shares memory where the offset fits the element and copies where it does not", () => {
    const buffer = new ArrayBuffer(24);
    for (const dtype of dtypes) {
      for (let offset = 0; offset <= 8; offset++) {
        const bytes = new Uint8Array(buffer, offset, 8);
        const { data } = tensorOf(bytes, { name: "t", dtype, shape: [8 / sizes[dtype]] });
        expect(data.buffer === buffer, `${dtype} at ${offset}`).toBe(offset % sizes[dtype] === 0);
      }
    }
  });

  test.each([
    ["too few bytes", "float32", [2], 7],
    ["too many bytes", "int64", [1], 9],
    ["a huge shape", "uint8", [2 ** 52, 2 ** 52], 4],
  ] as const)("refuses %s with both counts", (_, dtype, shape, size) => {
    const read = () => tensorOf(new Uint8Array(size), { name: "x", dtype, shape, path: ["inputs", 0] });
    expect(read).toThrow(new RegExp(`^Cannot read binary tensors: "x" must hold \\S+ bytes for .* got ${size}$`));
    expect(read).toThrow(expect.objectContaining({ code: "bad_inputs", path: ["inputs", 0] }));
  });

  test("refuses a BOOL byte that is neither 0 nor 1", () => {
    expect(() => tensorOf(Uint8Array.of(0, 2), { name: "x", dtype: "bool", shape: [2] })).toThrow(
      '"x" must hold bytes 0 or 1, got 2 at byte 1',
    );
  });
});

describe("a message", () => {
  test("that is joined and split gives the same header and tensors, bit for bit", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), tensors, { maxKeys: 4 }),
        fc.string(),
        (inputs, id) => {
          const { body, headerLength } = encodeRequest({ id, inputs });
          expect(headerLength % 8).toBe(0);
          const { json, blobs } = splitMessage(body, headerLength);
          const header = JSON.parse(new TextDecoder().decode(json));
          expect(header.id).toBe(id);
          expect(header.parameters).toEqual({ binary_data_output: true });
          const { inputs: entries } = header;
          const { body: answer, headerLength: length } = joinMessage(
            { model_name: "m", model_version: "1", id, outputs: entries },
            Object.values(inputs).map(bytesOf),
          );
          const decoded = decodeResponse(answer, length);
          expect(Object.keys(decoded.outputs)).toEqual(Object.keys(inputs));
          for (const [name, tensor] of Object.entries(inputs)) {
            const size = tensor.data.byteLength;
            expect(bytesOf(decoded.outputs[name]!)).toEqual(bytesOf(tensor));
            expect(blobs.take(size, { name, path: [] })).toEqual(bytesOf(tensor));
          }
          blobs.end();
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  test.each([-1, 1.5, 5, Number.NaN])("of 4 bytes cannot have a JSON part of %s bytes", (length) => {
    expect(() => splitMessage(new Uint8Array(4), length)).toThrow("must be from 0 to the body's 4 bytes");
  });

  test("with fewer bytes than a tensor claims, or more than all claim, is refused", () => {
    const reader = new BlobReader(new Uint8Array(8));
    expect(reader.take(5, { name: "a", path: [] })).toHaveLength(5);
    for (const size of [4, -1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => reader.take(size, { name: "b", path: ["inputs", 1] })).toThrow(UsageError);
    }
    expect(() => reader.end()).toThrow("got 3 bytes more");
    reader.take(3, { name: "b", path: [] });
    reader.end();
  });
});
