import { type Dtype, elementCount, type HostTensor } from "../schemas/tensor.ts";
import { onnxType, toTypedArray } from "./builder.ts";
import { type Attributes, type Dim, int, type Node } from "./graph.ts";
import { freshName } from "./names.ts";
import type { TraceInput } from "./traced-function.ts";

type Pair = readonly [atFirst: number, atSecond: number];

/**
 * Nodes that compute what depends on the batch, from the shape of the first input that has a batch dimension. It knows
 *
 * - a vector of sizes (int64), each of which is fixed or a multiple of the batch,
 * - one number that is a multiple of the batch (int32, float32), or a constant divided by it (float32),
 * - a tensor whose rows are all equal and whose row count is a multiple of the batch.
 */
export class BatchSizes {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, HostTensor>();
  readonly #batches: Pair;
  readonly #taken: Set<string>;
  readonly #input: string;
  readonly #axis: number;
  readonly #rank: number;
  readonly #constants = new Map<string, string>();

  /**
   * @param batches the two sizes at which the function was traced
   * @param taken names of the graph that the nodes are for
   */
  constructor(inputs: Readonly<Record<string, TraceInput>>, batches: Pair, taken: Iterable<string>) {
    const [name, spec] = Object.entries(inputs).find(([, input]) => input.shape.includes("batch"))!;
    this.#batches = batches;
    this.#taken = new Set(taken);
    this.#input = name;
    this.#axis = spec.shape.indexOf("batch");
    this.#rank = spec.shape.length;
  }

  /** @returns the name of a value that equals the constant at every batch size, or undefined if none is known */
  compute(first: HostTensor, second: HostTensor): string | undefined {
    if (first.dtype !== second.dtype || first.shape.length !== second.shape.length) return undefined;
    if (first.shape.join() !== second.shape.join()) return this.#equalRows(first, second);
    const pairs = Array.from(
      first.data as ArrayLike<number | bigint>,
      (x, i): Pair => [Number(x), Number(second.data[i])],
    );
    if (first.dtype === "int64" && first.shape.length === 1) return this.#sizeVector(pairs);
    const [pair] = pairs;
    if (pairs.length !== 1 || pair === undefined) return undefined;
    const number = this.#number(pair, first.dtype);
    return number === undefined ? undefined : this.#reshaped(number, first);
  }

  /** int64 [n]: each entry fixed or a multiple of the batch. */
  #sizeVector(pairs: readonly Pair[]): string | undefined {
    const parts = pairs.map((pair) => this.#sizeOf(pair));
    if (!parts.every((part) => part !== undefined)) return undefined;
    if (parts.length === 1) return parts[0];
    return this.#node("Concat", parts, "int64", [parts.length], { axis: int(0) });
  }

  /** int64 [1] */
  #sizeOf([x, y]: Pair): string | undefined {
    if (x === y) return this.#constant("int64", [1], [x]);
    const factor = multiple([x, y], this.#batches);
    if (factor === undefined) return undefined;
    if (factor === 1) return this.#size();
    return this.#node("Mul", [this.#size(), this.#constant("int64", [1], [factor])], "int64", [1]);
  }

