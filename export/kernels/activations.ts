import type * as tf from "@tensorflow/tfjs-core";
import { float, int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { clip, prelu, relu } from "./activate.ts";
import { apply, mapBroadcast, mapElements, unary, where } from "./elementwise.ts";
import { resident } from "./layout.ts";

/** Activation functions and the gradients that tfjs has kernels for. */

export const Sigmoid: Lowering = (graph, inputs) => unary(graph, "Sigmoid", need(inputs, "x"));
/** log(1 + exp(x)); tfjs and ONNX Runtime both avoid the overflow above 88. */
export const Softplus: Lowering = (graph, inputs) => unary(graph, "Softplus", need(inputs, "x"));
export const Relu: Lowering = (graph, inputs) => relu(graph, need(inputs, "x"));
export const Relu6: Lowering = (graph, inputs) => clip(graph, need(inputs, "x"), 0, 6);
export const Elu: Lowering = (graph, inputs) => unary(graph, "Elu", need(inputs, "x"));
/** ONNX's default alpha and gamma are tfjs's. */
export const Selu: Lowering = (graph, inputs) => unary(graph, "Selu", need(inputs, "x"));
export const Prelu: Lowering = (graph, inputs) => prelu(graph, need(inputs, "x"), need(inputs, "alpha"));

/** Always float32, as tfjs's kernel. */
export const LeakyRelu: Lowering<tf.LeakyReluAttrs> = (graph, inputs, { alpha }) =>
  mapElements(graph, need(inputs, "x"), (x) =>
    apply(graph, "LeakyRelu", [graph.cast(x, "float32")], "float32", { alpha: float(alpha) }),
  );

export const ClipByValue: Lowering<tf.ClipByValueAttrs> = (graph, inputs, { clipValueMin, clipValueMax }) =>
  clip(graph, need(inputs, "x"), clipValueMin, clipValueMax);

/** Gradient of elu from its output y: dy where y >= 0, else dy (y + 1). */
export const EluGrad: Lowering = (graph, inputs) =>
  mapBroadcast(graph, [need(inputs, "dy"), need(inputs, "y")], ([dy, y]) => {
    const isNegative = apply(graph, "Less", [y!, graph.scalar(0)], "bool");
    return where(graph, isNegative, apply(graph, "Mul", [dy!, apply(graph, "Add", [y!, graph.scalar(1)])]), dy!);
  });

/**
 * 1 for x > 0, alpha otherwise: the gradient of relu and leakyRelu. Also for NaN, where tfjs keeps the NaN: telling it
 * apart made every relu's gradient three times as long (4 million elements: 3.5 against 13.3 ms), and the value that
 * the gradient belongs to is NaN already.
 */
export const Step: Lowering<tf.StepAttrs> = (graph, inputs, { alpha = 0 }) =>
  mapElements(graph, need(inputs, "x"), (x) => {
    const isPositive = apply(graph, "Greater", [x, graph.scalar(0, x.dtype)], "bool");
    return alpha === 0
      ? graph.cast(isPositive, x.dtype)
      : where(graph, isPositive, graph.scalar(1, x.dtype), graph.scalar(alpha, x.dtype));
  });

/** tf.softmax allows the last axis only. */
export const Softmax: Lowering<tf.SoftmaxAttrs> = (graph, inputs) => {
  const logits = need(inputs, "logits");
  const { value, axis, wrap } = resident(graph, logits);
  const type = { dtype: value.dtype, shape: value.shape };
  return wrap(graph.node("Softmax", [value], type, { axis: int(axis(logits.shape.length - 1)) }));
};
