import type { HostTensor } from "../schemas/tensor.ts";
import type { Dim, Graph, Node, ValueInfo } from "./graph.ts";
import { int } from "./graph.ts";
import type { BatchPoint, TraceInput } from "./trace.ts";

/**
 * Makes the batch size of a graph symbolic. The function was traced at two batch sizes; wherever the two graphs differ,
 * the number must be a multiple of the batch (a shape, a count) or the batch's reciprocal times a constant (a mean).
 * It is then computed at run time from the shape of an input. Anything else that depends on the batch is an error.
 */
export function generaliseBatch(
  points: readonly [BatchPoint, BatchPoint],
  inputs: Readonly<Record<string, TraceInput>>,
): Graph {
  const [a, b] = points;
  if (a.graph.nodes.length !== b.graph.nodes.length) {
    throw new Error(
      `Cannot trace "${a.graph.name}": it records ${a.graph.nodes.length} nodes at batch ${a.batch} and ${b.graph.nodes.length} at batch ${b.batch}; the function must not branch or loop on the batch size`,
    );
  }
  const dims = new Dims(a, b);
  const prelude = new BatchPrelude(inputs);
  const initializers = new Map<string, HostTensor>();
  const replaced = new Map<string, string>();
  const otherNames = [...b.graph.initializers.keys()];

  const nodes = a.graph.nodes.map((node, i): Node => {
    const twin = b.graph.nodes[i]!;
    const same =
      node.op === twin.op &&
      JSON.stringify(node.attributes, plainNumbers) === JSON.stringify(twin.attributes, plainNumbers);
    if (!same || node.inputs.length !== twin.inputs.length) {
      throw new Error(
        `Cannot trace "${a.graph.name}": node ${node.outputs[0]!.name} (${node.source}) has attributes that depend on the batch size`,
      );
    }
    return { ...node, outputs: node.outputs.map((output, o) => dims.infoOf(output, twin.outputs[o]!, node)) };
  });

  const order = [...a.graph.initializers.keys()];
  for (const [index, name] of order.entries()) {
    const contents = a.graph.initializers.get(name)!;
    const twin = b.graph.initializers.get(otherNames[index]!);
    const user = a.graph.nodes.find((node) => node.inputs.includes(name));
    if (twin !== undefined && equal(contents, twin)) initializers.set(name, contents);
    else
      replaced.set(
        name,
        prelude.compute(name, contents, twin, [a.batch, b.batch], `${user?.outputs[0]?.name} (${user?.source})`),
      );
  }
  for (const [name, contents] of prelude.initializers) initializers.set(name, contents);
  const useComputed = (node: Node): Node => ({
    ...node,
    inputs: node.inputs.map((name) => replaced.get(name) ?? name),
  });
  return {
    ...a.graph,
    inputs: a.graph.inputs.map((info, i) => dims.infoOf(info, b.graph.inputs[i]!, undefined)),
    outputs: a.graph.outputs.map((info, i) => dims.infoOf(info, b.graph.outputs[i]!, undefined)),
    initializers,
    nodes: [...prelude.nodes, ...nodes.map(useComputed)],
  };
}

/** Shapes of values: a size that differs must be a multiple of the batch and becomes `batch` or `k*batch`. */
class Dims {
  readonly #a: BatchPoint;
  readonly #b: BatchPoint;

  constructor(a: BatchPoint, b: BatchPoint) {
    this.#a = a;
    this.#b = b;
  }

