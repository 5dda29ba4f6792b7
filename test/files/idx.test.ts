import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readIdx } from "../../files/idx.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { testData } from "./test-data.ts";

const folder = mkdtempSync(join(tmpdir(), "cominfo-idx-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function stored(bytes: Uint8Array): string {
  const file = join(folder, `${files++}.idx`);
  writeFileSync(file, bytes);
  return file;
}

function idx(type: number, shape: readonly number[], payload: readonly number[]): Buffer {
  const sizes = shape.flatMap((size) => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
  return Buffer.from([0, 0, type, shape.length, ...sizes, ...payload]);
}

function faultOf(bytes: Uint8Array): Error {
  const file = stored(bytes);
  try {
    readIdx(file);
  } catch (error) {
    expect((error as Error).message).toContain(file);
    expect((error as Error).message).not.toContain("\n");
    return error as Error;
  }
  throw new Error("no fault was found");
}

test("the element types are decoded from big-endian bytes, int8 and int16 widened to int32", () => {
  expect(readIdx(stored(idx(0x08, [2, 2], [0, 1, 128, 255])))).toEqual({
    dtype: "uint8",
    shape: [2, 2],
    data: Uint8Array.of(0, 1, 128, 255),
  });
  expect(readIdx(stored(idx(0x09, [3], [0x7f, 0x80, 0xff]))).data).toEqual(Int32Array.of(127, -128, -1));
  expect(readIdx(stored(idx(0x0b, [2], [0x01, 0x02, 0xff, 0xfe]))).data).toEqual(Int32Array.of(258, -2));
  expect(readIdx(stored(idx(0x0c, [2], [0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff])))).toEqual({
    dtype: "int32",
    shape: [2],
    data: Int32Array.of(256, -1),
  });
  expect(readIdx(stored(idx(0x0d, [1, 2], [0x3f, 0xc0, 0, 0, 0xc0, 0x20, 0, 0])))).toEqual({
    dtype: "float32",
    shape: [1, 2],
    data: Float32Array.of(1.5, -2.5),
  });
});

test("gzip is told by its first bytes, not by the file's name", () => {
  const plain = idx(0x08, [3, 1, 2], [9, 8, 7, 6, 5, 4]);
  expect(readIdx(stored(gzipSync(plain)))).toEqual(readIdx(stored(plain)));
});

test("an empty tensor is a tensor", () => {
  expect(readIdx(stored(idx(0x08, [0, 28, 28], [])))).toEqual({
    dtype: "uint8",
    shape: [0, 28, 28],
    data: new Uint8Array(0),
  });
});

test("a file that is not there is the caller's fault", () => {
  expect(() => readIdx(join(folder, "none"))).toThrow(UsageError);
  expect(() => readIdx(join(folder, "none"))).toThrow("it must exist, got nothing there");
});

test("a folder in place of a file is one line", () => {
  expect(() => readIdx(folder)).toThrow(FailureError);
});

test("a truncated file says what it should take and what it takes, plain or gzip", () => {
  const whole = idx(0x08, [2, 3], [1, 2, 3, 4, 5, 6]);
  const fault = faultOf(whole.subarray(0, -1));
  expect(fault).toBeInstanceOf(FailureError);
  expect(fault.message).toContain("shape [2, 3] of uint8 must take 18 bytes with its header, got 17");
  expect(faultOf(gzipSync(whole.subarray(0, -1))).message).toContain("got 17: the file is truncated");
  expect(faultOf(gzipSync(whole).subarray(0, -9)).message).toContain("the file is truncated");
  expect(faultOf(whole.subarray(0, 7)).message).toContain("a header of 2 dimensions must take 12 bytes, got 7");
});

test("bytes after the tensor are refused, plain or gzip", () => {
  const long = Buffer.concat([idx(0x08, [2], [1, 2]), Buffer.from([3])]);
  expect(faultOf(long).message).toContain("must take 10 bytes with its header, got 11");
  expect(faultOf(gzipSync(long)).message).toContain("the file is followed by other bytes");
});

test.each([
  ["an empty file", Buffer.alloc(0), "got an empty file"],
  ["a wrong magic", Buffer.from("PNG image"), "got 504e4720"],
  ["no dimensions", Buffer.from([0, 0, 8, 0]), "got 00000800"],
  ["a float64 tensor", idx(0x0e, [1], [0, 0, 0, 0, 0, 0, 0, 0]), "got 0e (float64)"],
  ["an unknown element type", idx(0x07, [1], [0]), "got 07"],
])("%s is not read", (_, bytes, message) => {
  expect(faultOf(bytes)).toBeInstanceOf(FailureError);
  expect(faultOf(bytes).message).toContain(message);
});

test("a header that promises too much is refused before memory is taken, plain or gzip", () => {
  const huge = idx(0x0c, [0xffffffff, 0xffffffff, 0xffffffff], [1]);
  expect(faultOf(huge).message).toContain("must take at most 2147483647 bytes, got shape [4294967295, 4294967295");
  expect(faultOf(gzipSync(huge)).message).toContain("at most 2147483647 bytes");
});

test("a gzip bomb behind a small header is not unpacked", () => {
  const bomb = gzipSync(Buffer.concat([idx(0x08, [4], []), Buffer.alloc(50_000_000)]));
  expect(bomb.length).toBeLessThan(100_000);
  expect(faultOf(bomb).message).toContain("got more: the file is followed by other bytes");
});

test("damaged gzip data is said to be damaged", () => {
  const packed = gzipSync(idx(0x08, [1000], Array(1000).fill(3)));
  packed[packed.length - 6]! ^= 255; // inside the checksum
  expect(faultOf(packed).message).toContain("its gzip data must be whole");
  expect(faultOf(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 255, 255, 255])).message).toContain("gzip");
});

const mnist = testData("mnist");
test.skipIf(mnist.missing)(`the MNIST test files have their published size and class counts ${mnist.title}`, () => {
  const images = readIdx(join(mnist.folder, "t10k-images-idx3-ubyte.gz"));
  const labels = readIdx(join(mnist.folder, "t10k-labels-idx1-ubyte.gz"));
  expect(images.shape).toEqual([10_000, 28, 28]);
  const counts = new Array<number>(10).fill(0);
  for (const label of labels.data as Uint8Array) counts[label]! += 1;
  expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
});
