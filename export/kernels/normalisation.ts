import type * as tf from "@tensorflow/tfjs-core";
import { float, int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromNchw, fromSplat, nchw, plain, type Traced } from "../traced.ts";
import { Add, Multiply, Sub } from "./arithmetic.ts";
import { unary } from "./elementwise.ts";

/**
 * tf.batchNorm: (x - mean) / sqrt(variance + epsilon) * scale + offset, over [batch, height, width, channels]. Per
 * channel on an image it is ONNX's own operator, which runtimes fold into a convolution before it; otherwise it is
 * written out. Its gradient is made of other kernels by tfjs.
 */
export const FusedBatchNorm: Lowering<tf.FusedBatchNormAttrs> = (graph, inputs, { varianceEpsilon }) => {
  const [x, mean, variance] = [need(inputs, "x"), need(inputs, "mean"), need(inputs, "variance")];
  const { scale, offset } = inputs;
  const epsilon = varianceEpsilon ?? 0.001; // the default of tfjs's kernels
  if (x.home === "nchw" && mean.shape.length === 1) {
    const value = nchw(graph, x);
    const perChannel = [
      scale ?? fromSplat("float32", mean.shape, 1),
      offset ?? fromSplat("float32", mean.shape, 0),
      mean,
      variance,
    ].map((statistic) => plain(graph, statistic));
    const type = { dtype: "float32", shape: value.shape } as const;
    return fromNchw(graph.node("BatchNormalization", [value, ...perChannel], type, { epsilon: float(epsilon) }));
  }
  const combine = (lowering: typeof Add, a: Traced, b: Traced): Traced => lowering(graph, { a, b }, {}) as Traced;
  const deviation = unary(graph, "Sqrt", combine(Add, variance, fromSplat("float32", [], epsilon)));
  const factor = unary(graph, "Reciprocal", deviation);
  const scaled = combine(
    Multiply,
    combine(Sub, x, mean),
    scale === undefined ? factor : combine(Multiply, factor, scale),
  );
  return offset === undefined ? scaled : combine(Add, scaled, offset);
};

/**
 * tf.localResponseNormalization: x / (bias + alpha * sum of squares)^beta, the sum over the channels that are at most
 * `depthRadius` away. ONNX counts both sides in its size, and divides alpha by it.
 */
export const LRN: Lowering<tf.LRNAttrs> = (graph, inputs, { depthRadius, bias, alpha, beta }) => {
  const value = nchw(graph, need(inputs, "x"));
  const size = 2 * depthRadius + 1;
  const attributes = { alpha: float(alpha * size), beta: float(beta), bias: float(bias), size: int(size) };
  return fromNchw(graph.node("LRN", [value], { dtype: "float32", shape: value.shape }, attributes));
};
