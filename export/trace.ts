import * as tf from "@tensorflow/tfjs-core";
import { backendInUse, switchBackend } from "./backends.ts";
import { finish } from "./finish.ts";
import { generaliseBatch } from "./generalise-batch.ts";
import type { Graph } from "./graph.ts";
import { symbolic } from "./kernels/registry.ts";
import { symbolicBackend } from "./symbolic-backend.ts";
import { fromPlain, fromRaw, plain } from "./traced.ts";
import type { BatchPoint, TensorFunction, TraceOptions } from "./traced-function.ts";
import { VariableTrap } from "./variable-trap.ts";

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

function traceAt(fn: TensorFunction, options: TraceOptions, batch: number): Graph {
  const backend = symbolic();
  const previous = backendInUse();
  const graph = backend.begin();
  const variables = new VariableTrap(backend, graph, options.variables);
  switchBackend(symbolicBackend);
  tf.engine().startScope(options.name);
  try {
    const inputs: Record<string, tf.Tensor> = {};
    for (const [name, { shape, dtype }] of Object.entries(options.inputs)) {
      const value = graph.input(name, { dtype, shape: shape.map((size) => (size === "batch" ? batch : size)) });
      inputs[name] = backend.tensorOf(dtype === "uint8" ? fromRaw(value) : fromPlain(value), `input ${name}`);
    }
    variables.setPlaceholders(); // after the inputs, whose names come first
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
