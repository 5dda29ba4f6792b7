import * as tf from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import type { GraphBuilder } from "../builder.ts";
import { int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromSplat, onnxDtype, type Traced } from "../traced.ts";
import { type ReductionAttrs, reduce, reduceAxes } from "./reduce.ts";

/** Reductions over axes. Attributes: axes of the tfjs tensor and whether they stay with size 1. */

/** bool counts as int32, as in tfjs. */
const countable = (x: Traced): "float32" | "int32" => (x.dtype === "float32" ? "float32" : "int32");

function sameDtype(graph: GraphBuilder, op: string, x: Traced, attrs: ReductionAttrs): Traced {
  return reduce(graph, op, x, { ...attrs, computeIn: countable(x), result: onnxDtype(x.dtype) });
}

export const Sum: Lowering<tf.SumAttrs> = (graph, inputs, attrs) => {
  const x = need(inputs, "x");
  return reduce(graph, "ReduceSum", x, { ...attrs, computeIn: countable(x), result: countable(x) });
};

export const Prod: Lowering<tf.ProdAttrs> = (graph, inputs, attrs) => {
  const x = need(inputs, "x");
  return reduce(graph, "ReduceProd", x, { ...attrs, computeIn: countable(x), result: countable(x) });
};

export const Mean: Lowering<tf.MeanAttrs> = (graph, inputs, attrs) =>
  reduce(graph, "ReduceMean", need(inputs, "x"), { ...attrs, computeIn: "float32", result: "float32" });

export const Max: Lowering<tf.MaxAttrs> = (graph, inputs, { reductionIndices, keepDims }) =>
  sameDtype(graph, "ReduceMax", need(inputs, "x"), { axis: reductionIndices, keepDims });

export const Min: Lowering<tf.MinAttrs> = (graph, inputs, attrs) =>
  sameDtype(graph, "ReduceMin", need(inputs, "x"), attrs);

export const All: Lowering<tf.AllAttrs> = (graph, inputs, attrs) =>
  sameDtype(graph, "ReduceMin", need(inputs, "x"), attrs);

export const Any: Lowering<tf.AnyAttrs> = (graph, inputs, attrs) =>
  sameDtype(graph, "ReduceMax", need(inputs, "x"), attrs);

/** The first of equal extremes, in tfjs as in ONNX; tfjs looks at one axis. */
function argExtreme(graph: GraphBuilder, op: string, x: Traced, axis: number): Traced {
  const [at] = tf.util.parseAxisParam(axis, [...x.shape]);
  if (elementCount(x.shape) === 0 || at === undefined) return fromSplat("int32", [], 0);
  return reduceAxes(graph, x, { axis: at }, (value, axes, shape) => {
    const operand = graph.cast(value, countable(x));
    const attributes = { axis: int(axes[0]!), keepdims: int(0) };
    return graph.cast(graph.node(op, [operand], { dtype: "int64", shape }, attributes), "int32");
  });
}

export const ArgMax: Lowering<tf.ArgMaxAttrs> = (graph, inputs, { axis }) =>
  argExtreme(graph, "ArgMax", need(inputs, "x"), axis);

export const ArgMin: Lowering<tf.ArgMinAttrs> = (graph, inputs, { axis }) =>
  argExtreme(graph, "ArgMin", need(inputs, "x"), axis);
