import type * as onnx from "onnx-buf";
import type { Dtype } from "../schemas/tensor.ts";
import { Fault, type Shape, type Size, times } from "./check-dims.ts";
import { dtypesOf, type Parameter, type Signature, signatureOf } from "./check-operators.ts";
import { shapeRule } from "./check-shapes.ts";
import type { NodeFacts } from "./node-facts.ts";
import { attributeType, dtypeOf } from "./read-onnx.ts";

/** What the checker knows of a value. */
export interface Known {
  readonly dtype: Dtype | undefined;
  readonly shape: Shape | undefined;
  /** Integer contents, sizes that follow the batch among them: a shape that is computed in the graph. */
  readonly values?: readonly Size[];
  readonly floats?: readonly number[];
}

export interface NodeContext {
  readonly opset: number;
  readonly known: ReadonlyMap<string, Known>;
  /** Takes a breach of a rule. */
  readonly say: (problem: string) => void;
}

/** Checks one node against its operator's signature and rule. @returns what is known of its outputs */
export function checkNode(node: onnx.NodeProto, { opset, known, say }: NodeContext): readonly Known[] {
  if (node.domain !== "" && node.domain !== "ai.onnx") {
    say(`operator must be of the default domain, got "${node.domain}"`);
    return [];
  }
  const signature = signatureOf(node.opType, opset);
  if (signature === undefined) {
    say(`operator must be one that the checker knows, got "${node.opType}"`);
    return [];
  }
  checkAttributes(node, signature, { opset, say });
  const inputs = node.input.map((name) => (name === "" ? undefined : (known.get(name) ?? unknown)));
  if (!checkCounts(node, signature, say)) return [];
  const bound = bindTypes(node, { signature, inputs, say });
  const facts = factsOf(node, inputs);
  const shapes = shapesOf(node, facts, say);
  return node.output.map((_, i) => {
    const value: Known = { dtype: outputType(node, { signature, bound, at: i }), shape: shapes[i] };
    const values = i === 0 ? valuesOf(node.opType, facts) : undefined;
    return values === undefined ? value : { ...value, values };
  });
}

const unknown: Known = { dtype: undefined, shape: undefined };

function checkAttributes(
  node: onnx.NodeProto,
  { attributes }: Signature,
  { opset, say }: Pick<NodeContext, "opset" | "say">,
): void {
  const seen = new Set<string>();
  for (const attribute of node.attribute) {
    const { name } = attribute;
    const rule = attributes.get(name);
    if (seen.has(name)) say(`attribute "${name}" must be there once`);
    else if (rule === undefined) say(`attribute "${name}" must be one of opset ${opset}, got an unknown one`);
    else if (attributeType(attribute) !== rule.type) {
      say(`attribute "${name}" must be of type ${rule.type}, got ${attributeType(attribute)}`);
    }
    seen.add(name);
  }
  for (const [name, { required }] of attributes) if (required && !seen.has(name)) say(`attribute "${name}" is missing`);
}

function checkCounts(
  { input, output }: onnx.NodeProto,
  { inputs, outputs }: Signature,
  say: NodeContext["say"],
): boolean {
  let fits = true;
  const count = (role: string, names: readonly string[], parameters: readonly Parameter[]): void => {
    const least = parameters.filter(({ optional }) => !optional).length;
    const most = parameters.at(-1)?.variadic ? Number.POSITIVE_INFINITY : parameters.length;
    const blank = parameters.findIndex((parameter, i) => !parameter.optional && names[i] === "");
    if (names.length >= least && names.length <= most && blank < 0) return;
    fits = false;
    const range = least === most ? String(least) : `${least} to ${most === Number.POSITIVE_INFINITY ? "many" : most}`;
    say(
      blank < 0 ? `must have ${range} ${role}s, got ${names.length}` : `${role} ${blank + 1} must be there, got none`,
    );
  };
  count("input", input, inputs);
  count("output", output, outputs);
  return fits;
}

/** The parameter at a position; the last one may stand for many. */
function at(parameters: readonly Parameter[], i: number): Parameter {
  return parameters[Math.min(i, parameters.length - 1)]!;
}

function bindTypes(
  node: onnx.NodeProto,
  { signature, inputs, say }: { signature: Signature; inputs: readonly (Known | undefined)[]; say: NodeContext["say"] },
): Map<string, Dtype> {
  const bound = new Map<string, Dtype>();
  for (const [i, input] of inputs.entries()) {
    if (input?.dtype === undefined) continue;
    const { type } = at(signature.inputs, i);
    const allowed = dtypesOf(type);
    const before = bound.get(type);
    if (!allowed.includes(input.dtype)) {
      say(`input ${i + 1} ("${node.input[i]}") must be of ${allowed.join(", ")}, got ${input.dtype}`);
    } else if (before !== undefined && before !== input.dtype) {
      say(`input ${i + 1} ("${node.input[i]}") must be of ${before} as an input before it, got ${input.dtype}`);
    } else bound.set(type, input.dtype);
  }
  return bound;
}

function outputType(
  node: onnx.NodeProto,
  { signature, bound, at: i }: { signature: Signature; bound: ReadonlyMap<string, Dtype>; at: number },
): Dtype | undefined {
  const attribute = (name: string): onnx.AttributeProto | undefined =>
    node.attribute.find((candidate) => candidate.name === name);
  if (node.opType === "Cast") return dtypeOf(Number(attribute("to")?.i ?? 0));
  if (node.opType === "ConstantOfShape") return dtypeOf(attribute("value")?.t?.dataType ?? 1);
  const { type } = at(signature.outputs, i);
  const allowed = dtypesOf(type);
  return bound.get(type) ?? (allowed.length === 1 ? allowed[0] : undefined);
}

function factsOf(node: onnx.NodeProto, inputs: readonly (Known | undefined)[]): NodeFacts {
  const attribute = (name: string): onnx.AttributeProto | undefined =>
    node.attribute.find((candidate) => candidate.name === name);
  return {
    shapes: inputs.map((input) => input?.shape),
    values: inputs.map((input) => input?.values),
    floats: inputs.map((input) => input?.floats),
    outputs: node.output.length,
    int: (name, absent) => Number(attribute(name)?.i ?? absent),
    ints: (name) => attribute(name)?.ints.map(Number),
    string: (name, absent) => {
      const bytes = attribute(name)?.s;
      return bytes === undefined ? absent : new TextDecoder().decode(bytes);
    },
  };
}

function shapesOf(node: onnx.NodeProto, facts: NodeFacts, say: NodeContext["say"]): readonly (Shape | undefined)[] {
  try {
    return shapeRule(node.opType)(facts);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    say(error.message);
    return [];
  }
}

/** Contents of shapes that the graph computes, for the operators in which `generalise-batch.ts` writes them. */
function valuesOf(op: string, { shapes, values, int }: NodeFacts): readonly Size[] | undefined {
  const [a, b] = values;
  switch (op) {
    case "Shape":
      return shapes[0]?.slice(int("start", 0), int("end", shapes[0].length));
    case "Identity":
    case "Cast":
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
      return a;
    case "Gather":
      return a === undefined || b === undefined || (shapes[0]?.length ?? 0) > 1
        ? undefined
        : b.map((index) => a.at(Number(index)));
    case "Concat":
      return values.every((part) => part !== undefined) ? values.flatMap((part) => [...part]) : undefined;
    case "Mul":
      return a?.length === 1 && b?.length === 1 ? [times(a[0], b[0])] : undefined;
    default:
      return undefined;
  }
}
