import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as onnx from "onnx-buf";
import { expect, test } from "vitest";
import { checkModel } from "../../export/check.ts";
import type { Graph } from "../../export/graph.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { FailureError } from "../../schemas/errors.ts";
import { graph, longs } from "./check-graphs.ts";

type Mutation = (model: onnx.ModelProto, graph: onnx.GraphProto) => void;

function broken(mutate: Mutation, from: Graph = graph): Uint8Array {
  const model = fromBinary(onnx.ModelProtoSchema, writeOnnx(from));
  mutate(model, model.graph!);
  return toBinary(onnx.ModelProtoSchema, model);
}

const named = (graph: onnx.GraphProto, name: string): onnx.NodeProto => graph.node.find((n) => n.name === name)!;
const attribute = (name: string, type: number, fields: object = {}): onnx.AttributeProto =>
  create(onnx.AttributeProtoSchema, { name, type, ...fields });
const tensorType = (info: onnx.ValueInfoProto): onnx.TypeProto_Tensor =>
  info.type!.value.value as onnx.TypeProto_Tensor;
const declared = (graph: onnx.GraphProto, name: string): onnx.TypeProto_Tensor =>
  tensorType(graph.valueInfo.find((info) => info.name === name)!);
const dim = (value: number | string) =>
  create(onnx.TensorShapeProto_DimensionSchema, {
    value: typeof value === "number" ? { case: "dimValue", value: BigInt(value) } : { case: "dimParam", value },
  });

test("a model as the compiler writes it is accepted", () => {
  expect(() => checkModel(writeOnnx(graph))).not.toThrow();
});