  /** One number, as a tensor of shape [1]. */
  #number([x, y]: Pair, dtype: Dtype): string | undefined {
    if (dtype === "int32") {
      const size = this.#sizeOf([x, y]);
      return size === undefined ? undefined : this.#cast(size, "int32");
    }
    if (dtype !== "float32") return undefined;
    const [b, c] = this.#batches;
    const batch = (): string => this.#cast(this.#size(), "float32");
    if (near(x * b, y * c)) {
      return this.#node("Div", [this.#constant("float32", [1], [x * b]), batch()], "float32", [1]);
    }
    if (near(x / b, y / c)) {
      return this.#node("Mul", [batch(), this.#constant("float32", [1], [x / b])], "float32", [1]);
    }
    return undefined;
  }

  /** A tensor that repeats one row along the axes whose size differs. */
  #equalRows(first: HostTensor, second: HostTensor): string | undefined {
    const isBatched = first.shape.map((size, axis) => size !== second.shape[axis]);
    const row = repeatedRow(first, isBatched);
    const twin = repeatedRow(second, isBatched);
    const shape = this.#sizeVector(first.shape.map((size, axis): Pair => [size, second.shape[axis]!]));
    if (row === undefined || twin === undefined || shape === undefined) return undefined;
    const isSame = Array.from(row.data, Number).every((x, i) => Object.is(x, Number(twin.data[i])));
    const value = isSame ? this.#constant(row.dtype, row.shape, Array.from(row.data, Number)) : this.compute(row, twin);
    if (value === undefined) return undefined;
    const dims = first.shape.map((size, axis): Dim => {
      const factor = size / this.#batches[0];
      return !isBatched[axis] ? size : factor === 1 ? "batch" : `${factor}*batch`;
    });
    return this.#node("Expand", [value, shape], row.dtype, dims);
  }

  /** int64 [1]: the batch size. */
  #size(): string {
    const shape = this.#node("Shape", [this.#input], "int64", [this.#rank]);
    return this.#node("Gather", [shape, this.#constant("int64", [1], [this.#axis])], "int64", [1]);
  }

  #cast(value: string, dtype: Dtype): string {
    return this.#node("Cast", [value], dtype, [1], { to: int(onnxType(dtype)) });
  }

  #reshaped(value: string, { dtype, shape }: HostTensor): string {
    if (shape.length === 1) return value;
    return this.#node("Reshape", [value, this.#constant("int64", [shape.length], shape)], dtype, shape);
  }

  /** Records a node once. */
  #node(
    op: string,
    inputs: readonly string[],
    dtype: Dtype,
    shape: readonly Dim[],
    attributes: Attributes = {},
  ): string {
    const known = this.nodes.find(
      (node) => node.op === op && node.outputs[0]!.dtype === dtype && node.inputs.join() === inputs.join(),
    );
    if (known !== undefined) return known.outputs[0]!.name;
    const name = freshName(this.#taken, `batch.${op}`, this.nodes.length);
    this.nodes.push({ op, inputs, outputs: [{ name, dtype, shape }], attributes, source: "batch size" });
    return name;
  }

  #constant(dtype: Dtype, shape: readonly number[], values: readonly number[]): string {
    const key = `${dtype} [${shape.join()}] ${values.join()}`;
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = freshName(this.#taken, "batch.constant", this.#constants.size);
      this.#constants.set(key, name);
      this.initializers.set(name, { dtype, shape, data: toTypedArray(dtype, values) });
    }
    return name;
  }
}

/** k with values = k * batches, if there is one. */
export function multiple(values: Pair, batches: Pair): number | undefined {
  const factor = values[0] / batches[0];
  return Number.isInteger(factor) && factor * batches[1] === values[1] ? factor : undefined;
}

/** Equal up to the rounding of a float32. */
function near(p: number, q: number): boolean {
  return Math.abs(p - q) <= 1e-6 * Math.abs(p);
}

/** The part at index 0 of the batched axes, with size 1 there, if all other parts are equal to it. */
function repeatedRow({ dtype, shape, data }: HostTensor, isBatched: readonly boolean[]): HostTensor | undefined {
  const rowShape = shape.map((size, axis) => (isBatched[axis] ? 1 : size));
  const strides = rowShape.map((_, axis) => (isBatched[axis] ? 0 : elementCount(rowShape.slice(axis + 1))));
  const values = new Array<number>(elementCount(rowShape));
  for (let i = 0; i < data.length; i++) {
    let place = 0;
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      place += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const value = Number(data[i]);
    values[place] ??= value;
    if (!Object.is(values[place], value)) return undefined;
  }
  return { dtype, shape: rowShape, data: toTypedArray(dtype, values) };
}