  infoOf(info: ValueInfo, twin: ValueInfo, node: Node | undefined): ValueInfo {
    const shape = info.shape.map((size, axis): Dim => {
      const other = twin.shape[axis]!;
      if (size === other) return size;
      const factor = multiple([Number(size), Number(other)], [this.#a.batch, this.#b.batch]);
      if (factor === undefined) {
        throw new Error(
          `Cannot trace "${this.#a.graph.name}": ${info.name}${node === undefined ? "" : ` (${node.source})`} has size ${size} at batch ${this.#a.batch} and ${other} at batch ${this.#b.batch} along axis ${axis}; it must be a multiple of the batch`,
        );
      }
      return factor === 1 ? "batch" : `${factor}*batch`;
    });
    return { ...info, shape };
  }
}

/** k with values = k * batches, if there is one. */
function multiple(values: readonly [number, number], batches: readonly [number, number]): number | undefined {
  const factor = values[0] / batches[0];
  return Number.isInteger(factor) && factor * batches[1] === values[1] ? factor : undefined;
}

/** Nodes that compute batch-dependent constants from the shape of the first input that has a batch dimension. */
class BatchPrelude {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, HostTensor>();
  readonly #input: string;
  readonly #axis: number;
  readonly #rank: number;

  constructor(inputs: Readonly<Record<string, TraceInput>>) {
    const [name, spec] = Object.entries(inputs).find(([, input]) => input.shape.includes("batch"))!;
    this.#input = name;
    this.#axis = spec.shape.indexOf("batch");
    this.#rank = spec.shape.length;
  }

  /** @returns the name of a value that equals the constant at every batch size */
  compute(
    name: string,
    contents: HostTensor,
    twin: HostTensor | undefined,
    batches: readonly [number, number],
    where: string,
  ): string {
    const pairs =
      twin === undefined || twin.data.length !== contents.data.length
        ? []
        : Array.from(
            contents.data as ArrayLike<number | bigint>,
            (value, i) => [Number(value), Number(twin.data[i])] as const,
          );
    const refuse = (): never => {
      throw new Error(
        `Cannot trace a constant of ${where} with a symbolic batch: its values depend on the batch size, and are not a multiple of it. Pass it as an input of the traced function`,
      );
    };
    if (pairs.length === 0) return refuse();
    if (contents.dtype === "int64" && contents.shape.length === 1) {
      const parts = pairs.map(([x, y]) =>
        x === y ? this.#int64(x) : this.#times(multiple([x, y], batches) ?? refuse()),
      );
      return parts.length === 1
        ? parts[0]!
        : this.#record("Concat", parts, name, "int64", [parts.length], { axis: int(0) });
    }
    if (contents.dtype === "float32" && contents.data.length === 1) {
      const [x, y] = pairs[0]!;
      const near = (p: number, q: number): boolean => Math.abs(p - q) <= 1e-6 * Math.abs(p);
      const batch = this.#reshaped(this.#asFloat(), contents.shape);
      if (near(x * batches[0], y * batches[1]))
        return this.#record(
          "Div",
          [this.#float(Math.fround(x * batches[0]), contents.shape), batch],
          name,
          "float32",
          contents.shape,
        );
      if (near(x / batches[0], y / batches[1]))
        return this.#record(
          "Mul",
          [batch, this.#float(Math.fround(x / batches[0]), contents.shape)],
          name,
          "float32",
          contents.shape,
        );
    }
    return refuse();
  }

  #record(
    op: string,
    inputs: readonly string[],
    name: string,
    dtype: ValueInfo["dtype"],
    shape: readonly number[],
    attributes: Node["attributes"] = {},
  ): string {
    const output = `batch.${name}`;
    if (!this.nodes.some((node) => node.outputs[0]!.name === output)) {
      this.nodes.push({ op, inputs, outputs: [{ name: output, dtype, shape }], attributes, source: "batch size" });
    }
    return output;
  }

  /** int64 [1]: the batch size. */
  #size(): string {
    this.initializers.set("batch.axis", { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(this.#axis)) });
    const shape = this.#record("Shape", [this.#input], "shape", "int64", [this.#rank]);
    return this.#record("Gather", [shape, "batch.axis"], "size", "int64", [1]);
  }

  #times(factor: number): string {
    return factor === 1
      ? this.#size()
      : this.#record("Mul", [this.#size(), this.#int64(factor)], `times_${factor}`, "int64", [1]);
  }

  #asFloat(): string {
    return this.#record("Cast", [this.#size()], "float", "float32", [1], { to: int(1) });
  }

  #reshaped(value: string, shape: readonly number[]): string {
    if (shape.length === 1) return value;
    const target = `batch.shape_${shape.length}`;
    this.initializers.set(target, { dtype: "int64", shape: [shape.length], data: BigInt64Array.from(shape, BigInt) });
    return this.#record("Reshape", [value, target], `float_rank_${shape.length}`, "float32", shape);
  }

  #int64(value: number): string {
    const name = `batch.int_${value}`;
    this.initializers.set(name, { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(value)) });
    return name;
  }

  #float(value: number, shape: readonly number[]): string {
    const name = `batch.float_${value}_rank_${shape.length}`;
    this.initializers.set(name, { dtype: "float32", shape, data: Float32Array.of(value) });
    return name;
  }
}

function equal(a: HostTensor, b: HostTensor): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return true;
}

/** JSON form of attributes: bigint tensors as text. */
function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === "bigint"
    ? String(value)
    : ArrayBuffer.isView(value)
      ? Array.from(value as unknown as ArrayLike<number | bigint>, String)
      : value;
}
