import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "./builder.ts";
import type { StateValue } from "./finish.ts";
import type { SymbolicBackend } from "./symbolic-backend.ts";
import { fromKnown, fromPlain, onnxDtype, plain, type Traced } from "./traced.ts";
import type { TraceOptions } from "./traced-function.ts";

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
export class VariableTrap {
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
      if (this.#mode === "state") trapped.input = this.#graph.reserved({ name, dtype, shape });
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
