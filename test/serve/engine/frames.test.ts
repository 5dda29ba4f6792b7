import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, type Frame, FrameMemory, FrameReader } from "../../../serve/engine/frames.ts";
import { elementCount, type HostTensor, type TensorData } from "../../../schemas/tensor.ts";

const arrays: Record<HostTensor["dtype"], (count: number) => TensorData> = {
  float32: (count) => Float32Array.from({ length: count }, (_, i) => i / 7),
  int32: (count) => Int32Array.from({ length: count }, (_, i) => -i),
  uint8: (count) => Uint8Array.from({ length: count }, (_, i) => i),
  bool: (count) => Uint8Array.from({ length: count }, (_, i) => i % 2),
  int64: (count) => BigInt64Array.from({ length: count }, (_, i) => BigInt(i) << 40n),
};

const tensor = fc
  .record({
    dtype: fc.constantFrom("float32", "int32", "uint8", "bool", "int64"),
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  })
  .map(({ dtype, shape }): HostTensor => ({ dtype, shape, data: arrays[dtype](elementCount(shape)) }));
const message = fc.record({
  message: fc.record({ kind: fc.string(), run: fc.nat() }),
  tensors: fc.dictionary(fc.string(), tensor, { maxKeys: 3, noNullPrototype: true }),
});

test("any messages come out as they went in, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.integer({ min: 1, max: 40 })), (sent, cuts) => {
      const bytes = Buffer.concat(
        sent.map(({ message, tensors }) =>
          encodeFrame(
            message,
            Object.fromEntries(
              Object.entries(tensors).map(([name, { data, ...type }]) => [name, { ...type, pieces: [data] }]),
            ),
          ),
        ),
      );
      const received: Frame<unknown>[] = [];
      const reader = new FrameReader((frame) => received.push(frame));
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % Math.max(1, cuts.length)] ?? bytes.length;
        reader.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(received).toEqual(sent);
    }),
    { numRuns: 200, seed: 3 },
  );
});

test("pieces follow each other along the first axis, and zeros fill up what they leave", () => {
  const received: Frame<unknown>[] = [];
  const reader = new FrameReader((frame) => received.push(frame));
  const pieces = [Float32Array.of(1, 2), Float32Array.of(3, 4, 5, 6)];
  reader.push(encodeFrame({}, { x: { dtype: "float32", shape: [4, 2], pieces } }));
  expect(received[0]!.tensors.x).toEqual({
    dtype: "float32",
    shape: [4, 2],
    data: Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0),
  });
});

test("memory that is used again carries each frame whole, larger and smaller ones in turn", () => {
  const written = new FrameMemory(1);
  const received: Frame<unknown>[] = [];
  const copy = (frame: Frame<unknown>): void => void received.push(structuredClone(frame));
  const reader = new FrameReader(copy, new FrameMemory(1));
  const sent = [3, 7, 2, 40, 1].map((rows) => ({
    message: { kind: "run", run: rows },
    tensors: { x: rowsOfOnes(rows) },
  }));
  for (const { message, tensors } of sent) {
    const { dtype, shape, data } = tensors.x;
    reader.push(encodeFrame(message, { x: { dtype, shape, pieces: [data] } }, written));
  }
  expect(received).toEqual(sent);
});

function rowsOfOnes(rows: number): HostTensor {
  return { dtype: "int32", shape: [rows, 5], data: new Int32Array(rows * 5).fill(rows) };
}
