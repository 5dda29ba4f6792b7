import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { ints } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, fromPlain, nchw, plain, type Traced } from "../traced.ts";
import { filterGradient } from "./filter-gradient.ts";
import { convolutionWindow, inNchw, outNchw, requireGradientSize, unseen, windowAttributes } from "./windows.ts";

/**
 * Convolutions. tfjs: images [batch, height, width, channels], filters [height, width, in, out].
 * ONNX: images [batch, channels, height, width], filters [out, in, height, width]. Pads are always explicit.
 */

/** [height, width, in, out] to [out, in, height, width]: the filter of Conv and of its adjoint, ConvTranspose. */
function onnxFilter(graph: GraphBuilder, filter: Traced): Value {
  return graph.transpose(plain(graph, filter), [3, 2, 0, 1]);
}

export const Conv2D: Lowering<tf.Conv2DAttrs> = (graph, inputs, attrs) => {
  const [x, filter] = [need(inputs, "x"), need(inputs, "filter")];
  const window = convolutionWindow(x.shape, filter.shape, attrs);
  const result = graph.node(
    "Conv",
    [nchw(graph, x), onnxFilter(graph, filter)],
    { dtype: "float32", shape: outNchw(window) },
    windowAttributes(window),
  );
  return fromNchw(result);
};

/** Gradient of Conv2D to its input, and tf.conv2dTranspose. */
export const Conv2DBackpropInput: Lowering<tf.Conv2DBackpropInputAttrs> = (graph, inputs, attrs) => {
  const [dy, filter] = [need(inputs, "dy"), need(inputs, "filter")];
  const window = convolutionWindow(attrs.inputShape, filter.shape, attrs);
  requireGradientSize("Conv2DBackpropInput", window, dy);
  const result = graph.node(
    "ConvTranspose",
    [nchw(graph, dy), onnxFilter(graph, filter)],
    { dtype: "float32", shape: inNchw(window) },
    { ...windowAttributes(window), output_padding: ints(unseen(window)) },
  );
  return fromNchw(result);
};

/** Gradient of Conv2D to its filter, [height, width, in, out]. */
export const Conv2DBackpropFilter: Lowering<tf.Conv2DBackpropFilterAttrs> = (graph, inputs, attrs) => {
  const [x, dy] = [need(inputs, "x"), need(inputs, "dy")];
  const window = convolutionWindow(x.shape, attrs.filterShape, attrs);
  requireGradientSize("Conv2DBackpropFilter", window, dy);
  return fromPlain(filterGradient(graph, x, dy, window));
};
