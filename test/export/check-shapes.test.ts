import { expect, test } from "vitest";
import { checkModel } from "../../export/check.ts";
import { int, ints, type Node, string, tensor, type ValueInfo } from "../../export/graph.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { floats, graph, longs, node, value } from "./check-graphs.ts";

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
