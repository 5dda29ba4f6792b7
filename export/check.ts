import type * as onnx from "onnx-buf";
import { FailureError } from "../schemas/errors.ts";
import { elementCount } from "../schemas/tensor.ts";
import { mayEqual, show } from "./check-dims.ts";
import { checkNode, type Known } from "./check-node.ts";
import { dtypeOf, floatsOf, integersOf, readOnnx, storedElements, typeOf } from "./read-onnx.ts";

/** What the checker accepts: IR 10 came with opset 21, and older runtimes refuse what is newer than themselves. */
const newestIr = 10;
const opsets = { oldest: 13, newest: 21 } as const;

/** Of protobuf: a message holds less than 2 GiB. */
const maxBytes = 2 ** 31;

/** Problems that one message lists. */
const listed = 5;

/**
 * Checks a model against the rules of ONNX, on the bytes that were written: versions, types, unique names in one
 * assignment each (SSA), nodes in topological order, known operators with their attributes and element types,
 * initialisers as long as their shapes, declared shapes as inferred, nothing unused, nothing outside the file.
 *
 * Stricter than ONNX where a file that this project writes has no reason to differ: every shape is declared, a name is
 * one thing only, and a size that follows the batch is never declared as a number, or the other way round.
 *
 * @throws FailureError `bad_model` with the first problems, each with its node and rule
 */
export function checkModel(bytes: Uint8Array): void {
  if (bytes.length >= maxBytes) {
    throw refusal("model", [`the file must be smaller than 2 GiB, got ${bytes.length} bytes`]);
  }
  const model = readOnnx(bytes);
  const problems: string[] = [];
  const opset = checkModelHead(model, problems);
  if (model.graph === undefined) problems.push("the model must hold a graph, got none");
  else checkGraph(model.graph, opset, problems);
  if (problems.length > 0) throw refusal(`model "${model.graph?.name ?? ""}"`, problems);
}

function refusal(what: string, problems: readonly string[]): FailureError {
  const more = problems.length > listed ? `; and ${problems.length - listed} more` : "";
  return new FailureError(`Cannot accept ${what}: ${problems.slice(0, listed).join("; ")}${more}`, {
    code: "bad_model",
  });
}

/** @returns the opset of the default domain, or the nearest one that is known */
function checkModelHead(model: onnx.ModelProto, problems: string[]): number {
  const ir = Number(model.irVersion);
  if (ir < 3 || ir > newestIr) problems.push(`ir_version must be from 3 to ${newestIr}, got ${ir}`);
  const isDefault = (domain: string): boolean => domain === "" || domain === "ai.onnx";
  const versions = model.opsetImport.filter(({ domain }) => isDefault(domain)).map(({ version }) => Number(version));
  const foreign = model.opsetImport.find(({ domain }) => !isDefault(domain));
  if (foreign !== undefined) problems.push(`opset imports must be of the default domain, got "${foreign.domain}"`);
  const [opset = 0] = versions;
  if (versions.length !== 1 || opset < opsets.oldest || opset > opsets.newest) {
    problems.push(
      `the default domain must be imported once, as opset ${opsets.oldest} to ${opsets.newest}, got ${versions.join(", ") || "none"}`,
    );
  }
  for (const key of repeated(model.metadataProps.map(({ key }) => key))) {
    problems.push(`metadata key "${key}" must be there once`);
  }
  if (model.metadataProps.some(({ key }) => key === "")) problems.push("metadata keys must not be empty");
  if (model.functions.length > 0 || model.trainingInfo.length > 0) {
    problems.push("the model must hold a graph only, got functions or training information");
  }
  return Math.min(Math.max(opset, opsets.oldest), opsets.newest);
}

