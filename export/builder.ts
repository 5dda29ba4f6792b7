import { createHash } from "node:crypto";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../schemas/tensor.ts";
import type { Attributes, Node, ValueInfo } from "./graph.ts";
import { freshName, nameOrFresh } from "./names.ts";

/** A value inside a graph that is being built. Constants carry their contents, so that lowerings can fold them. */
export interface Value {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly constant?: HostTensor;
}

export interface OutputType {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * Records nodes and constants. Equal nodes over equal inputs are recorded once (every operator used here is
 * deterministic), which also makes a forward pass that two gradients share appear once in the graph.
 */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, HostTensor>();
  readonly inputs: ValueInfo[] = [];
  /** tfjs kernel now being lowered: the `source` of the nodes it records. */
  source = "";
  readonly #known = new Map<string, readonly Value[]>();
  /** Names of all values, so far. */
  readonly #taken = new Set<string>();
  #counter = 0;

  input(name: string, type: OutputType): Value {
    this.inputs.push({ name, ...type });
    return this.reserved({ name, ...type });
  }

  /** A value that comes from outside of the graph: no value of the graph gets its name. */
  reserved(value: Value): Value {
    this.#taken.add(value.name);
    return value;
  }

  /**
   * A named or anonymous initialiser; anonymous ones with equal contents are the same value. A name that an input has
   * gets a number.
   */
  constant(contents: HostTensor, name?: string): Value {
    const { dtype, shape, data } = contents;
    const key = name === undefined ? `const ${dtype} [${shape.join()}] ${digest(data)}` : `named ${name}`;
    const known = this.#known.get(key)?.[0];
    if (known !== undefined) return known;
    const own = name === undefined ? this.#numbered("constant") : nameOrFresh(this.#taken, name);
    const value = { name: own, dtype, shape, constant: contents };
    this.initializers.set(value.name, contents);
    this.#known.set(key, [value]);
    return value;
  }

  int64s(values: readonly number[]): Value {
    return this.constant({ dtype: "int64", shape: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  scalar(value: number, dtype: Dtype = "float32"): Value {
    return this.constant({ dtype, shape: [], data: toTypedArray(dtype, [value]) });
  }

  /** Records a node with one output. */
  node(op: string, inputs: readonly (Value | undefined)[], output: OutputType, attributes: Attributes = {}): Value {
    return this.outputsOf(op, inputs, [output], attributes)[0]!;
  }

  /** Records a node with several outputs. */
  outputsOf(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly OutputType[],
    attributes: Attributes = {},
  ): readonly Value[] {
    const names = inputs.map((value) => value?.name ?? "");
    const key = `${op}(${names.join()})${attributeKey(attributes)}:${outputs.length}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const values = outputs.map(({ dtype, shape }) => ({ name: this.#numbered(op), dtype, shape }));
    this.nodes.push({ op, inputs: names, outputs: values, attributes, source: this.source });
    this.#known.set(key, values);
    return values;
  }

  #numbered(stem: string): string {
    return freshName(this.#taken, stem, this.#counter++);
  }

  // ---- shape operators that fold on constants --------------------------------------------------------------------

  reshape(value: Value, shape: readonly number[]): Value {
    if (sameShape(value.shape, shape)) return value;
    if (value.constant !== undefined) return this.constant({ ...value.constant, shape });
    return this.node("Reshape", [value, this.int64s(shape)], { dtype: value.dtype, shape });
  }

  transpose(value: Value, perm: readonly number[]): Value {
    if (perm.every((axis, i) => axis === i)) return value;
    const shape = perm.map((axis) => value.shape[axis]!);
    if (value.constant !== undefined) {
      return this.constant({ dtype: value.dtype, shape, data: transposeData(value.constant, perm) });
    }
    return this.node("Transpose", [value], { dtype: value.dtype, shape }, { perm: { kind: "ints", value: perm } });
  }

  cast(value: Value, dtype: Dtype): Value {
    if (value.dtype === dtype) return value;
    if (value.constant !== undefined) {
      const numbers = Array.from(value.constant.data as ArrayLike<number | bigint>, Number);
      const kept = dtype === "bool" ? numbers.map((x) => (x === 0 ? 0 : 1)) : numbers;
      return this.constant({ dtype, shape: value.shape, data: toTypedArray(dtype, kept) });
    }
    return this.node("Cast", [value], { dtype, shape: value.shape }, { to: { kind: "int", value: onnxType(dtype) } });
  }
}

const onnxTypes: Readonly<Record<Dtype, number>> = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9 };

/** `TensorProto.DataType` of a dtype. */
export function onnxType(dtype: Dtype): number {
  return onnxTypes[dtype];
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

export function toTypedArray(dtype: Dtype, values: ArrayLike<number>): TensorData {
  switch (dtype) {
    case "float32":
      return Float32Array.from(values);
    case "int32":
      return Int32Array.from(values);
    case "int64":
      return BigInt64Array.from(Array.from(values), (x) => BigInt(Math.trunc(x)));
    default:
      return Uint8Array.from(values);
  }
}

function transposeData(contents: HostTensor, perm: readonly number[]): TensorData {
  const { shape, data } = contents;
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const outShape = perm.map((axis) => shape[axis]!);
  const outStrides = perm.map((axis) => strides[axis]!);
  const out = data.slice() as TensorData;
  const index = new Array<number>(perm.length).fill(0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = data[from]!;
    for (let axis = perm.length - 1; axis >= 0; axis--) {
      from += outStrides[axis]!;
      if (++index[axis]! < outShape[axis]!) break;
      from -= outStrides[axis]! * outShape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function attributeKey(attributes: Attributes): string {
  const names = Object.keys(attributes).sort();
  return names
    .map((name) => {
      const attribute = attributes[name]!;
      const value = attribute.kind === "tensor" ? digest(attribute.value.data) : JSON.stringify(attribute.value);
      return `${name}=${attribute.kind}${value}`;
    })
    .join(";");
}

function digest(data: TensorData): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash("sha256").update(bytes).digest("base64");
}
