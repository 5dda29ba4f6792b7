import { stream } from "../../information/random.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";
import { preview } from "../../schemas/validate.ts";
import { readData, showShape } from "../protocol/json-tensors.ts";
import { isNoise } from "./find-task.ts";
import { isImageInput, readImage } from "./images.ts";

/** What a person gives for inputs, to tensors. */

type Path = readonly (string | number)[];

/** A value of the JSON body, or PNG files of another. */
export type GivenInput = unknown | readonly Uint8Array[];

/**
 * @throws UsageError with the path of the fault
 * @throws HttpError 422 for an image that does not fit
 */
export function readInput(value: GivenInput, spec: TensorSpec): HostTensor {
  const path = ["inputs", spec.name];
  const pictures = picturesIn(value, { spec, path });
  if (pictures !== undefined) return pictures;
  if (!Array.isArray(value) && !(spec.shape.length === 1 && typeof value !== "object")) {
    const also = isImageInput(spec) ? ", or a PNG in base64" : "";
    throw fault(`"${spec.name}" must be numbers ${showShape(spec.shape)}${also}, got ${preview(value)}`, path);
  }
  const batch = depthOf(value) === spec.shape.length - 1 ? [value] : (value as unknown[]);
  if (batch.length === 0) throw fault(`"${spec.name}" must have at least one row, got none`, path);
  const shape = spec.shape.map((size) => (size === -1 ? batch.length : size));
  return { dtype: spec.dtype, shape, data: readData(batch, { name: spec.name, dtype: spec.dtype, shape, path }) };
}

/** Arrays around the first value; a stranger's array may be nested beyond any rank. */
function depthOf(value: unknown): number {
  let depth = 0;
  for (let inner = value; Array.isArray(inner) && depth < 10; inner = inner[0]) depth++;
  return depth;
}

function picturesIn(value: GivenInput, { spec, path }: { spec: TensorSpec; path: Path }): HostTensor | undefined {
  const parts = typeof value === "string" ? [value] : value;
  if (!Array.isArray(parts) || parts.length === 0) return undefined;
  const isPart = (part: unknown) => typeof part === "string" || part instanceof Uint8Array;
  if (!parts.every(isPart)) return undefined;
  if (!isImageInput(spec)) {
    if (parts[0] instanceof Uint8Array) throw fault(`"${spec.name}" must be numbers, got an image`, path);
    return undefined; // INT64 as decimal strings
  }
  const size = elementCount(spec.shape.slice(1));
  const data = new Uint8Array(parts.length * size);
  for (const [row, part] of (parts as (string | Uint8Array)[]).entries()) {
    const at = Array.isArray(value) ? [...path, row] : path;
    const bytes = typeof part === "string" ? fromBase64(part, { name: spec.name, path: at }) : part;
    data.set(readImage(bytes, { spec, path: at }), row * size);
  }
  return { dtype: "uint8", shape: [parts.length, ...spec.shape.slice(1)], data };
}

function fromBase64(text: string, { name, path }: { name: string; path: Path }): Uint8Array {
  const plain = text.replace(/^data:image\/png;base64,/, "");
  // Buffer.from skips what is not base64, and would answer for another image than the one that was meant.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(plain))
    throw fault(`"${name}" must be base64 of a PNG, got ${preview(text)}`, path);
  return Buffer.from(plain, "base64");
}

/**
 * All inputs of a task: those given, each row `samples` times over, and the noise that nobody gave, drawn from the seed
 * by its name. Row i of a noise does not depend on how many rows there are.
 *
 * @throws UsageError for unequal rows, or more than `maxRows`
 */
export function fillInputs(
  specs: readonly TensorSpec[],
  {
    given,
    samples,
    seed,
    maxRows,
  }: { given: Readonly<Record<string, HostTensor>>; samples: number; seed: number; maxRows: number },
): { inputs: Record<string, HostTensor>; rows: number } {
  const sizes = Object.entries(given).map(([name, { shape }]) => ({ name, rows: shape[0]! }));
  const odd = sizes.find(({ rows }) => rows !== sizes[0]!.rows);
  if (odd !== undefined) {
    const { name, rows } = sizes[0]!;
    throw fault(`"${odd.name}" must have ${rows} rows as "${name}" has, got ${odd.rows}`, ["inputs", odd.name]);
  }
  const rows = (sizes[0]?.rows ?? 1) * samples;
  if (rows > maxRows) {
    throw new UsageError(`Cannot run task: rows times samples must be at most ${maxRows}, got ${rows}`, {
      code: "too_many_rows",
      path: ["inputs"],
    });
  }
  const inputs = specs.map((spec) => {
    const tensor = given[spec.name];
    return [spec.name, tensor === undefined ? drawNoise(spec, { rows, seed }) : repeatRows(tensor, samples)] as const;
  });
  return { inputs: Object.fromEntries(inputs), rows };
}

/** Whether anything is left to draw. */
export function draws(specs: readonly TensorSpec[], given: Readonly<Record<string, unknown>>): boolean {
  return specs.some((spec) => isNoise(spec) && !Object.hasOwn(given, spec.name));
}

function drawNoise(spec: TensorSpec, { rows, seed }: { rows: number; seed: number }): HostTensor {
  const { normal } = stream(seed, "noise", spec.name);
  const shape = spec.shape.map((size) => (size === -1 ? rows : size));
  return { dtype: "float32", shape, data: Float32Array.from({ length: elementCount(shape) }, normal) };
}

function repeatRows(tensor: HostTensor, times: number): HostTensor {
  if (times === 1) return tensor;
  const { dtype, shape, data } = tensor;
  const rows = shape[0]!;
  const size = data.length / rows;
  const ArrayClass = data.constructor as new (length: number) => TensorData;
  const repeated = new ArrayClass(data.length * times);
  for (let at = 0; at < rows * times; at++) {
    const row = Math.floor(at / times);
    for (let i = 0; i < size; i++) repeated[at * size + i] = data[row * size + i]!;
  }
  return { dtype, shape: [rows * times, ...shape.slice(1)], data: repeated };
}

function fault(text: string, path: Path): UsageError {
  return new UsageError(`Cannot run task: ${text}`, { code: "bad_inputs", path });
}
