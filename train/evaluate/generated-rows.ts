import type { Matrix } from "../../information/matrix.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { stream } from "../random.ts";
import type { CompiledTasks } from "./compile-tasks.ts";

/** Rows for generating tasks, and rows that they return. */

export const blockRows = 500;

/** Some rows of many that are generated together. */
export interface Block {
  readonly rows: number;
  readonly at: number;
}

export function blocksOf(images: number): Block[] {
  return Array.from({ length: Math.ceil(images / blockRows) }, (_, i) => ({
    rows: Math.min(blockRows, images - i * blockRows),
    at: i * blockRows,
  }));
}

/**
 * Every noise input of a task, standard normal.
 *
 * @param silent noise that is 0 instead, for the likeliest value of a categorical code or the mean of a Gaussian one
 */
export function noiseFor(
  { tasks, seed, task, silent }: { tasks: CompiledTasks; seed: number; task: string; silent?: string | undefined },
  { rows, at }: Block,
): Record<string, HostTensor> {
  const noise: Record<string, HostTensor> = {};
  for (const [name, { shape }] of Object.entries(tasks.specs[task]!.inputs)) {
    if (!name.startsWith("noise_")) continue;
    const random = stream(seed, "generation", task, name, at);
    const columns = Number(shape[1]);
    const data = new Float32Array(rows * columns);
    if (name !== silent) for (let i = 0; i < data.length; i++) data[i] = random.normal();
    noise[name] = { dtype: "float32", shape: [rows, columns], data };
  }
  return noise;
}

/** Rows of a uint8 batch, in another order or repeated. */
export function pick({ shape, data }: HostTensor, rows: number, index: (row: number) => number): HostTensor {
  const size = data.length / shape[0]!;
  const picked = new Uint8Array(rows * size);
  for (let i = 0; i < rows; i++) {
    const at = index(i) * size;
    picked.set((data as Uint8Array).subarray(at, at + size), i * size);
  }
  return { dtype: "uint8", shape: [rows, ...shape.slice(1)], data: picked };
}

export function stack(parts: readonly Matrix[]): Matrix {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const columns = parts[0]!.columns;
  const values = new Float32Array(rows * columns);
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { rows, columns, values };
}

/** A figure of one image, of `width` x `height` values from `offset` on. */
type Trait = (image: { data: HostTensor["data"]; offset: number; width: number; height: number }) => number;

export function eachImage({ shape, data }: HostTensor, trait: Trait): number[] {
  const [rows = 0, height = 0, width = 0] = shape;
  return Array.from({ length: rows }, (_, i) => trait({ data, offset: i * height * width, width, height }));
}
