/** Tensors outside tfjs: the one form that data readers, engine, runtimes, server and batch scoring hand each other. */

export type Dtype = "float32" | "int32" | "uint8" | "bool" | "int64";

export type TensorData = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** Row-major tensor in host memory. `bool` is one byte an element (0 or 1). */
export interface HostTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
