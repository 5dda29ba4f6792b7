import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { float } from "../graph.ts";
import type { KernelInputs, Lowering } from "../lowering.ts";
import type { Traced } from "../traced.ts";
import { clip, prelu, relu } from "./activate.ts";
import { Add } from "./arithmetic.ts";
import { Conv2D } from "./convolution.ts";
import { DepthwiseConv2dNative } from "./depthwise.ts";
import { unary } from "./elementwise.ts";
import { BatchMatMul } from "./matmul.ts";

/** tfjs's fused layers, which it uses outside of gradients: recorded in parts, which ONNX Runtime fuses again. */

type FusedAttrs = Pick<tf.FusedConv2DAttrs, "activation" | "leakyreluAlpha">;

export const FusedConv2D: Lowering<tf.FusedConv2DAttrs> = (graph, inputs, attrs) =>
  finish(graph, Conv2D(graph, inputs, attrs) as Traced, inputs, attrs);

export const FusedDepthwiseConv2D: Lowering<tf.FusedDepthwiseConv2DAttrs> = (graph, inputs, attrs) =>
  finish(graph, DepthwiseConv2dNative(graph, inputs, attrs) as Traced, inputs, attrs);

export const _FusedMatMul: Lowering<tf._FusedMatMulAttrs> = (graph, inputs, attrs) =>
  finish(graph, BatchMatMul(graph, inputs, attrs) as Traced, inputs, attrs);

function finish(graph: GraphBuilder, result: Traced, inputs: KernelInputs, attrs: FusedAttrs): Traced {
  const { bias, preluActivationWeights } = inputs;
  const biased = bias === undefined ? result : (Add(graph, { a: result, b: bias }, {}) as Traced);
  return activate(graph, biased, attrs, preluActivationWeights);
}

function activate(graph: GraphBuilder, x: Traced, attrs: FusedAttrs, slopes: Traced | undefined): Traced {
  switch (attrs.activation) {
    case undefined:
    case null:
    case "linear":
      return x;
    case "relu":
      return relu(graph, x);
    case "relu6":
      return clip(graph, x, 0, 6);
    case "prelu":
      return prelu(graph, x, slopes!);
    case "sigmoid":
      return unary(graph, "Sigmoid", x);
    case "elu":
      return unary(graph, "Elu", x);
    case "leakyrelu":
      return unary(graph, "LeakyRelu", x, { alpha: float(attrs.leakyreluAlpha ?? 0.2) }); // tfjs's default
    default:
      throw new Error(`Cannot trace a fused kernel: it has no lowering for the activation ${attrs.activation}`);
  }
}
