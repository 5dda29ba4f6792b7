import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { int, ints } from "../graph.ts";
import { nchw, fromNchw, plain, fromPlain, type Traced } from "../traced.ts";

export interface ReductionAttrs {
  readonly axis: number | number[];
  readonly keepDims?: boolean;
}

/** Axis of [batch, height, width, channels] in [batch, channels, height, width]. */
const nchwAxis = [0, 2, 3, 1];

/** Reduces in the layout the tensor has, unless that would leave the remaining axes in another order. */
export function reduce(graph: GraphBuilder, op: string, x: Traced, { axis, keepDims }: ReductionAttrs): Traced {
  const axes = tf.util.parseAxisParam(axis, [...x.shape]);
  if (axes.length === 0) return x;
  const [shape] = tf.backend_util.computeOutAndReduceShapes([...x.shape], axes);
  const keptShape = tf.backend_util.expandShapeToKeepDim(shape, axes);
  const staysInOrder = axes.includes(3) || (axes.includes(1) && axes.includes(2));
  if (x.home === "nchw" && (keepDims === true || staysInOrder)) {
    const value = nchw(graph, x);
    const outShape = keepDims === true ? [0, 3, 1, 2].map((i) => keptShape[i]!) : shape;
    const result = reduceValue(
      graph,
      op,
      value,
      axes.map((i) => nchwAxis[i]!),
      outShape,
      keepDims === true,
    );
    return keepDims === true ? fromNchw(result) : fromPlain(result);
  }
  return fromPlain(
    reduceValue(graph, op, plain(graph, x), axes, keepDims === true ? keptShape : shape, keepDims === true),
  );
}

/** ReduceSum takes its axes as an input since opset 13, the others as an attribute until opset 18. */
function reduceValue(
  graph: GraphBuilder,
  op: string,
  x: Value,
  axes: readonly number[],
  shape: readonly number[],
  keepDims: boolean,
): Value {
  const sorted = [...axes].sort((a, b) => a - b);
  const keepdims = int(keepDims ? 1 : 0);
  const type = { dtype: x.dtype, shape };
  if (op === "ReduceSum") return graph.node(op, [x, graph.int64s(sorted)], type, { keepdims });
  return graph.node(op, [x], type, { keepdims, axes: ints(sorted) });
}
