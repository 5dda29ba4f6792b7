import { UsageError } from "../schemas/errors.ts";
import type { TensorSpec } from "../schemas/manifest.ts";
import { datatypeOf, type InferInput, type InferOutput, type InferRequest } from "../schemas/open-inference.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../schemas/tensor.ts";
import { nearest } from "../schemas/validate.ts";
import { HttpError } from "./http-error.ts";

/** Tensors of the Open Inference Protocol's JSON form, to host tensors and back. */

type Path = readonly (string | number)[];

function fault(text: string, path: Path): UsageError {
  return new UsageError(`Cannot infer: ${text}`, { code: "bad_inputs", path });
}

/**
 * The inputs of a request, checked against the model.
 *
 * @throws UsageError with the path of the fault inside the body
 */
export function readInputs(inputs: readonly InferInput[], specs: readonly TensorSpec[]): Record<string, HostTensor> {
  const tensors: Record<string, HostTensor> = {};
  let batch: { size: number; of: string } | undefined;
  for (const [index, input] of inputs.entries()) {
    const path = ["inputs", index];
    const spec = specs.find((candidate) => candidate.name === input.name);
    if (spec === undefined) throw unknownName("input", { name: input.name, specs, path: [...path, "name"] });
    if (Object.hasOwn(tensors, spec.name)) throw fault(`input "${spec.name}" is there twice`, [...path, "name"]);
    refuseBinary(input.parameters, [...path, "parameters"]);
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
    const data = readData(input, spec.dtype, [...path, "data"]);
    tensors[spec.name] = { dtype: spec.dtype, shape: input.shape, data };
  }
  const missing = specs.filter((spec) => !Object.hasOwn(tensors, spec.name)).map((spec) => `"${spec.name}"`);
  if (missing.length > 0) throw fault(`input ${missing.join(" and ")} is missing`, ["inputs"]);
  return tensors;
}

/** Names of the outputs that a request asks for: all of them if it names none. */
export function readOutputs(request: InferRequest, specs: readonly TensorSpec[]): string[] {
  refuseBinary(request.parameters, ["parameters"]);
  if (request.outputs === undefined) return specs.map((spec) => spec.name);
  const names = request.outputs.map((output, index) => {
    const path = ["outputs", index];
    refuseBinary(output.parameters, [...path, "parameters"]);
    if (!specs.some((spec) => spec.name === output.name)) {
      throw unknownName("output", { name: output.name, specs, path: [...path, "name"] });
    }
    return output.name;
  });
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice >= 0) throw fault(`output "${names[twice]}" is asked for twice`, ["outputs", twice, "name"]);
  return names;
}

function unknownName(
  kind: "input" | "output",
  { name, specs, path }: { name: string; specs: readonly TensorSpec[]; path: Path },
): UsageError {
  const known = specs.map((spec) => spec.name);
  const meant = nearest(name, known);
  const hint = meant === undefined ? `it must be one of ${known.join(", ")}` : `did you mean "${meant}"?`;
  return fault(`unknown ${kind} "${name}", ${hint}`, path);
}

/** The binary tensor extension is not offered yet: ignoring its parameters would answer something else. */
function refuseBinary(parameters: InferRequest["parameters"], path: Path): void {
  for (const [key, value] of Object.entries(parameters ?? {})) {
    if (key.startsWith("binary_data") && value !== false) {
      throw fault(`"${key}" needs the binary tensor extension, which this server does not offer; send JSON data`, [
        ...path,
        key,
      ]);
    }
  }
}

function checkType(input: InferInput, spec: TensorSpec, path: Path): void {
  const datatype = datatypeOf[spec.dtype];
  if (input.datatype !== datatype) {
    throw fault(`"${spec.name}" must have datatype ${datatype}, got ${input.datatype}`, [...path, "datatype"]);
  }
  const fits =
    input.shape.length === spec.shape.length &&
    spec.shape.every((size, axis) => size === -1 || size === input.shape[axis]);
  if (!fits) {
    throw fault(`"${spec.name}" must have shape ${show(spec.shape)}, got ${show(input.shape)}`, [...path, "shape"]);
  }
}

function show(shape: readonly number[]): string {
  return `[${shape.map((size) => (size === -1 ? "n" : size)).join(", ")}]`;
}

