import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as onnx from "onnx-buf";
import { expect, test } from "vitest";
import { checkModel } from "../../export/check.ts";
import { float, type Graph, int, ints, type Node, string, tensor, type ValueInfo } from "../../export/graph.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

const value = (
  name: string,
  shape: readonly (number | string)[],
  dtype: ValueInfo["dtype"] = "float32",
): ValueInfo => ({
  name,
  dtype,
  shape,
});
const node = (op: string, inputs: string[], outputs: ValueInfo[], attributes: Node["attributes"] = {}): Node => ({
  op,
  inputs,
  outputs,
  attributes,
  source: "",
});
const floats = (shape: number[]): HostTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const longs = (...values: number[]): HostTensor => ({
  dtype: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/** Convolution, flattened with a batch size that the graph computes, then a matrix product: as the compiler writes it. */
const graph: Graph = {
  name: "small",
  opset: 17,
  inputs: [value("x", ["batch", 3, 8, 6])],
  outputs: [value("y", ["batch", 5])],
  initializers: new Map([
    ["filter", floats([4, 3, 3, 3])],
    ["bias", floats([4])],
    ["dense", floats([48, 5])],
    ["axis", longs(0)],
    ["rest", longs(48)],
  ]),
  nodes: [
    node("Shape", ["x"], [value("shape", [4], "int64")]),
    node("Gather", ["shape", "axis"], [value("size", [1], "int64")]),
    node("Concat", ["size", "rest"], [value("target", [2], "int64")], { axis: int(0) }),
    node("Conv", ["x", "filter", "bias"], [value("conv", ["batch", 4, 4, 3])], {
      pads: ints([1, 1, 1, 1]),
      strides: ints([2, 2]),
      dilations: ints([1, 1]),
    }),
    node("LeakyRelu", ["conv"], [value("hidden", ["batch", 4, 4, 3])], { alpha: float(0.1) }),
    node("Reshape", ["hidden", "target"], [value("flat", ["batch", 48])]),
    node("Gemm", ["flat", "dense"], [value("y", ["batch", 5])], { transA: int(0) }),
  ],
  state: [],
  metadata: { task: "small" },
};

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

/** One operator over inputs: the shape that must be declared, and one that must be refused. */
type Inferred = readonly [
  op: string,
  inputs: readonly (ValueInfo | HostTensor | undefined)[],
  output: readonly (number | string)[],
  attributes?: Node["attributes"] | undefined,
  dtype?: ValueInfo["dtype"] | undefined,
];

const x = (...shape: (number | string)[]): ValueInfo => value("", shape);
const index = (...shape: (number | string)[]): ValueInfo => value("", shape, "int64");

const inferred: readonly Inferred[] = [
  ["Add", [x("batch", 3, 1), x(4)], ["batch", 3, 4]],
  ["Sub", [x(2, 1), x(1, 3)], [2, 3]],
  ["Where", [value("", ["batch", 1], "bool"), x(1, 4), x(4)], ["batch", 4]],
  ["Greater", [x(2, 3), x()], [2, 3], {}, "bool"],
  ["Max", [x(2, 1), x(3), x(2, 3)], [2, 3]],
  ["Transpose", [x("batch", 3, 4)], [4, "batch", 3], { perm: ints([2, 0, 1]) }],
  ["Reshape", [x(2, 6), longs(0, -1, 3)], [2, 2, 3]],
  ["Reshape", [x("batch", 6, 4), longs(-1, 24)], ["batch", 24]],
  ["Reshape", [x("batch", 6), longs(-1, 3)], ["2*batch", 3]],
  ["Gemm", [x(3, "batch"), x(5, 3), x(5)], ["batch", 5], { transA: int(1), transB: int(1) }],
  ["MatMul", [x("batch", 1, 2, 3), x(4, 3, 5)], ["batch", 4, 2, 5]],
  ["MatMul", [x(3), x(2, 3, 5)], [2, 5]],
  ["Concat", [x("batch", 2), x("batch", 3)], ["batch", 5], { axis: int(1) }],
  ["Slice", [x("batch", 8, 5), longs(6, 1), longs(0, 100), longs(1, 2), longs(-2, 1)], ["batch", 3, 4]],
  ["Slice", [x(5), longs(-3), longs(-1)], [2]],
  ["Slice", [x(5), longs(4), longs(-100), longs(0), longs(-1)], [5]],
  ["Pad", [x("batch", 3), longs(0, 1, 0, 2)], ["batch", 6]],
  ["Tile", [x("batch", 3), longs(2, 3)], ["2*batch", 9]],
  ["Expand", [x("batch", 1), longs(1, 4)], ["batch", 4]],
  ["Gather", [x(7, 3), index("batch", 2)], ["batch", 2, 3]],
  ["Gather", [x("batch", 7, 3), index(2)], ["batch", 2, 3], { axis: int(1) }],
  ["GatherND", [x(4, 5, 6), index("batch", 2)], ["batch", 6]],
  ["GatherND", [x("batch", 5, 6), index("batch", 1)], ["batch", 6], { batch_dims: int(1) }],
  ["GatherElements", [x(3, 4), index(2, 4)], [2, 4]],
  ["ScatterND", [x(3, 4), index(2, 1), x(2, 4)], [3, 4]],
  ["OneHot", [index("batch"), longs(5), floats([2])], ["batch", 5]],
  ["CumSum", [x("batch", 3), { dtype: "int64", shape: [], data: BigInt64Array.of(1n) }], ["batch", 3]],
  ["ReduceSum", [x("batch", 3, 4), longs(-1)], ["batch", 3], { keepdims: int(0) }],
  ["ReduceMean", [x("batch", 3, 4)], ["batch", 1, 1], { axes: ints([1, 2]) }],
  ["ReduceMax", [x("batch", 3)], [], { keepdims: int(0) }],
  ["ArgMax", [x("batch", 3)], ["batch"], { axis: int(1), keepdims: int(0) }, "int64"],
  ["Squeeze", [x("batch", 1, 3, 1), longs(1, -1)], ["batch", 3]],
  ["Unsqueeze", [x("batch", 3), longs(0, -1)], [1, "batch", 3, 1]],
  ["Flatten", [x("batch", 3, 4)], ["batch", 12]],
  ["Cast", [x("batch", 3)], ["batch", 3], { to: int(9) }, "bool"],
  [
    "ConstantOfShape",
    [longs(2, 3)],
    [2, 3],
    { value: tensor({ dtype: "int32", shape: [1], data: Int32Array.of(1) }) },
    "int32",
  ],
  ["Shape", [x("batch", 3, 4)], [2], { start: int(1) }, "int64"],
  ["Softmax", [x("batch", 3)], ["batch", 3], { axis: int(-1) }],
  ["Clip", [x("batch", 3), floats([]), undefined], ["batch", 3]],
  ["PRelu", [x("batch", 3, 4), x(4)], ["batch", 3, 4]],
  ["BatchNormalization", [x("batch", 3, 4), x(3), x(3), x(3), x(3)], ["batch", 3, 4]],
  [
    "Conv",
    [x("batch", 4, 9, 7), x(6, 2, 3, 2), x(6)],
    ["batch", 6, 4, 4],
    { group: int(2), pads: ints([1, 0, 0, 1]), strides: ints([2, 2]), dilations: ints([1, 1]) },
  ],
  ["Conv", [x("batch", 1, 9), x(2, 1, 3)], ["batch", 2, 5], { dilations: ints([2]) }],
  [
    "ConvTranspose",
    [x("batch", 4, 5, 3), x(4, 6, 3, 2)],
    ["batch", 6, 10, 6],
    { pads: ints([1, 0, 1, 1]), strides: ints([2, 2]), output_padding: ints([1, 1]) },
  ],
  ["MaxPool", [x("batch", 3, 7, 7)], ["batch", 3, 3, 3], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
  [
    "AveragePool",
    [x("batch", 3, 7, 7)],
    ["batch", 3, 4, 4],
    { kernel_shape: ints([2, 2]), strides: ints([2, 2]), ceil_mode: int(1) },
  ],
  ["GlobalAveragePool", [x("batch", 3, 7, 5)], ["batch", 3, 1, 1]],
  ["Resize", [x("batch", 3, 4, 5), undefined, undefined, longs(2, 3, 8, 5)], [2, 3, 8, 5]],
  [
    "Resize",
    [x("batch", 3, 4, 5), undefined, { dtype: "float32", shape: [4], data: Float32Array.of(1, 1, 2, 1.5) }],
    ["batch", 3, 8, 7],
  ],
  ["DepthToSpace", [x("batch", 12, 2, 3)], ["batch", 3, 4, 6], { blocksize: int(2) }],
  ["SpaceToDepth", [x("batch", 3, 4, 6)], ["batch", 12, 2, 3], { blocksize: int(2) }],
  ["Einsum", [x("batch", 3, 4), x(4, 5)], ["batch", 5, 3], { equation: string("bij, jk -> bki") }],
  ["Identity", [x("batch", 3)], ["batch", 3]],
  ["Erf", [x("batch", 3)], ["batch", 3]],
];

function single([op, inputs, output, attributes, dtype]: Inferred): Uint8Array {
  const initializers = new Map<string, HostTensor>();
  const graphInputs: ValueInfo[] = [];
  const names = inputs.map((input, i) => {
    if (input === undefined) return "";
    if ("data" in input) initializers.set(`in_${i}`, input);
    else graphInputs.push({ ...input, name: `in_${i}` });
    return `in_${i}`;
  });
  const out = value("out", output, dtype);
  const only = node(op, names, [out], attributes);
  return writeOnnx({ ...graph, inputs: graphInputs, outputs: [out], initializers, nodes: [only] });
}

test("every operator's shape and element type is inferred: the right declaration passes", () => {
  for (const one of inferred) expect(() => checkModel(single(one)), `${one[0]} to [${one[2]}]`).not.toThrow();
});

test("every operator's shape is inferred: a declaration that is wrong along any axis, or in rank, is refused", () => {
  for (const one of inferred) {
    const [op, inputs, output, attributes, dtype] = one;
    const wrong = output.map((_, axis) => output.map((size, i) => (i === axis ? 99 : size)));
    for (const shape of [...wrong, [...output, 1]]) {
      expect(() => checkModel(single([op, inputs, shape, attributes, dtype])), `${op} as [${shape}]`).toThrow(
        /node "out" .*must be declared with the shape/,
      );
    }
  }
});

test("every operator's element type is inferred: another one is refused", () => {
  for (const [op, inputs, output, attributes, dtype = "float32"] of inferred) {
    const wrong = dtype === "uint8" ? "int32" : "uint8";
    expect(() => checkModel(single([op, inputs, output, attributes, wrong])), op).toThrow(
      new RegExp(`output "out" must be declared as ${dtype}, got ${wrong}`),
    );
  }
});

test("inputs that break an operator's rule are refused by name of the rule", () => {
  const cases: readonly [Inferred, RegExp][] = [
    [["Add", [x(2, 3), x(4)], [2, 3]], /inputs must broadcast, got \[2, 3\] and \[4\]/],
    [["Add", [x("batch", 3), x(7, 3)], ["batch", 3]], /inputs must broadcast, got \[batch, 3\] and \[7, 3\]/],
    [["Transpose", [x(2, 3)], [2, 3], { perm: ints([0, 0]) }], /perm must order the 2 axes/],
    [["Concat", [x(2, 3), x(2, 4)], [4, 3], { axis: int(0) }], /inputs must be equal but for axis 0/],
    [["Concat", [x(2), x(2)], [4], { axis: int(1) }], /axis must be from -1 to 0, got 1/],
    [["Reshape", [x(2, 3), longs(4, -1)], [4, 1]], /must divide into/],
    [["Reshape", [x(2, 3), longs(-1, -1)], [2, 3]], /only one size may be -1/],
    [["MatMul", [x(2, 3), x(4, 5)], [2, 5]], /inner sizes must be equal/],
    [["Gemm", [x(2, 3, 4), x(4, 5)], [2, 5]], /inputs must be matrices/],
    [["Gemm", [x(2, 3), x(3, 5), x(4, 5)], [2, 5]], /inputs must broadcast/],
    [["Pad", [x(2, 3), longs(1, 1)], [2, 3]], /pads must have 4 sizes/],
    [["Tile", [x(2, 3), longs(1)], [2, 3]], /repeats must have 2 counts/],
    [["Squeeze", [x(2, 3), longs(1)], [2]], /axis 1 must have size 1/],
    [["PRelu", [x(2, 3), x(4, 2, 3)], [2, 3]], /input 2 must broadcast to \[2, 3\]/],
    [["BatchNormalization", [x(2, 3), x(3), x(3), x(2), x(3)], [2, 3]], /input 4 must be \[3\]/],
    [["MaxPool", [x(1, 1, 2, 2)], [1, 1, 1, 1], { kernel_shape: ints([3, 3]) }], /the window must fit its input/],
    [["ConvTranspose", [x(1, 4, 5), x(3, 4, 2)], [1, 4, 6]], /filter must begin with 4 channels/],
    [["Einsum", [x(2, 3), x(4, 5)], [2, 5], { equation: string("ij,jk->ik") }], /axis "j" must have one size/],
    [["Clip", [x(2), floats([2]), undefined], [2]], /bounds must be scalars/],
    [["Slice", [x(5), longs(0), longs(5), longs(0), longs(0)], [5]], /steps must not be 0/],
  ];
  for (const [one, message] of cases) expect(() => checkModel(single(one)), one[0]).toThrow(message);
});
