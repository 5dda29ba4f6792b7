import fc from "fast-check";
import { expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

const tensors = new Map<string, HostTensor>([
  ["w", { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, Number.NaN, -0, Infinity) }],
  ["n", { dtype: "int32", shape: [2], data: Int32Array.of(-1, 2147483647) }],
  ["b", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ["u", { dtype: "uint8", shape: [], data: Uint8Array.of(255) }],
  ["l", { dtype: "int64", shape: [1], data: BigInt64Array.of(-(2n ** 62n)) }],
  ["empty", { dtype: "float32", shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file with a header of one's own. */
function file(header: unknown, values = new Uint8Array(8)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(values, 8 + text.length);
  return bytes;
}

const read = (bytes: Uint8Array) => () => readSafetensors(bytes, "state.safetensors");
const two = { dtype: "F32", shape: [2], data_offsets: [0, 8] };

test.each([
  ["an array of its own", (bytes: Uint8Array) => bytes],
  ["a Buffer inside a pool, as readFile gives for small files", (bytes: Uint8Array) => Buffer.from(bytes)],
])("every type comes back bit by bit from %s", (_what, given) => {
  const back = readSafetensors(given(writeSafetensors(tensors)), "state.safetensors");
  expect(new Set(back.keys())).toEqual(new Set(tensors.keys()));
  for (const [name, tensor] of tensors) {
    expect(back.get(name)!.dtype).toBe(tensor.dtype);
    expect(back.get(name)!.shape).toEqual(tensor.shape);
    expect(Buffer.from(back.get(name)!.data.buffer)).toEqual(Buffer.from(tensor.data.buffer));
  }
});

test("the bytes are those of the published format", () => {
  // As the Python library writes {"a": float32 [1.0]}, apart from the padding of the header to 8 bytes.
  const bytes = writeSafetensors(new Map([["a", { dtype: "float32", shape: [1], data: Float32Array.of(1) }]]));
  expect(Buffer.from(bytes.subarray(0, 8)).toString("hex")).toBe("3800000000000000");
  expect(new TextDecoder().decode(bytes.subarray(8, 64))).toBe(
    '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(56),
  );
  expect([...bytes.subarray(64)]).toEqual([0, 0, 0x80, 0x3f]);
});

test("the order of the map and a foreign offset of its arrays do not change the bytes", () => {
  const shifted = new Float32Array(Float32Array.of(9, 1, -2, 3.5, Number.NaN, -0, Infinity).buffer, 4);
  const reversed = new Map([...tensors].reverse());
  reversed.set("w", { dtype: "float32", shape: [2, 3], data: shifted });
  expect(writeSafetensors(reversed)).toEqual(writeSafetensors(tensors));
});

test("metadata of other writers is passed over", () => {
  expect([...readSafetensors(file({ __metadata__: { format: "pt" }, a: two }), "x").keys()]).toEqual(["a"]);
});

test("a file cut anywhere is refused, never half read", () => {
  const bytes = writeSafetensors(tensors);
  for (let length = 0; length < bytes.length; length++) {
    expect(read(bytes.subarray(0, length)), `cut to ${length} bytes`).toThrow(/^Cannot read "state.safetensors": /);
  }
});

test.each([
  ["a length beyond the file", Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127, 1, 2), "header must have at most"],
  ["a header that is not JSON", file("{nope"), "its header must be JSON"],
  ["a header that is a list", file([1]), "must be a JSON object"],
  ["an unknown type", file({ a: { ...two, dtype: "F16" } }), 'got "F16"'],
  ["a type from the prototype chain", file({ a: { ...two, dtype: "toString" } }), 'got "toString"'],
  ["no entry", file({ a: null }), '"a" must have a dtype'],
  ["a negative size", file({ a: { ...two, shape: [-2] } }), "shape of whole numbers"],
  ["a size beyond exact integers", file({ a: { ...two, shape: [2 ** 60] } }), "shape of whole numbers"],
  ["a shape that is a string", file({ a: { ...two, shape: "2" } }), "shape of whole numbers"],
  ["a shape that does not fit its bytes", file({ a: { ...two, shape: [3] } }), "must take 12 bytes, got 8"],
  ["values beyond the end", file({ a: { ...two, shape: [4], data_offsets: [0, 16] } }), "end within 8 bytes"],
  ["overlapping values", file({ a: two, b: two }), '"b" must begin at byte 8 of the values, got 0'],
  ["a hole before the values", file({ a: { ...two, shape: [1], data_offsets: [4, 8] } }), "begin at byte 0"],
  ["bytes that belong to nothing", file({ a: two }, new Uint8Array(12)), "must hold 8 bytes of values, got 12"],
  ["offsets in reverse", file({ a: { ...two, data_offsets: [8, 0] } }), "must take 8 bytes, got -8"],
])("%s is refused", (_what, bytes, message) => {
  expect(read(bytes)).toThrow(message);
});

test("random bytes never do more than throw the one error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.jsonValue(), (values, header) => {
      for (const bytes of [values, file(header, values)]) {
        try {
          readSafetensors(bytes, "x");
        } catch (error) {
          expect((error as Error).name).toBe("FailureError");
        }
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});

test("names that would not come back are not written", () => {
  const one: HostTensor = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) };
  expect(() => writeSafetensors(new Map([["__metadata__", one]]))).toThrow('must not be "__metadata__"');
  expect(() => writeSafetensors(new Map([["a", { ...one, shape: [2] }]]))).toThrow("must have 2 values, got 1");
});