function checkGraph(graph: onnx.GraphProto, opset: number, problems: string[]): void {
  if (graph.name === "") problems.push("the graph must have a name");
  if (graph.sparseInitializer.length > 0) problems.push("initializers must be dense, got a sparse one");
  const known = new Map<string, Known>();
  const define = (name: string, value: Known, role: string): void => {
    if (name === "") problems.push(`${role} must have a name`);
    else if (known.has(name)) problems.push(`${role} "${name}" must have a name of its own, got one that is taken`);
    known.set(name, value);
  };
  for (const info of graph.input) define(info.name, declaredType(info, "input", problems), "input");
  for (const tensor of graph.initializer) define(tensor.name, constantOf(tensor, problems), "initializer");

  const declared = declaredValues(graph, problems);
  const later = new Set(graph.node.flatMap((node) => node.output));
  const used = new Set([...graph.node.flatMap((node) => node.input), ...graph.output.map(({ name }) => name)]);
  for (const name of repeated(graph.node.map(({ name }) => name).filter((name) => name !== ""))) {
    problems.push(`node "${name}" must have a name of its own`);
  }
  for (const node of graph.node) {
    const say = (text: string): void => {
      problems.push(`node "${node.name || node.output[0]}" (${node.opType}): ${text}`);
    };
    const missing = node.input.filter((name) => name !== "" && !known.has(name));
    for (const name of missing) {
      const why = later.has(name) ? "a later node makes it" : "nothing makes it";
      say(`input "${name}" must be made by an earlier node, an input or an initializer, got none (${why})`);
    }
    if (!node.output.some((name) => used.has(name))) say("its output must be used, got no user");
    const results = checkNode(node, { opset, known, say });
    for (const [i, name] of node.output.entries()) {
      if (name === "") continue;
      const result = results[i] ?? { dtype: undefined, shape: undefined };
      const promised = declared.get(name);
      if (promised !== undefined) {
        for (const fault of disagreements(promised, result)) say(`output "${name}" ${fault}`);
      }
      const { dtype, shape } = promised ?? result;
      if (known.has(name)) say(`output "${name}" must be assigned once (SSA), got a name that is taken`);
      known.set(name, { ...result, dtype, shape });
    }
  }
  for (const { name } of graph.initializer) {
    if (!used.has(name)) problems.push(`initializer "${name}" must be used, got no user`);
  }
  for (const { name } of graph.output) {
    if (!known.has(name)) problems.push(`output "${name}" must be made by a node, got nothing that makes it`);
  }
  for (const { name } of graph.valueInfo) {
    if (!known.has(name)) problems.push(`value_info "${name}" must be of a value of the graph, got an unknown name`);
  }
}

/** Types of graph outputs and value_info by name, each declared once. */
function declaredValues(graph: onnx.GraphProto, problems: string[]): Map<string, Known> {
  for (const name of repeated(graph.output.map(({ name }) => name))) {
    problems.push(`output "${name}" must be there once`);
  }
  for (const name of repeated(graph.valueInfo.map(({ name }) => name))) {
    problems.push(`value_info "${name}" must be there once`);
  }
  return new Map([
    ...graph.valueInfo.map((info) => [info.name, declaredType(info, "value_info", problems)] as const),
    ...graph.output.map((info) => [info.name, declaredType(info, "output", problems)] as const),
  ]);
}

function declaredType(info: onnx.ValueInfoProto, role: string, problems: string[]): Known {
  const type = typeOf(info);
  const say = (text: string): number => problems.push(`${role} "${info.name}" ${text}`);
  if (type === undefined) say("must be a tensor, got another type or none");
  else if (type.dtype === undefined) say("must be of float32, int32, int64, uint8 or bool, got another element type");
  else if (type.shape === undefined) say("must have a shape, got one of any rank");
  else if (type.shape.some((size) => size === "" || (typeof size === "number" && size < 0))) {
    say(`must have sizes that are numbers or names, got ${show(type.shape)}`);
  }
  return { dtype: type?.dtype, shape: type?.shape };
}

/** Integers up to this many are followed through the graph: shapes, axes, paddings. */
const followed = 64;

function constantOf(tensor: onnx.TensorProto, problems: string[]): Known {
  const dtype = dtypeOf(tensor.dataType);
  const shape = tensor.dims.map(Number);
  const say = (text: string): number => problems.push(`initializer "${tensor.name}" ${text}`);
  const count = elementCount(shape);
  if (tensor.dataLocation === 1 || tensor.externalData.length > 0) say("must hold its data, got a file outside");
  else if (dtype === undefined) say("must be of float32, int32, int64, uint8 or bool, got another element type");
  else if (shape.some((size) => size < 0)) say(`must have sizes of at least 0, got ${show(shape)}`);
  else if (storedElements(tensor) !== count) {
    say(`must hold ${count} elements for ${show(shape)}, got ${storedElements(tensor) ?? "data in several fields"}`);
  } else if (count <= followed && (dtype === "int64" || dtype === "int32")) {
    return { dtype, shape, values: integersOf(tensor) };
  } else if (count <= followed && dtype === "float32") return { dtype, shape, floats: floatsOf(tensor) };
  return { dtype, shape };
}

function disagreements(declared: Known, inferred: Known): string[] {
  const faults: string[] = [];
  if (declared.dtype !== undefined && inferred.dtype !== undefined && declared.dtype !== inferred.dtype) {
    faults.push(`must be declared as ${inferred.dtype}, got ${declared.dtype}`);
  }
  const [a, b] = [declared.shape, inferred.shape];
  if (a !== undefined && b !== undefined && (a.length !== b.length || a.some((size, i) => !mayEqual(size, b[i])))) {
    faults.push(`must be declared with the shape ${show(b)}, got ${show(a)}`);
  }
  return faults;
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
