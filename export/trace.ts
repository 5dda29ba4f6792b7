import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "./builder.ts";
import { finish, type StateValue } from "./finish.ts";
import { generaliseBatch } from "./generalise-batch.ts";
import type { Graph } from "./graph.ts";
import { symbolic } from "./kernels/registry.ts";
import { symbolicBackend, type SymbolicBackend } from "./symbolic-backend.ts";
import { fromKnown, onnxDtype, plain, fromPlain, fromRaw, type Traced } from "./traced.ts";

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

/**
 * Two primes: a size that is k times the one and k times the other can only be k times the batch. Large, so that no
 * size of the function's own is taken for the batch, and close to each other, so that both are on the same side of
 * every limit (what is small enough to be folded).
 */
const batchPoints = [1009, 1013] as const;

/**
 * Records what `fn` computes as an ONNX graph (opset 17). `fn` runs once, or twice where an input has a `"batch"`
 * dimension; it computes nothing. Variables keep their values.
 *
 * @throws Error that names the op: a kernel without lowering, a random draw, a symbolic value that is read back, or a
 *   size that depends on the batch other than as a multiple of it
 */
export function trace(fn: TensorFunction, options: TraceOptions): Graph {
  const dynamic = Object.values(options.inputs).some((input) => input.shape.includes("batch"));
  if (!dynamic) return traceAt(fn, options, 0);
  return generaliseBatch(
    batchPoints.map((batch) => ({ batch, graph: traceAt(fn, options, batch) })) as [BatchPoint, BatchPoint],
    options.inputs,
  );
}

export interface BatchPoint {
  readonly batch: number;
  readonly graph: Graph;
}

function traceAt(fn: TensorFunction, options: TraceOptions, batch: number): Graph {
  const backend = symbolic();
  tf.backend(); // tfjs chooses one on first use
  const previous = tf.getBackend();
  const graph = backend.begin();
  const variables = new VariableTrap(backend, graph, options.variables);
  switchBackend(symbolicBackend);
  tf.engine().startScope(options.name);
  try {
    variables.setPlaceholders();
    const inputs: Record<string, tf.Tensor> = {};
    for (const [name, { shape, dtype }] of Object.entries(options.inputs)) {
      const value = graph.input(name, { dtype, shape: shape.map((size) => (size === "batch" ? batch : size)) });
      inputs[name] = backend.tensorOf(dtype === "uint8" ? fromRaw(value) : fromPlain(value), `input ${name}`);
    }
    const results = Object.entries(fn(inputs));
    requireNewNames(options, results);
    const outputs = results.map(([name, tensor]) => [name, plain(graph, backend.tracedOf(tensor))] as const);
    return finish(graph, { name: options.name, metadata: options.metadata ?? {}, outputs, state: variables.state() });
  } finally {
    tf.engine().endScope();
    backend.end();
    switchBackend(previous);
    variables.restore();
  }
}

/** Values of an ONNX graph share one space of names. */
function requireNewNames({ name, inputs, variables }: TraceOptions, results: readonly [string, tf.Tensor][]): void {
  const { registeredVariables } = tf.engine().state as unknown as { registeredVariables: Record<string, tf.Variable> };
  const isTaken = (output: string): boolean =>
    output in inputs || (variables === "state" && output in registeredVariables);
  const [taken] = results.find(([output]) => isTaken(output)) ?? [];
  if (taken !== undefined) {
    throw new Error(`Cannot trace "${name}": an output must have a name of its own, got "${taken}", which is an input`);
  }
}

/** tf.setBackend is declared async for backends that load files; with a synchronous factory it has taken effect when it returns. */
function switchBackend(name: string): void {
  void tf.setBackend(name);
  if (tf.getBackend() !== name) throw new Error(`Cannot switch tfjs to the backend "${name}"`);
}

interface TrappedVariable {
  readonly variable: tf.Variable;
  /** A second tensor on the variable's data: keeps it alive while the variable holds the placeholder. */
  readonly original: tf.Tensor;
  placeholder?: tf.DataId;
  input?: Value;
}

/**
 * Puts placeholders into every registered tf.Variable for the time of a trace, and the values back afterwards. tfjs
 * counts references on the backend that is active, so `new` and `restore` run on the caller's and the rest on ours.
 */
class VariableTrap {
  readonly #backend: SymbolicBackend;
  readonly #graph: GraphBuilder;
  readonly #mode: TraceOptions["variables"];
  readonly #trapped: TrappedVariable[];

  constructor(backend: SymbolicBackend, graph: GraphBuilder, mode: TraceOptions["variables"]) {
    this.#backend = backend;
    this.#graph = graph;
    this.#mode = mode;
    const { registeredVariables } = tf.engine().state as unknown as {
      registeredVariables: Record<string, tf.Variable>;
    };
    this.#trapped = Object.values(registeredVariables)
      .filter((variable) => !variable.isDisposed)
      .map((variable) => ({ variable, original: tf.keep(variable.clone()) }));
  }

  setPlaceholders(): void {
    for (const trapped of this.#trapped) {
      const { variable, original } = trapped;
      const { name, shape } = variable;
      const dtype = onnxDtype(variable.dtype);
      if (this.#mode === "state") trapped.input = { name, dtype, shape };
      const symbol = trapped.input === undefined ? fromVariable(this.#graph, name, original) : fromPlain(trapped.input);
      const placeholder = this.#backend.tensorOf(symbol, `variable ${name}`);
      variable.assign(placeholder as tf.Tensor<tf.Rank>);
      trapped.placeholder = placeholder.dataId;
    }
  }

  state(): StateValue[] {
    const assigned = this.#trapped.filter(({ variable, placeholder }) => variable.dataId !== placeholder);
    if (this.#mode === "frozen" && assigned[0] !== undefined) {
      throw new Error(
        `Cannot trace with frozen variables: the function assigns the variable "${assigned[0].variable.name}"; trace with variables: "state", or run the layer in inference mode`,
      );
    }
    return this.#trapped.flatMap(({ variable, placeholder, input }) => {
      if (input === undefined) return [];
      const next = variable.dataId === placeholder ? undefined : plain(this.#graph, this.#backend.tracedOf(variable));
      return [{ name: variable.name, input, next }];
    });
  }

  restore(): void {
    for (const { variable, original } of this.#trapped) {
      variable.assign(original as tf.Tensor<tf.Rank>);
      original.dispose();
    }
  }
}

/** The variable's value as an initialiser of its name. Read from the backend that holds it, without moving it. */
function fromVariable(graph: GraphBuilder, name: string, original: tf.Tensor): Traced {
  const symbol = fromKnown(original.dtype, original.shape, original.dataSync() as ArrayLike<number>);
  if (symbol.known === undefined || symbol.splat !== undefined) return symbol;
  return { ...symbol, forms: { plain: graph.constant(symbol.known, name) } };
}
