import * as tf from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromPlain, fromSplat, plain } from "../traced.ts";
import { resident } from "./layout.ts";
import { cut } from "./slices.ts";

/** Kernels that take a part of a tensor, or put a border around it. */

/** An end before every start, for a slice that runs backwards up to and including the first entry. */
const beforeFirst = -(2 ** 31);

export const Slice: Lowering<tf.SliceAttrs> = (graph, inputs, { begin, size }) => {
  const x = need(inputs, "x");
  const info = { shape: [...x.shape], rank: x.shape.length } as tf.Tensor;
  const [starts, sizes] = tf.slice_util.parseSliceParams(info, begin, size) as [number[], number[]];
  if (x.splat !== undefined) return fromSplat(x.dtype, sizes, x.splat);
  const axes = x.shape.map((_, axis) => axis).filter((axis) => sizes[axis] !== x.shape[axis]);
  const { value, axis: axisOf, wrap } = resident(graph, x);
  const cuts = axes.map((axis) => ({ axis: axisOf(axis), start: starts[axis]!, size: sizes[axis]! }));
  return cuts.length === 0 ? x : wrap(cut(graph, value, cuts));
};

export const StridedSlice: Lowering<tf.StridedSliceAttrs> = (graph, inputs, attrs) => {
  const x = need(inputs, "x");
  const { finalShape, begin, end, strides } = tf.slice_util.sliceInfo(
    [...x.shape],
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  if (elementCount(finalShape) === 0) return fromSplat(x.dtype, finalShape, 0);
  const all = x.shape.map((_, axis) => axis);
  const axes = all.filter((axis) => begin[axis] !== 0 || end[axis] !== x.shape[axis] || strides[axis] !== 1);
  const value = plain(graph, x);
  if (axes.length === 0) return fromPlain(graph.reshape(value, finalShape));
  const pick = (values: readonly number[]) => graph.int64s(axes.map((axis) => values[axis]!));
  const ends = end.map((stop, axis) => (strides[axis]! < 0 && stop < 0 ? beforeFirst : stop));
  const sliced = graph.node("Slice", [value, pick(begin), pick(ends), graph.int64s(axes), pick(strides)], {
    dtype: value.dtype,
    shape: tf.slice_util.computeOutShape(begin, end, strides),
  });
  return fromPlain(graph.reshape(sliced, finalShape));
};

export const Reverse: Lowering<tf.ReverseAttrs> = (graph, inputs, { dims }) => {
  const x = need(inputs, "x");
  const axes = tf.util.parseAxisParam(dims, [...x.shape]);
  if (axes.length === 0 || x.splat !== undefined) return x;
  const { value, axis: axisOf, wrap } = resident(graph, x);
  const each = (entry: number) => graph.int64s(axes.map(() => entry));
  const operands = [value, each(-1), each(beforeFirst), graph.int64s(axes.map(axisOf)), each(-1)];
  return wrap(graph.node("Slice", operands, { dtype: value.dtype, shape: value.shape }));
};

export const PadV2: Lowering<tf.PadV2Attrs> = (graph, inputs, { paddings, constantValue }) => {
  const x = need(inputs, "x");
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  const shape = x.shape.map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
  if (elementCount(x.shape) === 0) return fromSplat(x.dtype, shape, constantValue);
  const { value, order, wrap } = resident(graph, x);
  const ordered = order(paddings);
  const pads = graph.int64s([...ordered.map(([before]) => before), ...ordered.map(([, after]) => after)]);
  const type = { dtype: value.dtype, shape: order(shape) };
  return wrap(graph.node("Pad", [value, pads, graph.scalar(constantValue, value.dtype)], type));
};
