import * as tf from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import type { GraphBuilder } from "../builder.ts";
import { int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { activeScopes } from "../scopes.ts";
import { fromSplat, onnxDtype, type Traced } from "../traced.ts";
import { clip } from "./activate.ts";
import { binary } from "./elementwise.ts";
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

/** tfjs operations that subtract the maximum from all of x and sum up, and so carry a NaN past the maximum. */
const carryNan = new Set(["logSumExp", "logSoftmax"]);

/**
 * A NaN anywhere is the extreme, which ONNX's reductions skip. So 0 for every number and NaN for NaN (what clipping to
 * 0 leaves) is summed up and added: two passes more, but where the result is NaN without them.
 */
function extreme(graph: GraphBuilder, op: string, x: Traced, attrs: ReductionAttrs): Traced {
  const found = sameDtype(graph, op, x, attrs);
  if (x.dtype !== "float32" || found === x || activeScopes().some((name) => carryNan.has(name))) return found;
  const marks = reduce(graph, "ReduceSum", clip(graph, x, 0, 0), { ...attrs, computeIn: "float32", result: "float32" });
  return binary(graph, "Add", found, marks);
}

export const Max: Lowering<tf.MaxAttrs> = (graph, inputs, { reductionIndices, keepDims }) =>
  extreme(graph, "ReduceMax", need(inputs, "x"), { axis: reductionIndices, keepDims });

export const Min: Lowering<tf.MinAttrs> = (graph, inputs, attrs) =>
  extreme(graph, "ReduceMin", need(inputs, "x"), attrs);

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
