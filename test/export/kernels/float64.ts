import * as tf from "@tensorflow/tfjs-core";

interface Platform {
  isTypedArray(value: unknown): boolean;
}

/**
 * Runs `fn` on tfjs's cpu backend in double precision: its kernels are JavaScript, compute in doubles and only store
 * float32, so for the time of the call `Float32Array` names Float64Array. Finite differences need it; a float32
 * difference quotient has three digits.
 *
 * Tensors must be made inside `fn` from plain numbers or Float64Arrays, and read inside of it.
 */
export function inFloat64<T>(fn: () => T): T {
  const single = globalThis.Float32Array;
  const platform = tf.env().platform as unknown as Platform;
  const previous = tf.getBackend();
  const isTypedArray = platform.isTypedArray;
  try {
    globalThis.Float32Array = Float64Array as unknown as typeof Float32Array;
    platform.isTypedArray = (value) => value instanceof Float64Array || isTypedArray.call(platform, value);
    void tf.setBackend("cpu");
    return tf.tidy(() => {
      const rest = tf.sub(tf.add(tf.scalar(1), tf.scalar(1e-12)), tf.scalar(1)).dataSync()[0]!;
      if (Math.abs(rest - 1e-12) > 1e-15)
        throw new Error(`tfjs must compute in float64 here, 1 + 1e-12 - 1 is ${rest}`);
      return fn() as tf.TensorContainer;
    }) as T;
  } finally {
    globalThis.Float32Array = single;
    platform.isTypedArray = isTypedArray;
    void tf.setBackend(previous);
  }
}
