import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { readVariable } from "./eager-engine.ts";
import type { StepProgram } from "./step.ts";

/** A training step as one ONNX file, and the state to start it with. Plain data: it can be sent to another thread. */
export interface CompiledStep {
  readonly model: Uint8Array;
  /** Inputs that the graph declares, state included: what no term depends on is left out. */
  readonly inputs: readonly string[];
  /** Outputs that are loss terms. */
  readonly terms: readonly string[];
  readonly variables: readonly CompiledVariable[];
  readonly initial: ReadonlyMap<string, HostTensor>;
}

export interface CompiledVariable {
  readonly name: string;
  /** Input of the graph that holds the present value; undefined for a variable that this phase does not read. */
  readonly input: string | undefined;
  /** Output that holds the next value; undefined for a variable that this phase does not change. */
  readonly output: string | undefined;
}

/** Traces the step: its variables become inputs and outputs of one static graph. */
export function compileStep(program: StepProgram): CompiledStep {
  const graph = trace((inputs) => program.run(inputs), {
    name: program.name,
    inputs: program.inputs,
    variables: "state",
  });
  const traced = new Map(graph.state.map((variable) => [variable.name, variable]));
  const stray = graph.state.find(({ name }) => !program.variables.has(name));
  if (stray !== undefined) {
    throw new Error(
      `Cannot compile the ${program.name}: it uses the variable "${stray.name}", which is not of its networks`,
    );
  }
  const stateOutputs = new Set(graph.state.map(({ output }) => output));
  return {
    model: writeOnnx(graph),
    inputs: graph.inputs.map(({ name }) => name),
    terms: graph.outputs.map(({ name }) => name).filter((name) => !stateOutputs.has(name)),
    variables: [...program.variables.keys()].map((name) => ({
      name,
      input: traced.get(name)?.input,
      output: traced.get(name)?.output,
    })),
    initial: new Map([...program.variables].map(([name, variable]) => [name, readVariable(variable)])),
  };
}
