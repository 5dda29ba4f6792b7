import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, expect, test } from "vitest";
import { type PngImage, readPng } from "../../files/png.ts";
import { FailureError } from "../../schemas/errors.ts";
import { pngChunk as chunk, pngFile } from "./png-file.ts";

const folder = mkdtempSync(join(tmpdir(), "cominfo-png-"));
afterAll(() => rmSync(folder, { recursive: true }));

function read(bytes: Uint8Array): PngImage {
  const file = join(folder, "a.png");
  writeFileSync(file, bytes);
  return readPng(file);
}

const png = (
  size: readonly [number, number],
  format: readonly [number, number],
  rows: readonly number[][],
  extra?: Buffer[],
): Buffer =>
  pngFile(
    size,
    format,
    rows.map((row) => Uint8Array.from(row)),
    extra,
  );

test.each([1, 2, 3, 4])("8-bit images of %d channels are read as they are", (channels) => {
  const data = Uint8Array.from({ length: 5 * 7 * channels }, (_, i) => (i * 37) % 256);
  expect(read(encode({ width: 5, height: 7, channels, depth: 8, data }))).toEqual({
    width: 5,
    height: 7,
    channels,
    data,
  });
});

test("grey of few bits is spread over 0 .. 255, each row from its own byte", () => {
  expect(read(png([3, 2], [1, 0], [[0b10100000], [0b01000000]]))).toEqual({
    width: 3,
    height: 2,
    channels: 1,
    data: Uint8Array.of(255, 0, 255, 0, 255, 0),
  });
  expect(read(png([5, 1], [2, 0], [[0b00011011, 0b11000000]])).data).toEqual(Uint8Array.of(0, 85, 170, 255, 255));
  expect(read(png([3, 1], [4, 0], [[0x0f, 0x30]])).data).toEqual(Uint8Array.of(0, 255, 51));
});

test("a palette becomes RGB, or RGBA where it has transparent colours", () => {
  const palette = chunk("PLTE", Buffer.of(10, 20, 30, 40, 50, 60, 70, 80, 90));
  expect(read(png([3, 1], [4, 3], [[0x21, 0x00]], [palette]))).toEqual({
    width: 3,
    height: 1,
    channels: 3,
    data: Uint8Array.of(70, 80, 90, 40, 50, 60, 10, 20, 30),
  });
  const transparent = chunk("tRNS", Buffer.of(0, 230));
  expect(read(png([3, 1], [8, 3], [[0, 1, 2]], [palette, transparent]))).toEqual({
    width: 3,
    height: 1,
    channels: 4,
    data: Uint8Array.of(10, 20, 30, 0, 40, 50, 60, 230, 70, 80, 90, 255),
  });
  expect(() => read(png([1, 1], [8, 3], [[7]], [palette]))).toThrow("colour 7 of a palette of 3");
});

const plain = encode({ width: 4, height: 4, channels: 3, depth: 8, data: new Uint8Array(48).fill(9) });
const changed = (at: number, value: number): Buffer => {
  const bytes = Buffer.from(plain);
  bytes[at] = value;
  return bytes;
};
test.each([
  ["an empty file", Buffer.alloc(0), "got nothing: it is no PNG file"],
  [
    "another format",
    Buffer.from("GIF89a and much more than a header of bytes"),
    "got 4749463839612061: it is no PNG file",
  ],
  ["a truncated file", plain.subarray(0, -20), "its data must be whole"],
  ["a wrong checksum", changed(50, 77), "its data must be whole"],
  ["no pixels", changed(19, 0), "its sides must be 1 to 16384 pixels, got 0x4"],
  ["sides beyond all", changed(16, 200), "its sides must be 1 to 16384 pixels"],
  [
    "16 bits",
    encode({ width: 1, height: 1, channels: 1, depth: 16, data: Uint16Array.of(9) }),
    "at most 8 bits a channel, got 16",
  ],
  [
    "a file longer than its pixels can be",
    Buffer.concat([plain, Buffer.alloc(2 ** 20)]),
    "4x4 pixels must take at most 1048644 bytes",
  ],
])("%s is refused in one line that names the file", (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(FailureError);
  expect(() => read(bytes)).toThrow(message);
  expect(() => read(bytes)).toThrow(join(folder, "a.png"));
  expect(() => read(bytes)).not.toThrow("\n");
});

test("every single cut and every changed byte is an error of ours or the image", () => {
  const whole = Buffer.from(plain);
  for (let at = 0; at < whole.length; at++) {
    for (const bytes of [whole.subarray(0, at), changed(at, whole[at]! ^ 0x5a)]) {
      try {
        expect(read(bytes).channels).toBeLessThan(5);
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(FailureError);
      }
    }
  }
});
