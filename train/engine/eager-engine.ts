import * as tf from "@tensorflow/tfjs-core";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Engine, Feeds } from "./engine.ts";
import { requireFit } from "./require-fit.ts";
import type { StepProgram } from "./step.ts";

/** The step as tfjs runs it op by op on its present backend: slow, and the reference for the compiled engine. */
export function createEagerEngine(program: StepProgram): Engine {
  return {
    device: `tfjs ${tf.getBackend()}`,
    async step(feeds) {
      const terms = tf.tidy(() => program.run(toTensors(feeds)));
      const values = Object.entries(terms).map(([name, term]) => [name, term.dataSync()[0]!] as const);
      tf.dispose(terms);
      return Object.fromEntries(values);
    },
    async readState() {
      return new Map([...program.variables].map(([name, variable]) => [name, readVariable(variable)]));
    },
    async writeState(state) {
      for (const [name, value] of state) {
        const variable = program.variables.get(name);
        requireFit(name, value, variable && { dtype: "float32", shape: variable.shape });
        tf.tidy(() => variable!.assign(toTensor(value)));
      }
    },
    async dispose() {},
  };
}

/** A copy of a variable's values. All state of a step is float32. */
export function readVariable(variable: tf.Variable): HostTensor {
  return { dtype: "float32", shape: variable.shape, data: Float32Array.from(variable.dataSync()) };
}

function toTensors(feeds: Feeds): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, toTensor(feed)]));
}

/** uint8 becomes int32, as in a traced function: tfjs has no bytes. */
export function toTensor({ dtype, shape, data }: HostTensor): tf.Tensor {
  if (dtype === "int64") throw new RangeError("Cannot make a tfjs tensor: dtype must not be int64");
  const values =
    dtype === "uint8" ? Int32Array.from(data as Uint8Array) : (data as Exclude<typeof data, BigInt64Array>);
  return tf.tensor(values, [...shape], dtype === "uint8" ? "int32" : dtype);
}
