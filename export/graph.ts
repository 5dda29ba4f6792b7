import type { Dtype, HostTensor } from "../schemas/tensor.ts";

/** The typed ONNX graph between the tracer and the writer. Plain data; passes return new graphs. */

/** A number, or a symbolic size such as `batch` or `2*batch` (an ONNX `dim_param`). */
export type Dim = number | string;

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "tensor"; readonly value: HostTensor };

export type Attributes = Readonly<Record<string, Attribute>>;

export const int = (value: number): Attribute => ({ kind: "int", value });
export const float = (value: number): Attribute => ({ kind: "float", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const string = (value: string): Attribute => ({ kind: "string", value });
export const tensor = (value: HostTensor): Attribute => ({ kind: "tensor", value });

export interface ValueInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly Dim[];
}

export interface Node {
  /** ONNX operator of the default domain. */
  readonly op: string;
  /** Value names; "" marks an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly ValueInfo[];
  readonly attributes: Attributes;
  /** The tfjs kernel that recorded the node: what an error message names. */
  readonly source: string;
}

/** A `tf.Variable` of a training step: read as input `name`, assigned as output `<name>.next`. */
export interface StateVariable {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly input: string | undefined;
  readonly output: string | undefined;
}

export interface Graph {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, HostTensor>;
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly state: readonly StateVariable[];
  readonly metadata: Readonly<Record<string, string>>;
}
