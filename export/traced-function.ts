import type * as tf from "@tensorflow/tfjs-core";
import type { Graph } from "./graph.ts";

/** What can be traced, and how: the types that `trace.ts` and those who call it share. */

/** A plain function from named tfjs tensors to named tfjs tensors: what can be run eagerly, and traced. */
export type TensorFunction = (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;

export interface TraceInput {
  /** `"batch"` marks the batch dimension: the graph then accepts any batch size. */
  readonly shape: readonly (number | "batch")[];
  /** `uint8` inputs appear to the function as int32 tensors, which is what tfjs has. */
  readonly dtype: "float32" | "int32" | "uint8" | "bool";
}

export interface TraceOptions {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TraceInput>>;
  /**
   * What a `tf.Variable` that the function reads becomes. `frozen`: an initialiser with its present value. `state`: a
   * graph input of its name, and where the function assigns it, an output `<name>.next` (a training step).
   */
  readonly variables: "frozen" | "state";
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A function traced at one batch size. */
export interface BatchPoint {
  readonly batch: number;
  readonly graph: Graph;
}
