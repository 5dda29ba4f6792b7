import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { int, ints } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, fromPlain, nchw, plain, type Traced } from "../traced.ts";
import { convolutionWindow, inNchw, outNchw, pads, requireGradientSize, unseen, windowAttributes } from "./windows.ts";

/**
 * Depthwise convolutions: ONNX convolutions of one group per input channel. tfjs: filters [height, width, channels,
 * multiplier], result channel `channel * multiplier + m`. ONNX: filters [channels * multiplier, 1, height, width].
 */

function groupedFilter(graph: GraphBuilder, filter: Traced): Value {
  const [height, width, channels, multiplier] = filter.shape as [number, number, number, number];
  const leading = graph.transpose(plain(graph, filter), [2, 3, 0, 1]);
  return graph.reshape(leading, [channels * multiplier, 1, height, width]);
}

export const DepthwiseConv2dNative: Lowering<tf.DepthwiseConv2dNativeAttrs> = (graph, inputs, attrs) => {
  const [x, filter] = [need(inputs, "x"), need(inputs, "filter")];
  const window = convolutionWindow(x.shape, filter.shape, attrs, true);
  const result = graph.node(
    "Conv",
    [nchw(graph, x), groupedFilter(graph, filter)],
    { dtype: "float32", shape: outNchw(window) },
    { ...windowAttributes(window), group: int(window.inChannels) },
  );
  return fromNchw(result);
};

/**
 * One group per channel of dy, and a sum over those that belong to the same channel of x: the WebGPU provider of
 * ONNX Runtime 1.30 computes a ConvTranspose wrongly where groups have several input channels (depthwise.test.ts).
 */
export const DepthwiseConv2dNativeBackpropInput: Lowering<tf.DepthwiseConv2dNativeBackpropInputAttrs> = (
  graph,
  inputs,
  attrs,
) => {
  const [dy, filter] = [need(inputs, "dy"), need(inputs, "filter")];
  const window = convolutionWindow(attrs.inputShape, filter.shape, attrs, true);
  requireGradientSize("DepthwiseConv2dNativeBackpropInput", window, dy);
  const { batchSize, inChannels, outChannels, inHeight, inWidth } = window;
  const perFilter = graph.node(
    "ConvTranspose",
    [nchw(graph, dy), groupedFilter(graph, filter)],
    { dtype: "float32", shape: [batchSize, outChannels, inHeight, inWidth] },
    { ...windowAttributes(window), output_padding: ints(unseen(window)), group: int(outChannels) },
  );
  if (outChannels === inChannels) return fromNchw(perFilter);
  const perChannel = graph.reshape(perFilter, [batchSize, inChannels, outChannels / inChannels, inHeight, inWidth]);
  const type = { dtype: "float32", shape: inNchw(window) } as const;
  return fromNchw(graph.node("ReduceSum", [perChannel, graph.int64s([2])], type, { keepdims: int(0) }));
};

/** As Conv2DBackpropFilter, one group per channel: the batch is the group's input channels. */
export const DepthwiseConv2dNativeBackpropFilter: Lowering<tf.DepthwiseConv2dNativeBackpropFilterAttrs> = (
  graph,
  inputs,
  attrs,
) => {
  const [x, dy] = [need(inputs, "x"), need(inputs, "dy")];
  const window = convolutionWindow(x.shape, attrs.filterShape, attrs, true);
  requireGradientSize("DepthwiseConv2dNativeBackpropFilter", window, dy);
  const { batchSize, inChannels, outChannels, inHeight, inWidth, filterHeight, filterWidth } = window;
  const images = graph.transpose(nchw(graph, x), [1, 0, 2, 3]);
  const [rows, columns] = unseen(window);
  let result = graph.node(
    "Conv",
    [
      graph.reshape(images, [1, inChannels * batchSize, inHeight, inWidth]),
      graph.transpose(nchw(graph, dy), [1, 0, 2, 3]),
    ],
    { dtype: "float32", shape: [1, outChannels, filterHeight + rows, filterWidth + columns] },
    {
      pads: ints(pads(window)),
      strides: ints([1, 1]),
      dilations: ints([window.strideHeight, window.strideWidth]),
      group: int(inChannels),
    },
  );
  if (rows > 0 || columns > 0) {
    result = graph.node(
      "Slice",
      [result, graph.int64s([0, 0]), graph.int64s([filterHeight, filterWidth]), graph.int64s([2, 3])],
      { dtype: "float32", shape: [1, outChannels, filterHeight, filterWidth] },
    );
  }
  const perChannel = graph.reshape(result, [inChannels, outChannels / inChannels, filterHeight, filterWidth]);
  return fromPlain(graph.transpose(perChannel, [2, 3, 0, 1]));
};
