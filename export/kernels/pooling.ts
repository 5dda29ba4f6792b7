import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { type Attributes, int, ints } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, nchw } from "../traced.ts";
import {
  inNchw,
  outNchw,
  pads,
  poolingWindow,
  requireGradientSize,
  unseen,
  type Window,
  windowAttributes,
} from "./windows.ts";

/** Poolings over windows of [batch, height, width, channels]. Padding is never counted: not as a maximum, not in a mean. */

function poolAttributes(window: Window): Attributes {
  return {
    pads: ints(pads(window)),
    strides: ints([window.strideHeight, window.strideWidth]),
    kernel_shape: ints([window.filterHeight, window.filterWidth]),
  };
}

export const MaxPool: Lowering<tf.MaxPoolAttrs> = (graph, inputs, attrs) => {
  const x = need(inputs, "x");
  const window = poolingWindow(x, attrs);
  const type = { dtype: "float32", shape: outNchw(window) } as const;
  return fromNchw(graph.node("MaxPool", [nchw(graph, x)], type, poolAttributes(window)));
};

/**
 * ONNX has no gradient of MaxPool, and WebGPU no MaxPool that says where a maximum was. So the windows are laid out as
 * planes, one per pixel of the window; the first plane that holds the maximum (of equals the first, as in tfjs)
 * receives dy; and a transposed convolution with one pixel per plane puts the planes back into the image.
 */
export const MaxPoolGrad: Lowering<tf.MaxPoolGradAttrs> = (graph, inputs, attrs) => {
  const [dy, x] = [need(inputs, "dy"), need(inputs, "input")];
  const window = poolingWindow(x, attrs);
  requireGradientSize("MaxPoolGrad", window, dy);
  const { outHeight, outWidth, filterHeight, filterWidth, inHeight, inWidth } = window;
  const images = window.batchSize * window.inChannels;
  const planes = windowPlanes(graph, graph.reshape(nchw(graph, x), [images, 1, inHeight, inWidth]), window);
  const shape = planes.shape;
  const count = filterHeight * filterWidth;

  const maximumOf = (value: Value): Value =>
    graph.node(
      "ReduceMax",
      [value],
      { dtype: "float32", shape: [images, 1, outHeight, outWidth] },
      { axes: ints([1]) },
    );
  const isMaximum = graph.node("Equal", [planes, maximumOf(planes)], { dtype: "bool", shape });
  // Counts down, so that the largest number among the maxima is the first plane's.
  const order = Float32Array.from({ length: count }, (_, i) => count - i);
  const ranks = graph.node(
    "Mul",
    [graph.cast(isMaximum, "float32"), graph.constant({ dtype: "float32", shape: [1, count, 1, 1], data: order })],
    { dtype: "float32", shape },
  );
  const isFirst = graph.node("Equal", [ranks, maximumOf(ranks)], { dtype: "bool", shape });
  const received = graph.node(
    "Where",
    [isFirst, graph.reshape(nchw(graph, dy), [images, 1, outHeight, outWidth]), graph.scalar(0)],
    { dtype: "float32", shape },
  );
  const pixels = new Float32Array(count * count);
  for (let i = 0; i < count; i++) pixels[i * count + i] = 1;
  const result = graph.node(
    "ConvTranspose",
    [received, graph.constant({ dtype: "float32", shape: [count, 1, filterHeight, filterWidth], data: pixels })],
    { dtype: "float32", shape: [images, 1, inHeight, inWidth] },
    { ...windowAttributes(window), output_padding: ints(unseen(window)) },
  );
  return fromNchw(graph.reshape(result, inNchw(window)));
};

const lowest = -3.4028234663852886e38; // of float32: padding is never a maximum

/** [images, 1, height, width] to [images, pixels of the window, windows down, windows across]. */
function windowPlanes(graph: GraphBuilder, x: Value, window: Window): Value {
  const { outHeight, outWidth, strideHeight, strideWidth, filterHeight, filterWidth } = window;
  const [top, left, bottom, right] = pads(window);
  const [images, , height, width] = x.shape as [number, number, number, number];
  let padded = x;
  if (top + left + bottom + right > 0) {
    const shape = [images, 1, height + top + bottom, width + left + right];
    const padding = graph.int64s([0, 0, top, left, 0, 0, bottom, right]);
    padded = graph.node("Pad", [x, padding, graph.scalar(lowest)], { dtype: "float32", shape });
  }
  const planes = Array.from({ length: filterHeight * filterWidth }, (_, i) => {
    const [row, column] = [Math.floor(i / filterWidth), i % filterWidth];
    const ends = [row + strideHeight * (outHeight - 1) + 1, column + strideWidth * (outWidth - 1) + 1];
    return graph.node(
      "Slice",
      [
        padded,
        graph.int64s([row, column]),
        graph.int64s(ends),
        graph.int64s([2, 3]),
        graph.int64s([strideHeight, strideWidth]),
      ],
      { dtype: "float32", shape: [images, 1, outHeight, outWidth] },
    );
  });
  const shape = [images, planes.length, outHeight, outWidth];
  return graph.node("Concat", planes, { dtype: "float32", shape }, { axis: int(1) });
}

export const AvgPool: Lowering<tf.AvgPoolAttrs> = (graph, inputs, attrs) => {
  const x = need(inputs, "x");
  const window = poolingWindow(x, attrs);
  const type = { dtype: "float32", shape: outNchw(window) } as const;
  return fromNchw(graph.node("AveragePool", [nchw(graph, x)], type, poolAttributes(window)));
};

/**
 * Every pixel receives dy / count of each window that it is in. The count is that of the forward pass, without
 * padding; tfjs's own cpu kernel divides by the full window at the borders too, which is not the gradient.
 */
export const AvgPoolGrad: Lowering<tf.AvgPoolGradAttrs> = (graph, inputs, attrs) => {
  const [dy, x] = [need(inputs, "dy"), need(inputs, "input")];
  const window = poolingWindow(x, attrs);
  requireGradientSize("AvgPoolGrad", window, dy);
  const { inChannels, outHeight, outWidth, filterHeight, filterWidth } = window;
  const shares = graph.constant({ dtype: "float32", shape: [1, 1, outHeight, outWidth], data: sharesOf(window) });
  const given = graph.node("Mul", [nchw(graph, dy), shares], { dtype: "float32", shape: outNchw(window) });
  const ones = new Float32Array(inChannels * filterHeight * filterWidth).fill(1);
  const result = graph.node(
    "ConvTranspose",
    [given, graph.constant({ dtype: "float32", shape: [inChannels, 1, filterHeight, filterWidth], data: ones })],
    { dtype: "float32", shape: inNchw(window) },
    { ...windowAttributes(window), output_padding: ints(unseen(window)), group: int(inChannels) },
  );
  return fromNchw(result);
};

/** 1 / number of pixels in each window, [outHeight, outWidth]. */
function sharesOf(window: Window): Float32Array<ArrayBuffer> {
  const rows = counts(window.outHeight, window.strideHeight, window.filterHeight, window.padInfo.top, window.inHeight);
  const columns = counts(window.outWidth, window.strideWidth, window.filterWidth, window.padInfo.left, window.inWidth);
  return Float32Array.from(rows.flatMap((height) => columns.map((width) => 1 / (height * width))));
}

function counts(windows: number, stride: number, size: number, before: number, length: number): number[] {
  return Array.from({ length: windows }, (_, i) => {
    const start = i * stride - before;
    return Math.min(start + size, length) - Math.max(start, 0);
  });
}
