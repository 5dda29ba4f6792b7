import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readMat5 } from "../../files/mat5.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { testData } from "./test-data.ts";

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-mat-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function stored(...elements: Buffer[]): string {
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file, a test", "latin1");
  header.writeUInt16LE(0x0100, 124);
  header.write("IM", 126, "latin1");
  const file = path.join(folder, `${files++}.mat`);
  writeFileSync(file, Buffer.concat([header, ...elements]));
  return file;
}

/** A data element; four bytes or fewer take the short form, as MATLAB writes them. */
function element(type: number, data: Buffer): Buffer {
  if (data.length <= 4 && data.length > 0) {
    const short = Buffer.alloc(8);
    short.writeUInt16LE(type, 0);
    short.writeUInt16LE(data.length, 2);
    data.copy(short, 4);
    return short;
  }
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(data.length, 4);
  return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

function matrix(
  name: string,
  { kind, shape, type, data }: { kind: number; shape: number[]; type: number; data: Buffer },
): Buffer {
  const dimensions = Buffer.from(Int32Array.from(shape).buffer);
  const flags = Buffer.alloc(8);
  flags[0] = kind;
  const parts = [element(6, flags), element(5, dimensions), element(1, Buffer.from(name)), element(type, data)];
  return element(14, Buffer.concat(parts));
}

function compressed(plain: Buffer): Buffer {
  const packed = deflateSync(plain);
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(packed.length, 4);
  return Buffer.concat([tag, packed]);
}

const bytes = matrix("im", { kind: 9, shape: [2, 3], type: 2, data: Buffer.from([1, 2, 3, 4, 5, 6]) });
const doubles = matrix("z", { kind: 6, shape: [1, 2], type: 9, data: Buffer.from(Float64Array.of(0.5, -1).buffer) });
// MATLAB stores whole doubles in the smallest type that holds them.
const small = matrix("n", { kind: 6, shape: [2, 1], type: 4, data: Buffer.from(Uint16Array.of(7, 500).buffer) });

test("arrays come back with their shape and stored type, plain and compressed, whatever stands before them", () => {
  for (const pack of [(plain: Buffer) => plain, compressed]) {
    const file = stored(pack(doubles), pack(small), pack(bytes));
    expect(readMat5(file, "im")).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    expect(readMat5(file, "z")).toEqual({ shape: [1, 2], data: Float64Array.of(0.5, -1) });
    expect(readMat5(file, "n")).toEqual({ shape: [2, 1], data: Uint16Array.of(7, 500) });
  }
});

test("a file of another kind, a missing array, a truncated or damaged one is told as such", () => {
  expect(() => readMat5(path.join(folder, "none.mat"), "im")).toThrow(UsageError);
  const other = path.join(folder, "other.mat");
  writeFileSync(other, Buffer.alloc(200, "x"));
  expect(() => readMat5(other, "im")).toThrow(/must begin as a little-endian MATLAB 5.0 MAT-file/);
  writeFileSync(other, `MATLAB 7.3 MAT-file${" ".repeat(200)}`);
  expect(() => readMat5(other, "im")).toThrow(/version 7.3, which is HDF5/);
  expect(() => readMat5(stored(doubles), "im")).toThrow(/must hold an array "im", got z/);
  expect(() => readMat5(stored(bytes.subarray(0, -8)), "im")).toThrow(/truncated/);
  const packed = compressed(bytes);
  packed[20]! ^= 255;
  expect(() => readMat5(stored(packed), "im")).toThrow(FailureError);
});

test("text, cells and arrays whose data has another length are refused", () => {
  const text = matrix("im", { kind: 4, shape: [1, 2], type: 4, data: Buffer.from([65, 0, 66, 0]) });
  expect(() => readMat5(stored(text), "im")).toThrow(/must hold real numbers .* got class 4/);
  const short = matrix("im", { kind: 9, shape: [2, 4], type: 2, data: Buffer.from([1, 2, 3, 4, 5, 6]) });
  expect(() => readMat5(stored(short), "im")).toThrow(/must have 8 numbers, got 6 bytes of type 2/);
});

const cars = testData("cars3d");

test.skipIf(cars.missing)(`a car of Cars3D has the dimensions that are published ${cars.title}`, () => {
  const { shape, data } = readMat5(path.join(cars.folder, "car_003_mesh.mat"), "im");
  expect(shape).toEqual([128, 128, 3, 24, 4]);
  // Written down from SciPy's reader.
  expect(
    createHash("sha256")
      .update(data as Uint8Array)
      .digest("hex"),
  ).toBe("1451c272352a01e2e35afe53ce09eaf0aa9d9110cab72cd2b8ae40163d4a8f68");
  expect(readMat5(path.join(cars.folder, "car_003_mesh.mat"), "YAW_LIST").data).toHaveLength(24);
});
