import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type NpyArray, parseNpy, readNpy, writeNpy } from "../../files/npy.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "cominfo-npy-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ACTION = "read a test";
const parse = (base64: string): NpyArray => parseNpy(Buffer.from(base64, "base64"), ACTION);
const npy = (header: string, values: number[] = [], version = 1): Buffer => {
  const length = Buffer.from(version === 1 ? [header.length, 0] : [header.length, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from("\x93NUMPY", "latin1"),
    Buffer.of(version, 0),
    length,
    Buffer.from(header),
    Buffer.from(values),
  ]);
};
const plain = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";

// Written by NumPy 1.24: arange(24).reshape(2, 3, 4) as int16 in Fortran order; arange(12).reshape(3, 4) / 8 as
// big-endian float32, version 2; 1.5 as a float64 without dimensions, version 3
test("files that NumPy wrote are read: Fortran order, big-endian, no dimensions, versions 1 to 3", () => {
  expect(
    parse(
      "k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAwABAAQAAgAFAABAA0ABQARAAkAFQACAA4ABgASAAoAFgADAA8ABwATAAsAFwA=",
    ),
  ).toEqual({ dtype: "int16", shape: [2, 3, 4], data: Int16Array.from({ length: 24 }, (_, i) => i) });
  expect(
    parse(
      "k05VTVBZAgB0AAAAeydkZXNjcic6ICc+ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAPgAAAD6AAAA+wAAAPwAAAD8gAAA/QAAAP2AAAD+AAAA/kAAAP6AAAD+wAAA=",
    ),
  ).toEqual({ dtype: "float32", shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i / 8) });
  expect(
    parse(
      "k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4Pw==",
    ),
  ).toEqual({ dtype: "float64", shape: [], data: Float64Array.of(1.5) });
});

test.each<NpyArray>([
  { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
  { dtype: "uint8", shape: [2, 2], data: Uint8Array.of(0, 1, 254, 255) },
  { dtype: "int8", shape: [1, 3], data: Int8Array.of(-128, 0, 127) },
  { dtype: "uint16", shape: [1], data: Uint16Array.of(65_535) },
  { dtype: "int16", shape: [2], data: Int16Array.of(-32_768, 7) },
  { dtype: "uint32", shape: [1], data: Uint32Array.of(4_294_967_295) },
  { dtype: "int32", shape: [2, 1], data: Int32Array.of(-2_147_483_648, 5) },
  { dtype: "uint64", shape: [1], data: BigUint64Array.of(18_446_744_073_709_551_615n) },
  { dtype: "int64", shape: [2], data: BigInt64Array.of(-9_223_372_036_854_775_808n, 3n) },
  { dtype: "float32", shape: [3], data: Float32Array.of(1.5, Number.NEGATIVE_INFINITY, Number.NaN) },
  { dtype: "float64", shape: [2, 0, 3], data: new Float64Array(0) },
  { dtype: "float64", shape: [], data: Float64Array.of(0.1) },
])("what is written is read again: $dtype $shape", (array) => {
  const bytes = writeNpy(array);
  expect(parseNpy(bytes, ACTION)).toEqual(array);
  expect((bytes.length - array.data.byteLength) % 64).toBe(0); // as NumPy aligns the values
});

test("data is read from any address, and from a file", () => {
  const bytes = writeNpy({ dtype: "float64", shape: [2], data: Float64Array.of(3, 4) });
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect(parseNpy(shifted.subarray(3), ACTION).data).toEqual(Float64Array.of(3, 4));
  writeFileSync(join(folder, "a.npy"), bytes);
  expect(readNpy(join(folder, "a.npy")).data).toEqual(Float64Array.of(3, 4));
  expect(() => readNpy(join(folder, "none.npy"))).toThrow(UsageError);
  expect(() => readNpy(folder)).toThrow(FailureError);
});

test("a shape that does not fit its data is not written", () => {
  expect(() => writeNpy({ dtype: "uint8", shape: [2, 2], data: new Uint8Array(3) })).toThrow(RangeError);
});

test.each([
  ["an empty file", Buffer.alloc(0), "got nothing: it is no npy file"],
  ["another magic", Buffer.from("PK\x03\x04 and more bytes"), "got 504b0304"],
  ["format 4", npy(plain, [1, 2, 3], 4), "version must be 1, 2 or 3, got 4"],
  ["a file that ends in its magic", npy(plain).subarray(0, 8), "must take at least 12 bytes, got 8"],
  ["a file that ends in its header", npy(plain).subarray(0, 40), "its header must take 67 bytes, got 40"],
  [
    "a header without end",
    Buffer.concat([Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\xff", "latin1")]),
    "at most 65536 bytes",
  ],
  ["too few values", npy(plain, [1, 2]), "must take 70 bytes with its header, got 69: the file is truncated"],
  ["too many values", npy(plain, [1, 2, 3, 4]), "got 71: the file is followed by other bytes"],
  ["a shape beyond all", npy(plain.replace("3,", "9007199254740991, 9"), [1]), "must be one that fits a file"],
  ["objects", npy(plain.replace("|u1", "|O"), [1, 2, 3]), "got Python objects (a pickle): they are never read"],
  [
    "complex numbers",
    npy(plain.replace("|u1", "<c8"), [1]),
    'must be one of bool, uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32, float64, got "<c8"',
  ],
  ["records", npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }"), "descr (one plain type)"],
  ["a header of something else", npy("{}"), "must name descr (one plain type), fortran_order and shape, got {}"],
])("%s is refused in one line", (_, bytes, message) => {
  expect(() => parseNpy(bytes, ACTION)).toThrow(FailureError);
  expect(() => parseNpy(bytes, ACTION)).toThrow(message);
  expect(() => parseNpy(bytes, ACTION)).not.toThrow("\n");
});
