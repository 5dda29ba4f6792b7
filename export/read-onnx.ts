import { fromBinary } from "@bufbuild/protobuf";
import * as onnx from "onnx-buf";
import { FailureError } from "../schemas/errors.ts";
import type { Dtype } from "../schemas/tensor.ts";
import type { Dim } from "./graph.ts";

/** Reads an ONNX file back as what it says, without judging it: the checker's view of the bytes that were written. */

const dtypes: Readonly<Record<number, Dtype>> = { 1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool" };

/** @throws FailureError if the bytes are not a protobuf message of type ModelProto */
export function readOnnx(bytes: Uint8Array): onnx.ModelProto {
  try {
    return fromBinary(onnx.ModelProtoSchema, bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FailureError(`Cannot read model: it must be an ONNX file, got other bytes (${why})`, {
      code: "bad_model",
      cause,
    });
  }
}

/** @returns undefined for element types that this project does not carry */
export function dtypeOf(elementType: number): Dtype | undefined {
  return dtypes[elementType];
}

export interface DeclaredType {
  readonly dtype: Dtype | undefined;
  /** `""` is a size without number or name; undefined: of any rank. */
  readonly shape: readonly Dim[] | undefined;
}

/** @returns undefined if the value is not declared as a tensor */
export function typeOf(info: onnx.ValueInfoProto): DeclaredType | undefined {
  if (info.type?.value.case !== "tensorType") return undefined;
  const { elemType, shape } = info.type.value.value;
  return {
    dtype: dtypeOf(elemType),
    shape: shape?.dim.map(({ value }) => {
      if (value.case === "dimValue") return Number(value.value);
      return value.case === "dimParam" ? value.value : "";
    }),
  };
}

/** Elements that a tensor holds, whichever field they are in; undefined if they are in several or outside. */
export function storedElements(tensor: onnx.TensorProto): number | undefined {
  const width = { float32: 4, int32: 4, int64: 8, uint8: 1, bool: 1 }[dtypeOf(tensor.dataType) ?? "bool"];
  const fields = [
    tensor.rawData === undefined ? 0 : tensor.rawData.length / width,
    tensor.floatData.length,
    tensor.int32Data.length,
    tensor.int64Data.length,
  ].filter((count) => count > 0);
  return fields.length > 1 ? undefined : (fields[0] ?? 0);
}

/** The integers of an int64 or int32 tensor. */
export function integersOf(tensor: onnx.TensorProto): number[] {
  const { rawData, dataType } = tensor;
  if (rawData === undefined || rawData.length === 0) return [...tensor.int64Data, ...tensor.int32Data].map(Number);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return dtypeOf(dataType) === "int64"
    ? Array.from({ length: Math.floor(rawData.length / 8) }, (_, i) => Number(view.getBigInt64(8 * i, true)))
    : Array.from({ length: Math.floor(rawData.length / 4) }, (_, i) => view.getInt32(4 * i, true));
}

/** The numbers of a float32 tensor. */
export function floatsOf({ rawData, floatData }: onnx.TensorProto): number[] {
  if (rawData === undefined || rawData.length === 0) return [...floatData];
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: Math.floor(rawData.length / 4) }, (_, i) => view.getFloat32(4 * i, true));
}

const attributeTypes: Readonly<Record<number, string>> = {
  1: "float",
  2: "int",
  3: "string",
  4: "tensor",
  5: "graph",
  6: "floats",
  7: "ints",
  8: "strings",
};

/** The attribute's type in the words of the operator table. */
export function attributeType(attribute: onnx.AttributeProto): string {
  return attributeTypes[attribute.type] ?? "something else";
}
