import type * as tf from "@tensorflow/tfjs-core";
import { backend_util } from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { ints } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, fromPlain, nchw, plain, type Traced } from "../traced.ts";
import { filterGradient } from "./filter-gradient.ts";

/**
 * Convolutions. tfjs: images [batch, height, width, channels], filters [height, width, in, out].
 * ONNX: images [batch, channels, height, width], filters [out, in, height, width]. Pads are always explicit.
 */

type Conv2DInfo = backend_util.Conv2DInfo;

/** [height, width, in, out] to [out, in, height, width]: the filter of Conv and of its adjoint, ConvTranspose. */
function onnxFilter(graph: GraphBuilder, filter: Traced): Value {
  return graph.transpose(plain(graph, filter), [3, 2, 0, 1]);
}

function pads({ padInfo }: Conv2DInfo): number[] {
  return [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right];
}

export const Conv2D: Lowering<tf.Conv2DAttrs> = (graph, inputs, attrs) => {
  const [x, filter] = [need(inputs, "x"), need(inputs, "filter")];
  const info = convInfo(x.shape, filter.shape, attrs);
  const result = graph.node(
    "Conv",
    [nchw(graph, x), onnxFilter(graph, filter)],
    { dtype: "float32", shape: outNchw(info) },
    convAttributes(info),
  );
  return fromNchw(result);
};

/** Gradient of Conv2D to its input, and tf.conv2dTranspose. */
export const Conv2DBackpropInput: Lowering<tf.Conv2DBackpropInputAttrs> = (graph, inputs, attrs) => {
  const [dy, filter] = [need(inputs, "dy"), need(inputs, "filter")];
  const info = convInfo(attrs.inputShape, filter.shape, { ...attrs, dilations: 1 });
  const [top, left, bottom, right] = pads(info) as [number, number, number, number];
  const extra = (size: number, out: number, stride: number, kernel: number, pad: number): number =>
    size - (stride * (out - 1) + kernel - pad);
  const outputPadding = [
    extra(info.inHeight, info.outHeight, info.strideHeight, info.effectiveFilterHeight, top + bottom),
    extra(info.inWidth, info.outWidth, info.strideWidth, info.effectiveFilterWidth, left + right),
  ];
  const shape = [info.batchSize, info.inChannels, info.inHeight, info.inWidth];
  const result = graph.node(
    "ConvTranspose",
    [nchw(graph, dy), onnxFilter(graph, filter)],
    { dtype: "float32", shape },
    {
      ...convAttributes(info),
      output_padding: ints(outputPadding),
    },
  );
  return fromNchw(result);
};

/** Gradient of Conv2D to its filter. */
export const Conv2DBackpropFilter: Lowering<tf.Conv2DBackpropFilterAttrs> = (graph, inputs, attrs) => {
  const [x, dy] = [need(inputs, "x"), need(inputs, "dy")];
  const info = convInfo(x.shape, attrs.filterShape, { ...attrs, dilations: 1 });
  return fromPlain(filterGradient(graph, x, dy, info));
};

type ConvAttrs = Pick<tf.Conv2DAttrs, "strides" | "pad" | "dataFormat" | "dilations" | "dimRoundingMode">;

function convInfo(xShape: readonly number[], filterShape: readonly number[], attrs: ConvAttrs): Conv2DInfo {
  if (attrs.dataFormat !== undefined && attrs.dataFormat !== "NHWC") {
    throw new Error(`Cannot trace a convolution: dataFormat must be NHWC, got ${attrs.dataFormat}`);
  }
  return backend_util.computeConv2DInfo(
    xShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides,
    attrs.dilations,
    attrs.pad,
    attrs.dimRoundingMode,
    false,
  );
}

function convAttributes(info: Conv2DInfo) {
  return {
    pads: ints(pads(info)),
    strides: ints([info.strideHeight, info.strideWidth]),
    dilations: ints([info.dilationHeight, info.dilationWidth]),
  };
}

function outNchw(info: Conv2DInfo): number[] {
  return [info.batchSize, info.outChannels, info.outHeight, info.outWidth];
}
