import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import {
  datatypeOf,
  type InferInput,
  type InferRequest,
  inferRequestSchema,
  type Parameters,
} from "../../schemas/open-inference.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { meantOrAll } from "../../schemas/nearest.ts";
import { preview, validate } from "../../schemas/validate.ts";
import { parseJson, parseText, textOf } from "../http/body.ts";
import { type BlobReader, byteCount, splitMessage, tensorOf } from "./binary-tensors.ts";
import { KnownTexts } from "./known-texts.ts";
import { readData, showShape } from "./json-tensors.ts";

/** A body of `infer` in any of its forms, to what the engine is asked for. */

export interface InferCall {
  readonly id: string | undefined;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  /** In the order asked for. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[];
  readonly priority: number | undefined;
  readonly timeoutMs: number | undefined;
}

export interface ModelTensors {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Where the path leads. */
export interface Addressed {
  /** The model as the client calls it. */
  readonly called: string;
  /** `<bundle>.<task>` */
  readonly name: string;
  readonly version: string;
}

type Path = readonly (string | number)[];

/**
 * @param headerLength of the HTTP header Inference-Header-Content-Length: the length of the JSON part; 0: all of the body
 *   is the one input of the model; undefined: all of it is JSON
 * @throws UsageError with the path of the fault inside the JSON part
 */
export function readInferRequest(
  body: Uint8Array,
  { headerLength, model, to }: { headerLength: number | undefined; model: ModelTensors; to: Addressed },
): InferCall {
  if (headerLength === 0) return readRaw(body, model);
  const { json, blobs } = splitMessage(body, headerLength ?? body.byteLength);
  const request = headerLength === undefined ? checked(parseJson(json)) : binaryHeaders.meaningOf(textOf(json));
  checkAddress(request, to);
  const inputs = readInputs(request.inputs, model.inputs, headerLength === undefined ? undefined : blobs);
  blobs.end();
  const parameters = request.parameters ?? {};
  const timeout = wholeParameter(parameters, "timeout");
  return {
    id: request.id ?? undefined,
    inputs,
    outputs: readOutputs(request, model.outputs),
    priority: wholeParameter(parameters, "priority"),
    timeoutMs: timeout === undefined ? undefined : timeout / 1000,
  };
}

function checked(document: unknown): InferRequest {
  return validate(inferRequestSchema, document, "read request");
}

/** Without those that bear an id, which is another each time. */
const binaryHeaders = new KnownTexts<InferRequest>(
  (text) => checked(parseText(text)),
  ({ id }) => id == null,
);

/** A body may say again which model it is for: one that was meant for another must not be answered by this one. */
function checkAddress({ model_name: name, model_version: version }: InferRequest, to: Addressed): void {
  if (name != null && name !== to.called && name !== to.name) {
    throw fault(`model_name must be "${to.called}" as in the path, or be left out, got ${preview(name)}`, [
      "model_name",
    ]);
  }
  // Empty is how the protocol's gRPC form says none.
  if (version != null && version !== "" && version !== to.version) {
    const hint = `the path leads to; /v2/models/${to.called}/versions/{version}/infer asks for another`;
    throw fault(`model_version must be "${to.version}", which ${hint}; got ${preview(version)}`, ["model_version"]);
  }
}

/**
 * The raw form: the body is the model's one input, whose rows are counted by its length (Triton takes one row only, so
 * what Triton takes means the same here). All outputs come back binary.
 */
function readRaw(body: Uint8Array, { inputs, outputs }: ModelTensors): InferCall {
  const [spec] = inputs;
  if (spec === undefined || inputs.length > 1 || spec.shape.filter((size) => size === -1).length > 1) {
    const got = inputs.map(({ name, shape }) => `"${name}" ${showShape(shape)}`).join(", ") || "none";
    throw fault(`a raw body needs a model with one input of one variable size, got ${got}`, []);
  }
  const rowBytes = byteCount(
    spec.dtype,
    spec.shape.map((size) => Math.abs(size)),
  );
  const rows = spec.shape.includes(-1) ? Math.floor(body.byteLength / rowBytes) : 1;
  if (rows < 1 || rows * rowBytes !== body.byteLength) {
    throw fault(`a raw body must be rows of ${rowBytes} bytes for "${spec.name}", got ${body.byteLength} bytes`, []);
  }
  const shape = spec.shape.map((size) => (size === -1 ? rows : size));
  return {
    id: undefined,
    inputs: { [spec.name]: tensorOf(body, { name: spec.name, dtype: spec.dtype, shape }) },
    outputs: outputs.map(({ name }) => ({ name, binary: true })),
    priority: undefined,
    timeoutMs: undefined,
  };
}

/** @param blobs undefined: the body has no binary part */
function readInputs(
  inputs: readonly InferInput[],
  specs: readonly TensorSpec[],
  blobs: BlobReader | undefined,
): Record<string, HostTensor> {
  const tensors: Record<string, HostTensor> = {};
  let batch: { size: number; of: string } | undefined;
  for (const [index, input] of inputs.entries()) {
    const path = ["inputs", index];
    const spec = specs.find((candidate) => candidate.name === input.name);
    if (spec === undefined) throw unknownName("input", { name: input.name, specs, path: [...path, "name"] });
    if (Object.hasOwn(tensors, spec.name)) throw fault(`input "${spec.name}" is there twice`, [...path, "name"]);
    checkType(input, spec, path);
    const size = input.shape[spec.shape.indexOf(-1)];
    if (size !== undefined) {
      batch ??= { size, of: spec.name };
      if (batch.size !== size) {
        throw fault(`"${spec.name}" must have ${batch.size} rows as "${batch.of}" has, got ${size}`, [
          ...path,
          "shape",
        ]);
      }
    }
    tensors[spec.name] = readTensor(input, { spec, path, blobs });
  }
  const missing = specs.filter((spec) => !Object.hasOwn(tensors, spec.name)).map((spec) => `"${spec.name}"`);
  if (missing.length > 0) throw fault(`input ${missing.join(" and ")} is missing`, ["inputs"]);
  return tensors;
}

function readTensor(
  { name, shape, data, parameters }: InferInput,
  { spec: { dtype }, path, blobs }: { spec: TensorSpec; path: Path; blobs: BlobReader | undefined },
): HostTensor {
  const size = wholeParameter(parameters ?? {}, "binary_data_size", path);
  if (size === undefined) {
    if (data == null) throw fault(`"${name}" must have data, or binary_data_size, got neither`, path);
    return { dtype, shape, data: readData(data, { name, dtype, shape, path: [...path, "data"] }) };
  }
  const at = [...path, "parameters", "binary_data_size"];
  if (data != null) throw fault(`"${name}" must have either data or binary_data_size, got both`, at);
  if (blobs === undefined) {
    const header = "the HTTP header Inference-Header-Content-Length, the length of the JSON part";
    throw fault(`"${name}" has binary_data_size, so the request must have ${header}; got none`, at);
  }
  return tensorOf(blobs.take(size, { name, path: at }), { name, dtype, shape, path: at });
}

function readOutputs(request: InferRequest, specs: readonly TensorSpec[]): InferCall["outputs"] {
  const all = booleanParameter(request.parameters ?? {}, "binary_data_output", []) ?? false;
  if (request.outputs == null || request.outputs.length === 0) return specs.map(({ name }) => ({ name, binary: all }));
  const outputs = request.outputs.map(({ name, parameters }, index) => {
    const path = ["outputs", index];
    if (!specs.some((spec) => spec.name === name)) {
      throw unknownName("output", { name, specs, path: [...path, "name"] });
    }
    return { name, binary: booleanParameter(parameters ?? {}, "binary_data", path) ?? all };
  });
  const twice = outputs.findIndex(({ name }, index) => outputs.findIndex((output) => output.name === name) !== index);
  if (twice >= 0) throw fault(`output "${outputs[twice]!.name}" is asked for twice`, ["outputs", twice, "name"]);
  return outputs;
}

function wholeParameter(parameters: Parameters, key: string, path: Path = []): number | undefined {
  const value = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
  if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)) return value;
  throw fault(`"${key}" must be a whole number from 0, got ${preview(value)}`, [...path, "parameters", key]);
}

