import { float, type Graph, int, ints, type Node, type ValueInfo } from "../../export/graph.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

/** Graphs for the tests of the checker. */

export const value = (
  name: string,
  shape: readonly (number | string)[],
  dtype: ValueInfo["dtype"] = "float32",
): ValueInfo => ({
  name,
  dtype,
  shape,
});
export const node = (
  op: string,
  inputs: string[],
  outputs: ValueInfo[],
  attributes: Node["attributes"] = {},
): Node => ({
  op,
  inputs,
  outputs,
  attributes,
  source: "",
});
export const floats = (shape: number[]): HostTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
export const longs = (...values: number[]): HostTensor => ({
  dtype: "int64",
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/** Convolution, flattened with a batch size that the graph computes, then a matrix product: as the compiler writes it. */
export const graph: Graph = {
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
