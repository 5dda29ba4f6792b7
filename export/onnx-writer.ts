import { create, toBinary } from "@bufbuild/protobuf";
import * as onnx from "onnx-buf";
import type { HostTensor } from "../schemas/tensor.ts";
import { onnxType } from "./builder.ts";
import type { Attribute, Graph, ValueInfo } from "./graph.ts";

/** IR version 8 belongs to opset 17: every runtime since 2022 reads it. */
export const irVersion = 8;

/** The graph as the bytes of an ONNX file. The same graph gives the same bytes. */
export function writeOnnx(graph: Graph): Uint8Array {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const model = create(onnx.ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: "cominfo",
    opsetImport: [{ domain: "", version: BigInt(graph.opset) }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      initializer: [...graph.initializers].map(([name, contents]) => tensorProto(contents, name)),
      node: graph.nodes.map((node) => ({
        name: node.outputs[0]!.name,
        opType: node.op,
        input: [...node.inputs],
        output: node.outputs.map(({ name }) => name),
        attribute: Object.keys(node.attributes)
          .sort()
          .map((name) => attributeProto(name, node.attributes[name]!)),
      })),
      valueInfo: graph.nodes.flatMap((node) => node.outputs.filter(({ name }) => !outputs.has(name)).map(valueInfo)),
    },
    metadataProps: Object.keys(graph.metadata)
      .sort()
      .map((key) => ({ key, value: graph.metadata[key]! })),
  });
  return toBinary(onnx.ModelProtoSchema, model);
}

function valueInfo({ name, dtype, shape }: ValueInfo) {
  const dim = shape.map((size) =>
    typeof size === "number"
      ? { value: { case: "dimValue" as const, value: BigInt(size) } }
      : { value: { case: "dimParam" as const, value: size } },
  );
  const tensorType = {
    elemType: onnxType(dtype),
    shape: create(onnx.TensorShapeProtoSchema, {
      dim: dim.map((d) => create(onnx.TensorShapeProto_DimensionSchema, d)),
    }),
  };
  return create(onnx.ValueInfoProtoSchema, {
    name,
    type: create(onnx.TypeProtoSchema, {
      value: { case: "tensorType", value: create(onnx.TypeProto_TensorSchema, tensorType) },
    }),
  });
}

function tensorProto({ dtype, shape, data }: HostTensor, name: string) {
  return create(onnx.TensorProtoSchema, {
    name,
    dataType: onnxType(dtype),
    dims: shape.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  });
}

function attributeProto(name: string, attribute: Attribute) {
  const type = onnx.AttributeProto_AttributeType;
  switch (attribute.kind) {
    case "int":
      return create(onnx.AttributeProtoSchema, { name, type: type.INT, i: BigInt(attribute.value) });
    case "float":
      return create(onnx.AttributeProtoSchema, { name, type: type.FLOAT, f: attribute.value });
    case "string":
      return create(onnx.AttributeProtoSchema, {
        name,
        type: type.STRING,
        s: new TextEncoder().encode(attribute.value),
      });
    case "ints":
      return create(onnx.AttributeProtoSchema, { name, type: type.INTS, ints: attribute.value.map(BigInt) });
    case "floats":
      return create(onnx.AttributeProtoSchema, { name, type: type.FLOATS, floats: [...attribute.value] });
    case "tensor":
      return create(onnx.AttributeProtoSchema, { name, type: type.TENSOR, t: tensorProto(attribute.value, "") });
  }
}
