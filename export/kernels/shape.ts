import * as tf from "@tensorflow/tfjs-core";
import { elementCount } from "../../schemas/tensor.ts";
import type { GraphBuilder, Value } from "../builder.ts";
import { runOnCpu } from "../fold.ts";
import { int } from "../graph.ts";
import { type Lowering, list, need } from "../lowering.ts";
import { fromNchw, fromPlain, fromSplat, plain, type Traced } from "../traced.ts";
import { nchwOrder, resident } from "./layout.ts";

/** Kernels that arrange or make elements without computing on them. */

const toNhwc = [0, 2, 3, 1];

export const Identity: Lowering = (_graph, inputs) => need(inputs, "x");

function reshaped(graph: GraphBuilder, x: Traced, shape: readonly number[]): Traced {
  if (x.splat !== undefined) return fromSplat(x.dtype, shape, x.splat);
  if (shape.join() === x.shape.join()) return x;
  return fromPlain(graph.reshape(plain(graph, x), shape));
}

export const Reshape: Lowering<tf.ReshapeAttrs> = (graph, inputs, { shape }) => {
  const x = need(inputs, "x");
  return reshaped(graph, x, tf.util.inferFromImplicitShape(shape, elementCount(x.shape)));
};

export const ExpandDims: Lowering<tf.ExpandDimsAttrs> = (graph, inputs, { dim }) => {
  const x = need(inputs, "input");
  const at = dim < 0 ? dim + x.shape.length + 1 : dim;
  return reshaped(graph, x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
};

/** A tensor that exists as NCHW only is brought into the new order in one step; NCHW itself costs nothing. */
export const Transpose: Lowering<tf.TransposeAttrs> = (graph, inputs, { perm }) => {
  const x = need(inputs, "x");
  const shape = perm.map((axis) => x.shape[axis]!);
  if (x.splat !== undefined) return fromSplat(x.dtype, shape, x.splat);
  if (x.forms.plain === undefined && x.forms.nchw !== undefined) {
    const places = perm.map((axis) => nchwOrder.indexOf(axis as 0));
    return fromPlain(graph.transpose(x.forms.nchw, places));
  }
  const value = plain(graph, x);
  // The caller's own NCHW tensor, seen as NHWC: a convolution will ask for NCHW again.
  if (perm.join() === toNhwc.join()) return fromNchw(value);
  return fromPlain(graph.transpose(value, perm));
};

/** Brings all parts to the layout in which most elements are already. */
export const Concat: Lowering<tf.ConcatAttrs> = (graph, inputs, { axis }) => {
  const parts = list(inputs);
  const [at] = tf.util.parseAxisParam(axis, [...parts[0]!.shape]);
  const filled = parts.filter((part) => elementCount(part.shape) > 0);
  if (filled.length <= 1) return filled[0] ?? parts[0]!;
  const inNchw = filled.filter((part) => part.home === "nchw");
  const total = (some: readonly Traced[]): number => some.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const layout = 2 * total(inNchw) >= total(filled) && inNchw.length > 0 ? "nchw" : "plain";
  const residents = filled.map((part) => resident(graph, part, layout));
  const shape = tf.backend_util.computeOutShape(
    filled.map((part) => [...part.shape]),
    at!,
  );
  const [{ value, order, axis: axisOf, wrap }] = residents as [ReturnType<typeof resident>];
  const values = residents.map((part) => part.value);
  return wrap(graph.node("Concat", values, { dtype: value.dtype, shape: order(shape) }, { axis: int(axisOf(at!)) }));
};

export const Pack: Lowering<tf.PackAttrs> = (graph, inputs, { axis }) => {
  const values = list(inputs).map((part) => plain(graph, part));
  const { dtype, shape } = values[0]!;
  const at = axis < 0 ? axis + shape.length + 1 : axis;
  const withAxis = (size: number): number[] => [...shape.slice(0, at), size, ...shape.slice(at)];
  const parts = values.map((value) => graph.reshape(value, withAxis(1)));
  if (parts.length === 1) return fromPlain(parts[0]!);
  return fromPlain(graph.node("Concat", parts, { dtype, shape: withAxis(parts.length) }, { axis: int(at) }));
};

/** Parts of the given sizes along an axis of a value. */
function split(graph: GraphBuilder, value: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  if (sizes.length === 1) return [value];
  const types = sizes.map((size) => ({
    dtype: value.dtype,
    shape: value.shape.map((whole, i) => (i === axis ? size : whole)),
  }));
  return graph.outputsOf("Split", [value, graph.int64s(sizes)], types, { axis: int(axis) });
}

export const SplitV: Lowering<tf.SplitVAttrs> = (graph, inputs, { numOrSizeSplits, axis }) => {
  const x = need(inputs, "x");
  const [at] = tf.util.parseAxisParam(axis, [...x.shape]);
  const info = { shape: [...x.shape] } as tf.Tensor;
  const sizes = tf.backend_util.prepareSplitSize(info, numOrSizeSplits, at!);
  const { value, axis: axisOf, wrap } = resident(graph, x);
  return split(graph, value, axisOf(at!), sizes).map(wrap);
};

export const Unpack: Lowering<tf.UnpackAttrs> = (graph, inputs, { axis }) => {
  const x = need(inputs, "value");
  const [at] = tf.util.parseAxisParam(axis, [...x.shape]);
  const count = x.shape[at!]!;
  const shape = x.shape.filter((_, i) => i !== at);
  const parts = split(graph, plain(graph, x), at!, new Array<number>(count).fill(1));
  return parts.map((part) => fromPlain(graph.reshape(part, shape)));
};

export const Tile: Lowering<tf.TileAttrs> = (graph, inputs, { reps }) => {
  const x = need(inputs, "x");
  const shape = x.shape.map((size, axis) => size * reps[axis]!);
  if (x.splat !== undefined) return fromSplat(x.dtype, shape, x.splat);
  if (reps.every((times) => times === 1)) return x;
  const { value, order, wrap } = resident(graph, x);
  const type = { dtype: value.dtype, shape: order(shape) };
  return wrap(graph.node("Tile", [value, graph.int64s(order(reps))], type));
};

export const Fill: Lowering<tf.FillAttrs> = (_graph, _inputs, { shape, value, dtype }) => {
  if (typeof value === "string")
    throw new TypeError("Cannot trace the kernel Fill: value must be a number, got a string");
  return fromSplat(dtype ?? "float32", shape, value);
};

export const ZerosLike: Lowering = (_graph, inputs) => {
  const { dtype, shape } = need(inputs, "x");
  return fromSplat(dtype, shape, 0);
};

export const OnesLike: Lowering = (_graph, inputs) => {
  const { dtype, shape } = need(inputs, "x");
  return fromSplat(dtype, shape, 1);
};

/** Their arguments are numbers: always a constant. */
export const Range: Lowering<tf.RangeAttrs> = (_graph, _inputs, attrs) => runOnCpu("Range", {}, { ...attrs });
export const LinSpace: Lowering<tf.LinSpaceAttrs> = (_graph, _inputs, attrs) => runOnCpu("LinSpace", {}, { ...attrs });
