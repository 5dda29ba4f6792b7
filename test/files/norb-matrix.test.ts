import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { readNorbMatrix } from "../../files/norb-matrix.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { norbMatrix } from "./norb-file.ts";

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-norb-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "a.mat");

function reading(bytes: Uint8Array): () => unknown {
  return () => {
    writeFileSync(file, bytes);
    return readNorbMatrix(file);
  };
}

test("bytes and int32 come back with their shape, plain and gzip; three sizes are stored even for one dimension", () => {
  const bytes = norbMatrix([2, 1, 2, 2], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255));
  const numbers = norbMatrix([3], Int32Array.of(4, -1, 70_000));
  expect(numbers.length).toBe(8 + 12 + 12);
  for (const pack of [(plain: Uint8Array) => plain, gzipSync]) {
    expect(reading(pack(bytes))()).toEqual({ shape: [2, 1, 2, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 255) });
    expect(reading(pack(numbers))()).toEqual({ shape: [3], data: Int32Array.of(4, -1, 70_000) });
  }
});

test("missing, foreign, truncated, overlong and damaged files are told as such", () => {
  expect(() => readNorbMatrix(path.join(folder, "none.mat"))).toThrow(UsageError);
  const good = norbMatrix([2, 2, 2], new Uint8Array(8));
  expect(reading(Buffer.from("MATLAB 5.0"))).toThrow(/magic number .* got 4c54414d/);
  expect(reading(Buffer.alloc(3))).toThrow(/got 3 bytes/);
  expect(reading(good.subarray(0, -1))).toThrow(/shape \[2, 2, 2\] needs 28 bytes, got 27/);
  expect(reading(Buffer.concat([good, Buffer.alloc(1)]))).toThrow(FailureError);
  expect(reading(gzipSync(good).subarray(0, 20))).toThrow(/gzip data must be whole/);
  const rank = Buffer.from(good);
  rank.writeInt32LE(99, 4);
  expect(reading(rank)).toThrow(/1 to 8 dimensions/);
});