interface Element {
  readonly make: (count: number) => TensorData;
  readonly wanted: string;
  /** The element as the array stores it, or undefined. */
  readonly read: (value: unknown) => number | bigint | undefined;
}

function integers(minimum: number, maximum: number): Element["read"] {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined;
}

/** Beyond 2^53 a JSON number has lost digits before it gets here, so such integers travel as decimal strings. */
function readInt64(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return undefined;
  return BigInt.asIntN(64, BigInt(value)) === BigInt(value) ? BigInt(value) : undefined;
}

const elements: Record<Dtype, Element> = {
  float32: {
    make: (count) => new Float32Array(count),
    wanted: "a number that float32 can hold",
    read: (value) => (typeof value === "number" && Number.isFinite(Math.fround(value)) ? value : undefined),
  },
  int32: {
    make: (count) => new Int32Array(count),
    wanted: "an integer of 32 bits",
    read: integers(-(2 ** 31), 2 ** 31 - 1),
  },
  uint8: { make: (count) => new Uint8Array(count), wanted: "an integer from 0 to 255", read: integers(0, 255) },
  bool: {
    make: (count) => new Uint8Array(count),
    wanted: "true or false",
    read: (value) => (typeof value === "boolean" ? Number(value) : undefined),
  },
  int64: {
    make: (count) => new BigInt64Array(count),
    wanted: "a safe integer, or a decimal string of 64 bits",
    read: readInt64,
  },
};

function readData({ data, shape, name }: InferInput, dtype: Dtype, path: Path): TensorData {
  const nested = Array.isArray(data[0]);
  // Sizes are compared before memory is asked for: a small body can claim a huge shape.
  if (nested) checkNesting(data, { shape, name, path });
  else if (data.length !== elementCount(shape)) {
    throw fault(`"${name}" must hold ${elementCount(shape)} values for shape ${show(shape)}, got ${data.length}`, path);
  }
  const flat = nested ? (data.flat(shape.length - 1) as unknown[]) : data;
  const { make, read, wanted } = elements[dtype];
  const array = make(flat.length);
  for (let i = 0; i < flat.length; i++) {
    const value = read(flat[i]);
    if (value === undefined) {
      const where = nested ? indexOf(i, shape) : [i];
      const actual = typeof flat[i] === "number" ? String(flat[i]) : JSON.stringify(flat[i]).slice(0, 40);
      throw fault(`"${name}" must hold ${wanted} at [${where.join(", ")}], got ${actual}`, [...path, ...where]);
    }
    array[i] = value;
  }
  return array;
}

function checkNesting(
  data: readonly unknown[],
  { shape, name, path }: { shape: readonly number[]; name: string; path: Path },
): void {
  const [size, ...inner] = shape;
  if (data.length !== size) {
    throw fault(`"${name}" must have ${size ?? "no"} entries at ${path.join(".")}, got ${data.length}`, path);
  }
  if (inner.length === 0) return; // elements that are arrays are refused one by one, with their place
  for (const [index, row] of data.entries()) {
    const at = [...path, index];
    if (!Array.isArray(row)) throw fault(`"${name}" must have an array at ${at.join(".")}, got ${typeof row}`, at);
    checkNesting(row, { shape: inner, name, path: at });
  }
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index;
}

/**
 * An output in JSON form, flat and row-major. float32 values keep every digit: they parse back to the same float32.
 *
 * @throws HttpError 422 for NaN or infinity, which JSON cannot say
 */
export function writeOutput(name: string, { dtype, shape, data }: HostTensor): InferOutput {
  if (dtype === "float32") {
    const bad = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      const where = indexOf(bad, shape).join(", ");
      throw new HttpError(
        `Cannot answer in JSON: output "${name}" must be finite, got ${data[bad]} at [${where}]; look for extreme inputs`,
        { status: 422, code: "non_finite_output", path: ["outputs", name] },
      );
    }
  }
  return { name, shape, datatype: datatypeOf[dtype], data: writeData(dtype, data) };
}

function writeData(dtype: Dtype, data: TensorData): (number | boolean | string)[] {
  if (data instanceof BigInt64Array) {
    return Array.from(data, (value) => {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    });
  }
  return dtype === "bool" ? Array.from(data, (value) => value !== 0) : Array.from(data);
}
