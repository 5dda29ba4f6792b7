import type * as tf from "@tensorflow/tfjs-core";
import { backend_util, slice_util, util } from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import { int } from "../graph.ts";
import { type Lowering, list, need } from "../lowering.ts";
import { nchw, fromNchw, plain, fromPlain, fromSplat } from "../traced.ts";

/** Kernels that move or make elements without computing on them. */

export const Identity: Lowering = (_graph, inputs) => need(inputs, "x");

export const Reshape: Lowering<tf.ReshapeAttrs> = (graph, inputs, { shape }) => {
  const x = need(inputs, "x");
  const target = util.inferFromImplicitShape(shape, elementCount(x.shape));
  if (x.splat !== undefined) return fromSplat(x.dtype, target, x.splat);
  return fromPlain(graph.reshape(plain(graph, x), target), x.dtype);
};

export const Transpose: Lowering<tf.TransposeAttrs> = (graph, inputs, { perm }) => {
  const x = need(inputs, "x");
  return fromPlain(graph.transpose(plain(graph, x), perm), x.dtype);
};

const nchwAxis = [0, 2, 3, 1];

export const Concat: Lowering<tf.ConcatAttrs> = (graph, inputs, { axis }) => {
  const parts = list(inputs);
  const at = util.parseAxisParam(axis, [...parts[0]!.shape])[0]!;
  const filled = parts.filter((part) => elementCount(part.shape) > 0);
  if (filled.length === 1) return filled[0]!;
  const inNchw = parts.every((part) => part.home === "nchw");
  const values = filled.map((part) => (inNchw ? nchw(graph, part) : plain(graph, part)));
  const shape = backend_util.computeOutShape(
    parts.map((part) => [...part.shape]),
    at,
  );
  const type = { dtype: values[0]!.dtype, shape: inNchw ? [0, 3, 1, 2].map((i) => shape[i]!) : shape };
  const joined = graph.node("Concat", values, type, { axis: int(inNchw ? nchwAxis[at]! : at) });
  return inNchw ? fromNchw(joined) : fromPlain(joined);
};

export const Slice: Lowering<tf.SliceAttrs> = (graph, inputs, { begin, size }) => {
  const x = need(inputs, "x");
  const [starts, sizes] = slice_util.parseSliceParams(
    { shape: [...x.shape], rank: x.shape.length } as tf.Tensor,
    begin,
    size,
  ) as [number[], number[]];
  const cut = x.shape.map((_, axis) => axis).filter((axis) => starts[axis] !== 0 || sizes[axis] !== x.shape[axis]);
  if (cut.length === 0) return x;
  const inNchw = x.home === "nchw";
  const value = inNchw ? nchw(graph, x) : plain(graph, x);
  const shape = inNchw ? [0, 3, 1, 2].map((i) => sizes[i]!) : sizes;
  const result = graph.node(
    "Slice",
    [
      value,
      graph.int64s(cut.map((axis) => starts[axis]!)),
      graph.int64s(cut.map((axis) => starts[axis]! + sizes[axis]!)),
      graph.int64s(cut.map((axis) => (inNchw ? nchwAxis[axis]! : axis))),
    ],
    { dtype: value.dtype, shape },
  );
  return inNchw ? fromNchw(result, x.dtype) : fromPlain(result, x.dtype);
};

export const PadV2: Lowering<tf.PadV2Attrs> = (graph, inputs, { paddings, constantValue }) => {
  const x = plain(graph, need(inputs, "x"));
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return need(inputs, "x");
  const shape = x.shape.map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
  const pads = graph.int64s([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  return fromPlain(graph.node("Pad", [x, pads, graph.scalar(constantValue, x.dtype)], { dtype: x.dtype, shape }));
};

export const Tile: Lowering<tf.TileAttrs> = (graph, inputs, { reps }) => {
  const x = plain(graph, need(inputs, "x"));
  const shape = x.shape.map((size, axis) => size * reps[axis]!);
  return fromPlain(graph.node("Tile", [x, graph.int64s(reps)], { dtype: x.dtype, shape }));
};

export const Fill: Lowering<tf.FillAttrs> = (_graph, _inputs, { shape, value, dtype }) =>
  fromSplat(dtype ?? "float32", shape, value as number);

export const ZerosLike: Lowering = (_graph, inputs) => {
  const { dtype, shape } = need(inputs, "x");
  return fromSplat(dtype, shape, 0);
};

export const OnesLike: Lowering = (_graph, inputs) => {
  const { dtype, shape } = need(inputs, "x");
  return fromSplat(dtype, shape, 1);
};
