import * as tf from "@tensorflow/tfjs-core";

type Gradients = Record<string, () => tf.Tensor>;

/**
 * Gradients that tfjs 4.22 gets wrong or makes needlessly large, put right for eager and traced use alike. Call it
 * after tfjs has registered its own.
 */
export function correctGradients(): void {
  addReshapeMethod();
  for (const kernel of ["Maximum", "Minimum", "SquaredDifference", "BatchMatMul"]) sumOverBroadcast(kernel);
  tf.registerGradient({ kernelName: "Tile", inputsToSave: ["x"], gradFunc: tileGradient });
  tf.registerGradient({ kernelName: "Cumsum", inputsToSave: ["x"], gradFunc: cumsumGradient });
}

/** tfjs's gradient of prod calls `x.reshape(..)`, one of the methods that only the umbrella package puts on tensors. */
function addReshapeMethod(): void {
  const methods = tf.Tensor.prototype as { reshape?: (this: tf.Tensor, shape: number[]) => tf.Tensor };
  methods.reshape ??= function reshape(shape) {
    return tf.reshape(this, shape);
  };
}

/** tfjs leaves the gradients of these in the broadcast shape, which its own engine then refuses. */
function sumOverBroadcast(kernelName: string): void {
  const { gradFunc, ...registration } = tf.getGradient(kernelName);
  tf.registerGradient({
    ...registration,
    gradFunc: (dy, saved, attrs) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      const gradients = gradFunc(dy, saved, attrs);
      return { a: () => summedTo(gradients.a!(), a.shape), b: () => summedTo(gradients.b!(), b.shape) };
    },
  });
}

function summedTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return axes.length === 0 ? gradient : tf.reshape(tf.sum(gradient, axes), shape);
}

/** One sum over the copies, where tfjs adds up as many slices as there are copies (tf.broadcastTo is a tile too). */
function tileGradient(dy: tf.Tensor | tf.Tensor[], saved: tf.Tensor[], attrs: tf.NamedAttrMap): Gradients {
  const [x] = saved as [tf.Tensor];
  const reps = attrs.reps as number[];
  const split: number[] = []; // [copies, size] for an axis that was tiled, [size] for the others
  const copies: number[] = [];
  for (const [axis, size] of x.shape.entries()) {
    if (reps[axis] !== 1) copies.push(split.push(reps[axis]!) - 1);
    split.push(size);
  }
  return { x: () => tf.sum(tf.reshape(dy as tf.Tensor, split), copies) };
}

/** The running sum from the other end; tfjs permutes the axes once too often unless the axis is the last one. */
function cumsumGradient(dy: tf.Tensor | tf.Tensor[], _saved: tf.Tensor[], attrs: tf.NamedAttrMap): Gradients {
  const { axis, exclusive, reverse } = attrs as unknown as tf.CumsumAttrs;
  return { x: () => tf.cumsum(dy as tf.Tensor, axis, exclusive, !reverse) };
}
