import type { GraphBuilder, Value } from "../builder.ts";
import { int, ints } from "../graph.ts";
import { nchw, plain, type Traced } from "../traced.ts";
import { pads, unseen, type Window } from "./windows.ts";

/**
 * Gradient of a convolution to its filter, two ways. Both give [height, width, in, out].
 *
 * Measured on 2 cores, 16 images 32x32x32, filter 4x4 stride 2: the dilated convolution runs at 20 GFLOP/s, the matrix
 * products at 57 (a Conv forward: 106).
 */
export function filterGradient(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const blocks = Math.ceil(Math.max(window.filterHeight, window.filterWidth) / window.strideHeight);
  const square =
    window.strideHeight === window.strideWidth && window.dilationHeight === 1 && window.dilationWidth === 1;
  return square && blocks * blocks <= 16
    ? byMatrixProducts(graph, x, dy, window)
    : byDilatedConvolution(graph, x, dy, window);
}

/**
 * Cuts x into stride x stride cells, so that every position of the filter inside a cell becomes a channel (not by
 * SpaceToDepth, which is no faster and which ONNX Runtime's WebGPU provider leaves to the CPU).
 * What is left of the convolution has stride 1 and few positions: for each of them one product of the shifted cells,
 * [pixels, cell channels] transposed, with dy, [pixels, out].
 */
function byMatrixProducts(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const { batchSize, inChannels, outChannels, outHeight, outWidth, strideHeight: stride } = window;
  const rows = Math.ceil(window.filterHeight / stride);
  const columns = Math.ceil(window.filterWidth / stride);
  const [height, width] = [outHeight + rows - 1, outWidth + columns - 1];
  const cellChannels = stride * stride * inChannels;

  const { top, left } = window.padInfo;
  const padded = padNchw(graph, nchw(graph, x), {
    before: [top, left],
    after: [stride * height - window.inHeight - top, stride * width - window.inWidth - left],
  });
  const nhwc = graph.transpose(padded, [0, 2, 3, 1]);
  const rowsApart = (): Value => graph.reshape(nhwc, [batchSize, height, stride, width, stride * inChannels]);
  const cellsNhwc =
    stride === 1
      ? nhwc
      : graph.reshape(graph.transpose(rowsApart(), [0, 1, 3, 2, 4]), [batchSize, height, width, cellChannels]);
  const pixels = batchSize * outHeight * outWidth;
  const shifted = Array.from({ length: rows * columns }, (_, position): Value => {
    const [i, j] = [Math.floor(position / columns), position % columns];
    const shape = [batchSize, outHeight, outWidth, cellChannels];
    const isWhole = rows === 1 && columns === 1;
    return isWhole
      ? cellsNhwc
      : graph.node(
          "Slice",
          [cellsNhwc, graph.int64s([i, j]), graph.int64s([i + outHeight, j + outWidth]), graph.int64s([1, 2])],
          { dtype: "float32", shape },
        );
  });
  const gradients = graph.reshape(plain(graph, dy), [pixels, outChannels]);
  const product = (cell: Value): Value => {
    const channels = cell.shape[3]!;
    const matrix = graph.reshape(cell, [pixels, channels]);
    return graph.node(
      "Gemm",
      [matrix, gradients],
      { dtype: "float32", shape: [channels, outChannels] },
      { transA: int(1), transB: int(0) },
    );
  };
  // Few channels make thin products: join them first (3 channels: 48 GFLOP/s instead of 33).
  const joinFirst = cellChannels < 64;
  const concat = (values: readonly Value[], axis: number): Value => {
    if (values.length === 1) return values[0]!;
    const shape = values[0]!.shape.map((size, a) => (a === axis ? size * values.length : size));
    return graph.node("Concat", values, { dtype: "float32", shape }, { axis: int(axis) });
  };
  const stacked = joinFirst ? product(concat(shifted, 3)) : concat(shifted.map(product), 0);
  // (row, column, row in cell, column in cell, in, out) to (height, width, in, out)
  const split = graph.reshape(stacked, [rows, columns, stride, stride, inChannels, outChannels]);
  const filter = graph.reshape(graph.transpose(split, [0, 2, 1, 3, 4, 5]), [
    rows * stride,
    columns * stride,
    inChannels,
    outChannels,
  ]);
  return cutTo(graph, filter, { axes: [0, 1], sizes: [window.filterHeight, window.filterWidth] });
}

/**
 * A convolution of x with dy in which batch and channels change places, stride and dilation too. It comes out larger
 * than the filter where the stride leaves input rows over; those are cut off.
 */
function byDilatedConvolution(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const images = graph.transpose(nchw(graph, x), [1, 0, 2, 3]);
  const kernels = graph.transpose(nchw(graph, dy), [1, 0, 2, 3]);
  const [rows, columns] = unseen(window);
  const { inChannels, outChannels, filterHeight, filterWidth } = window;
  const result = graph.node(
    "Conv",
    [images, kernels],
    { dtype: "float32", shape: [inChannels, outChannels, filterHeight + rows, filterWidth + columns] },
    {
      pads: ints(pads(window)),
      strides: ints([window.dilationHeight, window.dilationWidth]),
      dilations: ints([window.strideHeight, window.strideWidth]),
    },
  );
  const cut = cutTo(graph, result, { axes: [2, 3], sizes: [filterHeight, filterWidth] });
  return graph.transpose(cut, [2, 3, 0, 1]);
}

interface Margins {
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
}

/** Adds zeros around the last two axes; a negative margin cuts off. */
function padNchw(graph: GraphBuilder, x: Value, { before, after }: Margins): Value {
  if ([...before, ...after].every((n) => n === 0)) return x;
  const shape = [x.shape[0]!, x.shape[1]!, x.shape[2]! + before[0] + after[0], x.shape[3]! + before[1] + after[1]];
  const pads = graph.int64s([0, 0, ...before, 0, 0, ...after]);
  return graph.node("Pad", [x, pads], { dtype: x.dtype, shape });
}

function cutTo(
  graph: GraphBuilder,
  x: Value,
  { axes, sizes }: { axes: readonly number[]; sizes: readonly number[] },
): Value {
  if (axes.every((axis, i) => x.shape[axis] === sizes[i])) return x;
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? sizes[axes.indexOf(axis)]! : size));
  const zeros = graph.int64s(axes.map(() => 0));
  return graph.node("Slice", [x, zeros, graph.int64s(sizes), graph.int64s(axes)], { dtype: x.dtype, shape });
}
