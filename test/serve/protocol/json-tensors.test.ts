import fc from "fast-check";
import { expect, test } from "vitest";
import type { TensorSpec } from "../../../schemas/manifest.ts";
import { datatypeOf } from "../../../schemas/open-inference.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../../../schemas/tensor.ts";
import { readInferRequest } from "../../../serve/protocol/infer-request.ts";
import { writeOutput } from "../../../serve/protocol/json-tensors.ts";

const arrays: { [D in Dtype]: fc.Arbitrary<(count: number) => TensorData> } = {
  float32: filled(Float32Array, fc.float({ noNaN: true, noDefaultInfinity: true })),
  int32: filled(Int32Array, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  uint8: filled(Uint8Array, fc.nat(255)),
  bool: filled(Uint8Array, fc.nat(1)),
  int64: filled(BigInt64Array, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
};

/** Data of any length that repeats a few drawn values. */
function filled<T extends number | bigint>(
  array: { from(values: T[]): TensorData },
  value: fc.Arbitrary<T>,
): fc.Arbitrary<(count: number) => TensorData> {
  return fc
    .array(value, { minLength: 1, maxLength: 20 })
    .map((values) => (count) => array.from(Array.from({ length: count }, (_, i) => values[i % values.length]!)));
}

const tensors: fc.Arbitrary<HostTensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(arrays) as Dtype[])),
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 4 }),
  )
  .chain(([dtype, shape]) => arrays[dtype].map((make) => ({ dtype, shape, data: make(elementCount(shape)) })));

function specOf({ dtype, shape }: HostTensor): TensorSpec {
  return { name: "t", dtype, shape: shape.map((size, axis) => (axis === 0 ? -1 : size)), description: "" };
}

/** The one input of a JSON request, as the server reads it. */
function read(input: object, spec: TensorSpec): HostTensor {
  const body = new TextEncoder().encode(JSON.stringify({ inputs: [input] }));
  const to = { called: "m.t", name: "m.t", version: "1" };
  return readInferRequest(body, { headerLength: undefined, model: { inputs: [spec], outputs: [] }, to }).inputs.t!;
}

function nest(flat: readonly unknown[], shape: readonly number[]): unknown[] {
  if (shape.length <= 1) return [...flat];
  const [size, ...inner] = shape as [number, ...number[]];
  const step = flat.length / size;
  return Array.from({ length: size }, (_, i) => nest(flat.slice(i * step, (i + 1) * step), inner));
}

/** -0 has no other form in JSON than 0. */
function withoutNegativeZero(tensor: HostTensor): HostTensor {
  return tensor.dtype === "float32" ? { ...tensor, data: (tensor.data as Float32Array).map((x) => x + 0) } : tensor;
}

test("a tensor that is written, sent as JSON and read, flat or nested, is the same tensor", () => {
  fc.assert(
    fc.property(tensors, (tensor) => {
      const output = JSON.parse(JSON.stringify(writeOutput("t", tensor)));
      expect(output).toMatchObject({ name: "t", shape: tensor.shape, datatype: datatypeOf[tensor.dtype] });
      for (const data of [output.data, nest(output.data, tensor.shape)]) {
        expect(read({ ...output, data }, specOf(tensor))).toEqual(withoutNegativeZero(tensor));
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("data that lost or gained one value is refused, flat or nested", () => {
  fc.assert(
    fc.property(tensors, fc.boolean(), (tensor, longer) => {
      const { data: values, ...rest } = writeOutput("t", tensor);
      const data = longer ? [...values, values[0]!] : values.slice(1);
      const wrong = [data, ...(tensor.shape.length > 1 ? [[...nest(values, tensor.shape), []]] : [])];
      for (const candidate of wrong) {
        const input = { ...rest, shape: [...rest.shape], data: candidate };
        expect(() => read(input, specOf(tensor))).toThrow(/^Cannot infer: "t" must h/);
      }
    }),
    { seed: 2, numRuns: 200 },
  );
});
