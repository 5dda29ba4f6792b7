import { stream } from "../../information/random.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";
import type { Model } from "./model.ts";

/** Inputs to run a task with: rows of the bundle's sample where it has them, else seeded noise. */
export function exampleFeeds(
  model: Model,
  task: string,
  { tensors, rows, seed }: { tensors: ReadonlyMap<string, HostTensor>; rows: readonly number[]; seed: number },
): Record<string, HostTensor> {
  const feeds: Record<string, HostTensor> = {};
  for (const { name, dtype, shape } of model.task(task)?.inputs ?? []) {
    const known = sampleOfInput(tensors, { task, input: name });
    feeds[name] =
      known === undefined
        ? { dtype, shape: [rows.length, ...shape.slice(1)], data: madeUp({ name, dtype, shape }, { rows, seed }) }
        : takeRows(known, rows);
  }
  return feeds;
}

/**
 * The sample of an input: under its own name, or, where a bundle holds several problems, under `<PROBLEM>_<input>` for
 * the task `<task>_<problem>`.
 */
export function sampleOfInput(
  tensors: ReadonlyMap<string, HostTensor>,
  { task, input }: { task: string; input: string },
): HostTensor | undefined {
  const found = [...tensors].find(([key]) => {
    const problem = key.endsWith(`_${input}`) ? key.slice(0, -input.length - 1).toLowerCase() : undefined;
    return key === input || (problem !== undefined && task.endsWith(`_${problem}`));
  });
  return found?.[1];
}

/** @param rows numbers of rows; those past the end begin anew */
export function takeRows({ dtype, shape, data }: HostTensor, rows: readonly number[]): HostTensor {
  const size = elementCount(shape.slice(1));
  const picked = emptyData(dtype, rows.length * size);
  for (const [at, row] of rows.entries()) {
    const from = (row % shape[0]!) * size;
    // Both are arrays of one type, whichever it is.
    (picked as Float32Array).set((data as Float32Array).subarray(from, from + size), at * size);
  }
  return { dtype, shape: [rows.length, ...shape.slice(1)], data: picked };
}

/** Codes and noise are standard normal, pixels uniform; what else there is, labels for instance, is 0. */
function madeUp(
  { name, dtype, shape }: { name: string; dtype: Dtype; shape: readonly number[] },
  { rows, seed }: { rows: readonly number[]; seed: number },
): TensorData {
  const size = elementCount(shape.slice(1));
  const data = emptyData(dtype, rows.length * size);
  if (dtype !== "float32" && dtype !== "uint8") return data;
  for (const [at, row] of rows.entries()) {
    const random = stream(seed, "example", name, row);
    for (let i = 0; i < size; i++) data[at * size + i] = dtype === "float32" ? random.normal() : random.integer(256);
  }
  return data;
}

function emptyData(dtype: Dtype, length: number): TensorData {
  if (dtype === "float32") return new Float32Array(length);
  if (dtype === "int64") return new BigInt64Array(length);
  return dtype === "int32" ? new Int32Array(length) : new Uint8Array(length);
}
