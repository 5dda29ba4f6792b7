import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import type { Dtype } from "../schemas/tensor.ts";

/** Tiny ONNX models written straight with onnx-buf: the rooms under test do not import the compiler. */

const elementType = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 } as const satisfies Record<Dtype, number>;

export interface TinyValue {
  readonly name: string;
  readonly dtype: Dtype;
  /** Without it the rank is unknown. */
  readonly shape?: readonly (number | string)[];
}

export interface TinyNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer attributes. */
  readonly ints?: Readonly<Record<string, number>>;
}

export interface TinyModel {
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
  readonly nodes: readonly TinyNode[];
}

/** ONNX bytes, opset 17, IR 8. */
export function tinyModel({ inputs, outputs, nodes }: TinyModel): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: 17n }],
    graph: {
      name: "tiny",
      input: inputs.map(valueInfo),
      output: outputs.map(valueInfo),
      node: nodes.map(({ op, inputs: input, outputs: output, ints = {} }, index) => ({
        name: `${op}${index}`,
        opType: op,
        input: [...input],
        output: [...output],
        attribute: Object.entries(ints).map(([name, value]) => ({ name, type: 2, i: BigInt(value) })),
      })),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function valueInfo({ name, dtype, shape }: TinyValue) {
  const dims = shape?.map((size) => ({
    value:
      typeof size === "number"
        ? { case: "dimValue" as const, value: BigInt(size) }
        : { case: "dimParam" as const, value: size },
  }));
  return {
    name,
    type: {
      value: {
        case: "tensorType" as const,
        value: { elemType: elementType[dtype], ...(dims === undefined ? {} : { shape: { dim: dims } }) },
      },
    },
  };
}

/** `y[n, 3] = x[n, 2] w[2, 3] + b[3]`, all inputs. */
export const affine = tinyModel({
  inputs: [
    { name: "x", dtype: "float32", shape: ["n", 2] },
    { name: "w", dtype: "float32", shape: [2, 3] },
    { name: "b", dtype: "float32", shape: [3] },
  ],
  outputs: [{ name: "y", dtype: "float32", shape: ["n", 3] }],
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["xw"] },
    { op: "Add", inputs: ["xw", "b"], outputs: ["y"] },
  ],
});