function booleanParameter(parameters: Parameters, key: string, path: Path): boolean | undefined {
  const value = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw fault(`"${key}" must be true or false, got ${preview(value)}`, [...path, "parameters", key]);
}

function checkType(input: InferInput, spec: TensorSpec, path: Path): void {
  const datatype = datatypeOf[spec.dtype];
  if (input.datatype !== datatype) {
    throw fault(`"${spec.name}" must have datatype ${datatype}, got ${preview(input.datatype).slice(1, -1)}`, [
      ...path,
      "datatype",
    ]);
  }
  const fits =
    input.shape.length === spec.shape.length &&
    spec.shape.every((size, axis) => size === -1 || size === input.shape[axis]);
  if (!fits) {
    throw fault(`"${spec.name}" must have shape ${showShape(spec.shape)}, got ${showShape(input.shape)}`, [
      ...path,
      "shape",
    ]);
  }
}

export function unknownName(
  kind: "input" | "output",
  { name, specs, path }: { name: string; specs: readonly { readonly name: string }[]; path: Path },
): UsageError {
  const known = specs.map((spec) => spec.name);
  return fault(`unknown ${kind} ${preview(name)}${meantOrAll(name, known)}`, path);
}

function fault(text: string, path: Path): UsageError {
  return new UsageError(`Cannot infer: ${text}`, { code: "bad_inputs", path });
}
