import type { HostTensor } from "../schemas/tensor.ts";
import { BatchSizes, multiple } from "./batch-sizes.ts";
import type { Dim, Graph, Node, ValueInfo } from "./graph.ts";
import type { BatchPoint, TraceInput } from "./traced-function.ts";

/**
 * Makes the batch size of a graph symbolic. The function was traced at two batch sizes; wherever the two graphs differ,
 * the number must follow from the batch in a way that `BatchSizes` knows (a multiple of it, its reciprocal, equal rows
 * for every example). It is then computed at run time from the shape of an input. Anything else is an error.
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
  const constants = new Constants(a, b, inputs);
  const nodes = a.graph.nodes.map((node, i): Node => {
    const twin = b.graph.nodes[i]!;
    requireTwin(a, node, twin);
    const outputs = dims.infosOf(node.outputs, twin.outputs, node);
    return { ...node, outputs, inputs: node.inputs.map((name, j) => constants.input(name, twin.inputs[j]!, node)) };
  });
  return {
    ...a.graph,
    inputs: dims.infosOf(a.graph.inputs, b.graph.inputs, undefined),
    outputs: dims.infosOf(a.graph.outputs, b.graph.outputs, undefined),
    initializers: constants.initializers(),
    nodes: [...constants.prelude(), ...nodes],
  };
}

function requireTwin(a: BatchPoint, node: Node, twin: Node): void {
  const where = `Cannot trace "${a.graph.name}": node ${node.outputs[0]!.name} (${node.source})`;
  const isSame =
    node.op === twin.op && node.inputs.length === twin.inputs.length && node.outputs.length === twin.outputs.length;
  if (!isSame) {
    throw new Error(`${where} is another one at another batch size; the function must not branch on the batch size`);
  }
  if (JSON.stringify(node.attributes, plainNumbers) !== JSON.stringify(twin.attributes, plainNumbers)) {
    throw new Error(`${where} has attributes that depend on the batch size`);
  }
}

/** Shapes of values: a size that differs must be a multiple of the batch and becomes `batch` or `k*batch`. */
class Dims {
  readonly #a: BatchPoint;
  readonly #b: BatchPoint;

  constructor(a: BatchPoint, b: BatchPoint) {
    this.#a = a;
    this.#b = b;
  }

  infosOf(infos: readonly ValueInfo[], twins: readonly ValueInfo[], node: Node | undefined): ValueInfo[] {
    return infos.map((info, i) => this.#infoOf(info, twins[i], node));
  }

  #infoOf(info: ValueInfo, twin: ValueInfo | undefined, node: Node | undefined): ValueInfo {
    const what = `Cannot trace "${this.#a.graph.name}": ${info.name}${node === undefined ? "" : ` (${node.source})`}`;
    if (twin?.shape.length !== info.shape.length) {
      throw new Error(`${what} has another rank at another batch size`);
    }
    const shape = info.shape.map((size, axis): Dim => {
      const other = twin.shape[axis]!;
      if (size === other) return size;
      const factor = multiple([Number(size), Number(other)], [this.#a.batch, this.#b.batch]);
      if (factor === undefined) {
        throw new Error(
          `${what} has size ${size} at batch ${this.#a.batch} and ${other} at batch ${this.#b.batch} along axis ${axis}; it must be a multiple of the batch`,
        );
      }
      return factor === 1 ? "batch" : `${factor}*batch`;
    });
    return { ...info, shape };
  }
}

/**
 * Constants are compared use by use: two that are equal at one batch size (a true 7 and a batch of 7) are one
 * initialiser there and two at the other.
 */
class Constants {
  readonly #a: BatchPoint;
  readonly #b: BatchPoint;
  readonly #sizes: BatchSizes;
  readonly #kept = new Map<string, HostTensor>();
  readonly #replaced = new Map<string, string>();

  constructor(a: BatchPoint, b: BatchPoint, inputs: Readonly<Record<string, TraceInput>>) {
    this.#a = a;
    this.#b = b;
    this.#sizes = new BatchSizes(inputs, [a.batch, b.batch], namesOf(a.graph));
  }

  /** The name that a node's input has in the generalised graph. */
  input(name: string, twinName: string, node: Node): string {
    const contents = this.#a.graph.initializers.get(name);
    const twin = this.#b.graph.initializers.get(twinName);
    if (contents === undefined || twin === undefined) {
      if (name === twinName) return name;
      throw new Error(
        `Cannot trace "${this.#a.graph.name}": node ${node.outputs[0]!.name} (${node.source}) takes other inputs at another batch size; the function must not branch on the batch size`,
      );
    }
    if (equal(contents, twin)) {
      this.#kept.set(name, contents);
      return name;
    }
    const key = `${name} ${twinName}`;
    let replaced = this.#replaced.get(key);
    if (replaced === undefined) {
      replaced = this.#sizes.compute(contents, twin);
      if (replaced === undefined) {
        throw new Error(
          `Cannot trace a constant of ${node.outputs[0]!.name} (${node.source}) with a symbolic batch: its values depend on the batch size, and are not a multiple of it. Pass it as an input of the traced function`,
        );
      }
      this.#replaced.set(key, replaced);
    }
    return replaced;
  }

  prelude(): readonly Node[] {
    return this.#sizes.nodes;
  }

  initializers(): Map<string, HostTensor> {
    return new Map([...this.#kept, ...this.#sizes.initializers]);
  }
}

function namesOf({ inputs, nodes, initializers }: Graph): string[] {
  const values = [...inputs, ...nodes.flatMap((node) => node.outputs)];
  return [...values.map(({ name }) => name), ...initializers.keys()];
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
