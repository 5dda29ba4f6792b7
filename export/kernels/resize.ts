import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, nchw, type Traced } from "../traced.ts";

/**
 * Resizing is linear and separable: with one matrix for rows and one for columns, both known while tracing, it is
 * rows * image * columns^T, and its gradient rows^T * dy * columns. tfjs's own gradient kernels ignore
 * halfPixelCenters, and its bilinear one answers with height and width swapped.
 */

type ResizeAttrs = Pick<tf.ResizeBilinearAttrs, "alignCorners" | "halfPixelCenters">;

/** Input pixels that one output pixel is made of along an axis, and their weights. */
type Taps = readonly (readonly [index: number, weight: number])[];

/** Taps at `position`, measured in input pixels. */
type Method = (position: number, length: number, attrs: ResizeAttrs) => Taps;

export const ResizeBilinear: Lowering<tf.ResizeBilinearAttrs> = (graph, inputs, attrs) => {
  const images = need(inputs, "images");
  const [rows, columns] = matrices(graph, images, attrs.size, attrs, bilinear);
  return product(graph, rows, images, turned(graph, columns));
};

export const ResizeBilinearGrad: Lowering<ResizeAttrs> = (graph, inputs, attrs) =>
  gradient(graph, need(inputs, "dy"), need(inputs, "images"), attrs, bilinear);

/** Picks rows, then columns: exact, for any dtype. */
export const ResizeNearestNeighbor: Lowering<tf.ResizeNearestNeighborAttrs> = (graph, inputs, attrs) => {
  const images = need(inputs, "images");
  const pick = (value: Value, axis: 2 | 3): Value => {
    const taps = tapsAlong(value.shape[axis]!, attrs.size[axis - 2]!, attrs, nearest);
    const indices = graph.int64s(taps.map(([tap]) => tap![0]));
    const shape = value.shape.map((size, i) => (i === axis ? taps.length : size));
    return graph.node("Gather", [value, indices], { dtype: value.dtype, shape }, { axis: int(axis) });
  };
  return fromNchw(pick(pick(nchw(graph, images), 2), 3), images.dtype);
};

export const ResizeNearestNeighborGrad: Lowering<ResizeAttrs> = (graph, inputs, attrs) =>
  gradient(graph, need(inputs, "dy"), need(inputs, "images"), attrs, nearest);

function gradient(graph: GraphBuilder, dy: Traced, images: Traced, attrs: ResizeAttrs, method: Method): Traced {
  const [rows, columns] = matrices(graph, images, dy.shape.slice(1, 3), attrs, method);
  return product(graph, turned(graph, rows), dy, columns);
}

const bilinear: Method = (position, length, { halfPixelCenters }) => {
  const source = halfPixelCenters ? position - 0.5 : position;
  const low = Math.max(0, Math.floor(source));
  const high = Math.max(0, Math.min(length - 1, Math.ceil(source)));
  return [
    [low, 1 - (source - low)],
    [high, source - low],
  ];
};

const nearest: Method = (position, length, { alignCorners }) => [
  [Math.min(length - 1, alignCorners ? Math.round(position) : Math.floor(position)), 1],
];

function tapsAlong(length: number, outLength: number, attrs: ResizeAttrs, method: Method): Taps[] {
  const isAligned = attrs.alignCorners && outLength > 1;
  const ratio = isAligned ? (length - 1) / (outLength - 1) : length / outLength;
  const offset = attrs.halfPixelCenters ? 0.5 : 0;
  return Array.from({ length: outLength }, (_, i) => method(ratio * (i + offset), length, attrs));
}

/** [out height, height] and [out width, width] */
function matrices(
  graph: GraphBuilder,
  images: Traced,
  size: readonly number[],
  attrs: ResizeAttrs,
  method: Method,
): [Value, Value] {
  const along = (axis: 1 | 2): Value => {
    const length = images.shape[axis]!;
    const taps = tapsAlong(length, size[axis - 1]!, attrs, method);
    const data = new Float32Array(taps.length * length);
    for (const [row, entries] of taps.entries()) {
      for (const [column, weight] of entries) data[row * length + column]! += weight;
    }
    return graph.constant({ dtype: "float32", shape: [taps.length, length], data });
  };
  return [along(1), along(2)];
}

const turned = (graph: GraphBuilder, matrix: Value): Value => graph.transpose(matrix, [1, 0]);

/** left * x * right for every image and channel. */
function product(graph: GraphBuilder, left: Value, x: Traced, right: Value): Traced {
  const value = nchw(graph, x);
  const [batch, channels, , width] = value.shape as [number, number, number, number];
  const height = left.shape[0]!;
  const tall = graph.node("MatMul", [left, value], { dtype: "float32", shape: [batch, channels, height, width] });
  const shape = [batch, channels, height, right.shape[1]!];
  return fromNchw(graph.node("MatMul", [tall, right], { dtype: "float32", shape }));
}