const faults: readonly [rule: string, mutate: Mutation, message: RegExp][] = [
  [
    "an IR that is too new",
    (m) => {
      m.irVersion = 11n;
    },
    /ir_version must be from 3 to 10, got 11/,
  ],
  [
    "no IR",
    (m) => {
      m.irVersion = 0n;
    },
    /ir_version must be from 3 to 10, got 0/,
  ],
  [
    "no opset",
    (m) => {
      m.opsetImport = [];
    },
    /imported once, as opset 13 to 21, got none/,
  ],
  [
    "an opset that is too old",
    (m) => {
      m.opsetImport[0]!.version = 12n;
    },
    /opset 13 to 21, got 12/,
  ],
  [
    "an opset that is too new",
    (m) => {
      m.opsetImport[0]!.version = 22n;
    },
    /opset 13 to 21, got 22/,
  ],
  ["two opsets", (m) => m.opsetImport.push(m.opsetImport[0]!), /imported once, .* got 17, 17/],
  [
    "a foreign domain",
    (m) => m.opsetImport.push(create(onnx.OperatorSetIdProtoSchema, { domain: "com.microsoft", version: 1n })),
    /default domain, got "com.microsoft"/,
  ],
  [
    "no graph",
    (m) => {
      delete m.graph;
    },
    /must hold a graph, got none/,
  ],
  [
    "a graph without name",
    (_, g) => {
      g.name = "";
    },
    /the graph must have a name/,
  ],
  ["a metadata key twice", (m) => m.metadataProps.push(m.metadataProps[0]!), /metadata key "task" must be there once/],
  [
    "an input without type",
    (_, g) => {
      delete g.input[0]!.type;
    },
    /input "x" must be a tensor/,
  ],
  [
    "an input without shape",
    (_, g) => {
      delete tensorType(g.input[0]!).shape;
    },
    /input "x" must have a shape/,
  ],
  [
    "an input of strings",
    (_, g) => {
      tensorType(g.input[0]!).elemType = 8;
    },
    /input "x" must be of float32, int32, int64, uint8 or bool/,
  ],
  [
    "a size without number or name",
    (_, g) => {
      tensorType(g.output[0]!).shape!.dim[0] = create(onnx.TensorShapeProto_DimensionSchema);
    },
    /output "y" must have sizes that are numbers or names/,
  ],
  [
    "an output without type",
    (_, g) => {
      delete g.output[0]!.type;
    },
    /output "y" must be a tensor/,
  ],
  [
    "an output that nothing makes",
    (_, g) => {
      g.output[0]!.name = "z";
    },
    /output "z" must be made by a node/,
  ],
  ["an output twice", (_, g) => g.output.push(g.output[0]!), /output "y" must be there once/],
  [
    "an initializer that bears the name of an input",
    (_, g) => {
      g.initializer[0]!.name = "x";
    },
    /initializer "x" must have a name of its own/,
  ],
  [
    "an initializer that is too short",
    (_, g) => {
      g.initializer[1]!.dims = [5n];
    },
    /initializer "bias" must hold 5 elements for \[5\], got 4/,
  ],
  [
    "an initializer with data in two fields",
    (_, g) => {
      g.initializer[1]!.floatData = [1, 2, 3, 4];
    },
    /initializer "bias" must hold 4 elements for \[4\], got data in several fields/,
  ],
  [
    "data outside the file",
    (_, g) => {
      g.initializer[0]!.dataLocation = onnx.TensorProto_DataLocation.EXTERNAL;
    },
    /initializer "filter" must hold its data, got a file outside/,
  ],
  [
    "an initializer of another element type",
    (_, g) => {
      g.initializer[0]!.dataType = 11;
    },
    /initializer "filter" must be of float32, int32/,
  ],
  [
    "an initializer that nothing uses",
    (_, g) => g.initializer.push(create(onnx.TensorProtoSchema, { name: "idle", dataType: 1, floatData: [1] })),
    /initializer "idle" must be used/,
  ],
  [
    "a node that nothing uses",
    (_, g) =>
      g.node.push(create(onnx.NodeProtoSchema, { name: "idle", opType: "Relu", input: ["conv"], output: ["idle"] })),
    /node "idle" \(Relu\): its output must be used/,
  ],
  [
    "nodes in the wrong order",
    (_, g) => {
      g.node.reverse();
    },
    /node "y" \(Gemm\): input "flat" must be made by an earlier node.*\(a later node makes it\)/,
  ],
  [
    "an input that nothing makes",
    (_, g) => {
      named(g, "hidden").input[0] = "nothing";
    },
    /node "hidden" \(LeakyRelu\): input "nothing" must be made .*\(nothing makes it\)/,
  ],
  [
    "a value that is assigned twice",
    (_, g) => {
      named(g, "hidden").output[0] = "conv";
    },
    /node "hidden" \(LeakyRelu\): output "conv" must be assigned once \(SSA\)/,
  ],
  [
    "a node that assigns an input of the graph",
    (_, g) => {
      named(g, "hidden").output[0] = "x";
    },
    /node "hidden" \(LeakyRelu\): output "x" must be assigned once/,
  ],
  [
    "a node name twice",
    (_, g) => {
      named(g, "hidden").name = "conv";
    },
    /node "conv" must have a name of its own/,
  ],
  [
    "an unknown operator",
    (_, g) => {
      named(g, "hidden").opType = "LeakyRelux";
    },
    /node "hidden" \(LeakyRelux\): operator must be one that the checker knows/,
  ],
  [
    "an operator of another domain",
    (_, g) => {
      named(g, "hidden").domain = "com.microsoft";
    },
    /node "hidden" \(LeakyRelu\): operator must be of the default domain/,
  ],
  [
    "an unknown attribute",
    (_, g) => named(g, "hidden").attribute.push(attribute("beta", 1)),
    /node "hidden" \(LeakyRelu\): attribute "beta" must be one of opset 17/,
  ],
  [
    "an attribute of another type",
    (_, g) => {
      named(g, "hidden").attribute[0]!.type = 2;
    },
    /node "hidden" \(LeakyRelu\): attribute "alpha" must be of type float, got int/,
  ],
  [
    "an attribute twice",
    (_, g) => named(g, "hidden").attribute.push(named(g, "hidden").attribute[0]!),
    /attribute "alpha" must be there once/,
  ],
  [
    "a missing attribute",
    (_, g) => {
      named(g, "target").attribute = [];
    },
    /\(Concat\): attribute "axis" is missing/,
  ],
  [
    "an input too few",
    (_, g) => void named(g, "flat").input.pop(),
    /node "flat" \(Reshape\): must have 2 inputs, got 1/,
  ],
  [
    "an input too many",
    (_, g) => void named(g, "hidden").input.push("conv"),
    /\(LeakyRelu\): must have 1 inputs, got 2/,
  ],
  [
    "an input left out",
    (_, g) => {
      named(g, "conv").input[1] = "";
    },
    /\(Conv\): input 2 must be there, got none/,
  ],
  ["an output too many", (_, g) => void named(g, "hidden").output.push("more"), /must have 1 outputs, got 2/],
  [
    "an input of the wrong element type",
    (_, g) => {
      named(g, "y").opType = "And";
      named(g, "y").attribute = [];
    },
    /node "y" \(And\): input 1 \("flat"\) must be of bool, got float32/,
  ],
  [
    "inputs of different element types",
    (_, g) => {
      named(g, "y").opType = "Add";
      named(g, "y").attribute = [];
      named(g, "y").input[1] = "rest";
    },
    /node "y" \(Add\): input 2 \("rest"\) must be of float32 as an input before it, got int64/,
  ],
  [
    "a declared element type that is not the inferred one",
    (_, g) => {
      declared(g, "conv").elemType = 7;
    },
    /node "conv" \(Conv\): output "conv" must be declared as float32, got int64/,
  ],
  [
    "a declared shape that is not the inferred one",
    (_, g) => {
      declared(g, "conv").shape!.dim[2] = dim(5);
    },
    /output "conv" must be declared with the shape \[batch, 4, 4, 3\], got \[batch, 4, 5, 3\]/,
  ],
  [
    "a declared rank that is not the inferred one",
    (_, g) => void declared(g, "conv").shape!.dim.pop(),
    /output "conv" must be declared with the shape \[batch, 4, 4, 3\], got \[batch, 4, 4\]/,
  ],
  [
    "a batch declared as a number",
    (_, g) => {
      declared(g, "flat").shape!.dim[0] = dim(7);
    },
    /node "flat" \(Reshape\): output "flat" must be declared with the shape \[batch, 48\], got \[7, 48\]/,
  ],
  [
    "a number declared as the batch",
    (_, g) => {
      tensorType(g.output[0]!).shape!.dim[1] = dim("batch");
    },
    /output "y" must be declared with the shape \[batch, 5\], got \[batch, batch\]/,
  ],
  [
    "a filter with other channels than the image",
    (_, g) => {
      g.initializer[0]!.dims = [3n, 4n, 3n, 3n];
    },
    /node "conv" \(Conv\): filter must have 3 channels over 1 groups, got \[3, 4, 3, 3\]/,
  ],
  [
    "pads for another rank",
    (_, g) => {
      named(g, "conv").attribute.find((a) => a.name === "pads")!.ints = [1n, 1n];
    },
    /node "conv" \(Conv\): pads must have 4 entries, got \[1, 1\]/,
  ],
  [
    "inner sizes that differ",
    (_, g) => {
      g.initializer[2]!.dims = [5n, 48n];
    },
    /node "y" \(Gemm\): inner sizes must be equal, got 48 and 5/,
  ],
  [
    "a reshape that changes the number of elements",
    (_, g) => {
      g.initializer[4]!.rawData = new Uint8Array(longs(47).data.buffer as ArrayBuffer);
    },
    /node "flat" \(Reshape\): elements must stay as many, got \[batch, 4, 4, 3\] to \[batch, 47\]/,
  ],
  [
    "value_info of an unknown value",
    (_, g) => {
      g.valueInfo[0]!.name = "ghost";
    },
    /value_info "ghost" must be of a value of the graph/,
  ],
  ["value_info twice", (_, g) => g.valueInfo.push(g.valueInfo[0]!), /value_info "shape" must be there once/],
];

for (const [rule, mutate, message] of faults) {
  test(`checkModel() refuses ${rule}`, () => {
    const bytes = broken(mutate);
    expect(() => checkModel(bytes)).toThrow(FailureError);
    expect(() => checkModel(bytes)).toThrow(message);
  });
}

test("checkModel() refuses bytes that are no ONNX file, and files of 2 GiB", () => {
  expect(() => checkModel(new TextEncoder().encode("not a model"))).toThrow(/Cannot (read|accept) model/);
  expect(() => checkModel(new Uint8Array(2 ** 31))).toThrow(/must be smaller than 2 GiB, got 2147483648 bytes/);
});

test("a refusal lists the first problems and counts the rest", () => {
  const bytes = broken((model, graph) => {
    model.irVersion = 99n;
    for (const n of graph.node) n.opType = "Unknown";
  });
  expect(() => checkModel(bytes)).toThrow(
    /^Cannot accept model "small": ir_version .*; node "shape" \(Unknown\).*; and \d+ more$/,
  );
});
