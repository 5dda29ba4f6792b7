import * as tf from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import type { GraphBuilder, Value } from "../builder.ts";
import { int, string } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromKnown, fromPlain, fromSplat, onnxDtype, plain, type Traced } from "../traced.ts";
import { apply, where } from "./elementwise.ts";
import { resident } from "./layout.ts";
import { cut } from "./slices.ts";

/** Kernels that pick or place entries by number. An index out of range fails when the graph runs. */

export const GatherV2: Lowering<tf.GatherV2Attrs> = (graph, inputs, { axis, batchDims = 0 }) => {
  const [x, indices] = [need(inputs, "x"), need(inputs, "indices")];
  if (batchDims !== 0) {
    throw new Error(
      `Cannot trace the kernel GatherV2: batchDims must be 0, got ${batchDims}; multiply with tf.oneHot of the indices instead`,
    );
  }
  const [at] = tf.util.parseAxisParam(axis, [...x.shape]) as [number];
  const { value, axis: axisOf, wrap, order } = resident(graph, x, indices.shape.length === 1 ? x.home : "plain");
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  const type = { dtype: value.dtype, shape: shape.length === x.shape.length ? order(shape) : shape };
  return wrap(graph.node("Gather", [value, plain(graph, indices)], type, { axis: int(axisOf(at)) }));
};

export const GatherNd: Lowering = (graph, inputs) => {
  const [params, indices] = [need(inputs, "params"), need(inputs, "indices")];
  const depth = indices.shape.at(-1)!;
  const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
  const value = plain(graph, params);
  return fromPlain(
    graph.node("GatherND", [value, graph.cast(plain(graph, indices), "int64")], { dtype: value.dtype, shape }),
  );
};

/** Adds `updates` into `target` at `indices` [.., depth]; the sum of all that go to the same place. */
function scatterAdd(graph: GraphBuilder, target: Value, indices: Value, updates: Value): Value {
  const { dtype, shape } = target;
  const places = graph.cast(indices, "int64");
  return graph.node("ScatterND", [target, places, updates], { dtype, shape }, { reduction: string("add") });
}

export const ScatterNd: Lowering<tf.ScatterNdAttrs> = (graph, inputs, { shape }) => {
  const [indices, updates] = [plain(graph, need(inputs, "indices")), need(inputs, "updates")];
  const zeros = plain(graph, fromSplat(updates.dtype, shape, 0));
  const rows = indices.shape.slice(0, -1);
  const depth = indices.shape.length > 1 ? indices.shape.at(-1)! : 1;
  const places = indices.shape.length > 1 ? indices : graph.reshape(indices, [indices.shape[0]!, 1]);
  const full = [...(indices.shape.length > 1 ? rows : indices.shape), ...shape.slice(depth)];
  const spread = updates.shape.length === 0 ? fromSpread(graph, updates, full) : plain(graph, updates);
  return fromPlain(scatterAdd(graph, zeros, places, spread));
};

function fromSpread(graph: GraphBuilder, x: Traced, shape: readonly number[]): Value {
  const value = plain(graph, x);
  return graph.node("Expand", [value, graph.int64s(shape)], { dtype: value.dtype, shape });
}

export const TensorScatterUpdate: Lowering = (graph, inputs) => {
  const [tensor, indices] = [plain(graph, need(inputs, "tensor")), plain(graph, need(inputs, "indices"))];
  const updates = plain(graph, need(inputs, "updates"));
  const { dtype, shape } = tensor;
  return fromPlain(graph.node("ScatterND", [tensor, graph.cast(indices, "int64"), updates], { dtype, shape }));
};

/**
 * Row s of the result is the sum of the rows of x whose id is s; rows with an id outside [0, numSegments) are dropped.
 * The gradient of gather. Such rows go to one row more, which is cut off.
 */
export const UnsortedSegmentSum: Lowering<tf.UnsortedSegmentSumAttrs> = (graph, inputs, { numSegments }) => {
  const [x, segmentIds] = [need(inputs, "x"), need(inputs, "segmentIds")];
  const rest = x.shape.slice(segmentIds.shape.length);
  const rows = elementCount(segmentIds.shape);
  const ids = graph.reshape(plain(graph, segmentIds), [rows, 1]);
  const isLow = apply(graph, "Less", [ids, graph.scalar(0, "int32")], "bool");
  const isHigh = apply(graph, "Greater", [ids, graph.scalar(numSegments - 1, "int32")], "bool");
  const places = where(graph, apply(graph, "Or", [isLow, isHigh]), graph.scalar(numSegments, "int32"), ids);
  const dtype = x.dtype === "float32" ? "float32" : "int32";
  const zeros = plain(graph, fromSplat(dtype, [numSegments + 1, ...rest], 0));
  const values = graph.cast(graph.reshape(plain(graph, x), [rows, ...rest]), dtype);
  return fromPlain(cut(graph, scatterAdd(graph, zeros, places, values), [{ axis: 0, start: 0, size: numSegments }]));
};

/** An index outside [0, depth) gives a row of `offValue`; ONNX's own OneHot would count negative ones from the end. */
export const OneHot: Lowering<tf.OneHotAttrs> = (graph, inputs, { dtype, depth, onValue, offValue }) => {
  const indices = plain(graph, need(inputs, "indices"));
  const column = graph.reshape(indices, [...indices.shape, 1]);
  const classes = plain(
    graph,
    fromKnown(
      "int32",
      [depth],
      Array.from({ length: depth }, (_, i) => i),
    ),
  );
  const isHere = apply(graph, "Equal", [column, classes], "bool");
  const type = onnxDtype(dtype);
  if (onValue === 1 && offValue === 0) return fromPlain(graph.cast(isHere, type));
  return fromPlain(where(graph, isHere, graph.scalar(onValue, type), graph.scalar(offValue, type)));
};

/** The k largest along the last axis and where they are; of equal values the first. */
export const TopK: Lowering<tf.TopKAttrs> = (graph, inputs, { k, sorted }) => {
  const x = plain(graph, need(inputs, "x"));
  const shape = [...x.shape.slice(0, -1), k];
  const [values, indices] = graph.outputsOf(
    "TopK",
    [x, graph.int64s([k])],
    [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ],
    { axis: int(-1), largest: int(1), sorted: int(sorted ? 1 : 0) },
  ) as [Value, Value];
  return [fromPlain(values), fromPlain(graph.cast(indices, "int32"))];
};

/** x on the diagonal of [...x.shape, ...x.shape]. */
export const Diag: Lowering = (graph, inputs) => {
  const x = plain(graph, need(inputs, "x"));
  const size = elementCount(x.shape);
  const numbers = plain(
    graph,
    fromKnown(
      "int32",
      [size],
      Array.from({ length: size }, (_, i) => i),
    ),
  );
  const isDiagonal = apply(graph, "Equal", [graph.reshape(numbers, [size, 1]), numbers], "bool");
  const zero = graph.scalar(0, x.dtype);
  const square = where(graph, isDiagonal, graph.reshape(x, [size]), zero);
  return fromPlain(graph.reshape(square, [...x.shape, ...x.shape]));
};
