import type * as tf from "@tensorflow/tfjs-core";
import { float } from "../graph.ts";
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
