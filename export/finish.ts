import type { HostTensor } from "../schemas/tensor.ts";
import type { GraphBuilder, Value } from "./builder.ts";
import type { Graph, Node, StateVariable } from "./graph.ts";
import { freshName, nameOrFresh } from "./names.ts";

export const opset = 17;

/** A variable of a traced training step while the graph is being built. */
export interface StateValue {
  readonly name: string;
  readonly input: Value;
  /** What the function assigned, if it did. */
  readonly next: Value | undefined;
}

export interface FinishOptions {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly outputs: readonly (readonly [string, Value])[];
  readonly state: readonly StateValue[];
}

/**
 * Turns what was recorded into a graph: named outputs, only the nodes and constants that they need, values numbered in
 * order of appearance, so that the same function always gives the same bytes.
 */
export function finish(builder: GraphBuilder, { name, metadata, outputs, state }: FinishOptions): Graph {
  const nexts = state.flatMap((s) => (s.next === undefined ? [] : [[nextName(s.name), s.next] as const]));
  const wanted = [...outputs, ...nexts];
  const live = liveNodes(builder.nodes, wanted);
  const given = [...builder.inputs, ...state.map(({ input }) => input)].map((value) => value.name);
  const taken = new Set([...given, ...wanted.map(([output]) => output)]);
  const names = new Map<string, string>();
  for (const constant of builder.initializers.keys()) {
    if (!constant.startsWith("constant_")) names.set(constant, nameOrFresh(taken, constant));
  }
  const identities = nameOutputs({ live, wanted, names, taken });
  const initializers = new Map<string, HostTensor>();

  function rename(value: string): string {
    const contents = builder.initializers.get(value);
    if (contents === undefined) return names.get(value) ?? value;
    let renamed = names.get(value);
    if (renamed === undefined) {
      renamed = freshName(taken, "constant", initializers.size);
      names.set(value, renamed);
    }
    initializers.set(renamed, contents);
    return renamed;
  }

  const nodes = [...live, ...identities].map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map((output) => ({ ...output, name: names.get(output.name) ?? output.name })),
  }));
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const variables: StateVariable[] = state
    .map(({ name, input: { dtype, shape }, next }) => ({
      name,
      dtype,
      shape,
      input: used.has(name) ? name : undefined,
      output: next === undefined ? undefined : nextName(name),
    }))
    .filter(({ input, output }) => input !== undefined || output !== undefined);
  const stateInputs = variables
    .filter(({ input }) => input !== undefined)
    .map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  return {
    name,
    opset,
    inputs: [...builder.inputs, ...stateInputs],
    outputs: wanted.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    initializers,
    nodes,
    state: variables,
    metadata,
  };
}

const nextName = (variable: string): string => `${variable}.next`;

function liveNodes(nodes: readonly Node[], wanted: FinishOptions["outputs"]): Node[] {
  const needed = new Set(wanted.map(([, value]) => value.name));
  const live: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output.name))) continue;
    for (const input of node.inputs) needed.add(input);
    live.push(node);
  }
  return live.reverse();
}

interface Naming {
  readonly live: readonly Node[];
  readonly wanted: FinishOptions["outputs"];
  /** New names by old ones: to be completed. */
  readonly names: Map<string, string>;
  readonly taken: Set<string>;
}

/** Names every produced value. An output that is an input, a constant or another output too gets an Identity. */
function nameOutputs({ live, wanted, names, taken }: Naming): Node[] {
  const produced = new Set(live.flatMap((node) => node.outputs.map((output) => output.name)));
  const identities: Node[] = [];
  for (const [name, { name: value, dtype, shape }] of wanted) {
    if (produced.has(value) && !names.has(value)) names.set(value, name);
    else
      identities.push({
        op: "Identity",
        inputs: [value],
        outputs: [{ name, dtype, shape }],
        attributes: {},
        source: `output ${name}`,
      });
  }
  let counter = 0;
  for (const node of live) {
    for (const output of node.outputs) {
      if (!names.has(output.name)) names.set(output.name, freshName(taken, node.op, counter++));
    }
  }
  return identities;
}
