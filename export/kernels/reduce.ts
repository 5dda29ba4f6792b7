import * as tf from "@tensorflow/tfjs-core";
import type { Dtype } from "../../schemas/tensor.ts";
import type { GraphBuilder, Value } from "../builder.ts";
import { int, ints } from "../graph.ts";
import { fromNchw, fromPlain, nchw, onnxDtype, plain, type Traced } from "../traced.ts";
import { mapElements } from "./elementwise.ts";
import { nchwOrder } from "./layout.ts";

export interface ReductionAttrs {
  readonly axis: number | number[];
  readonly keepDims?: boolean;
}

export interface Reduction extends ReductionAttrs {
  /** Dtype to compute in, where ONNX has no operator for the input's. */
  readonly computeIn: Dtype;
  /** Dtype of the result. */
  readonly result: Dtype;
}

/** Records one node that reduces the axes of `x` away, or to 1. */
type RecordReduction = (x: Value, axes: readonly number[], shape: readonly number[], keepDims: boolean) => Value;

/**
 * Reduces `x` in the layout that it has. What is left of an NCHW tensor is brought back into tfjs's order of axes,
 * which is a smaller transpose than one before the reduction.
 */
export function reduceAxes(
  graph: GraphBuilder,
  x: Traced,
  { axis, keepDims = false }: ReductionAttrs,
  record: RecordReduction,
): Traced {
  const axes = tf.util.parseAxisParam(axis, [...x.shape]).sort((a, b) => a - b);
  const size = (i: number): number => x.shape[i]!;
  if (x.home === "nchw") {
    const places = axes.map((i) => nchwOrder.indexOf(i as 0)).sort((a, b) => a - b);
    if (keepDims) {
      const shape = nchwOrder.map((i) => (axes.includes(i) ? 1 : size(i)));
      return fromNchw(record(nchw(graph, x), places, shape, true));
    }
    const kept = nchwOrder.filter((i) => !axes.includes(i));
    const result = record(nchw(graph, x), places, kept.map(size), false);
    const sorted = [...kept].sort((a, b) => a - b);
    return fromPlain(
      graph.transpose(
        result,
        sorted.map((i) => kept.indexOf(i)),
      ),
    );
  }
  const [shape] = tf.backend_util.computeOutAndReduceShapes([...x.shape], axes);
  const outShape = keepDims ? tf.backend_util.expandShapeToKeepDim(shape, axes) : shape;
  return fromPlain(record(plain(graph, x), axes, outShape, keepDims));
}

/** Reduces with an operator of the family ReduceSum, ReduceMean, ... */
export function reduce(graph: GraphBuilder, op: string, x: Traced, reduction: Reduction): Traced {
  const { computeIn, result } = reduction;
  if (x.shape.length === 0 || tf.util.parseAxisParam(reduction.axis, [...x.shape]).length === 0) {
    return onnxDtype(x.dtype) === result ? x : mapElements(graph, x, (value) => graph.cast(value, result));
  }
  return reduceAxes(graph, x, reduction, (value, axes, shape, keepDims) => {
    const type = { dtype: computeIn, shape };
    const operand = graph.cast(value, computeIn);
    const keepdims = int(keepDims ? 1 : 0);
    // ReduceSum takes its axes as an input since opset 13, the others as an attribute until opset 18.
    const reduced =
      op === "ReduceSum"
        ? graph.node(op, [operand, graph.int64s(axes)], type, { keepdims })
        : graph.node(op, [operand], type, { keepdims, axes: ints(axes) });
    return graph.cast(reduced, result);
  });
}
