import { UsageError } from "../../schemas/errors.ts";
import type { TaskManifest, TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { firstOutside, outsideWords } from "../../schemas/tensor-range.ts";
import type { FrameTensor } from "./frames.ts";

/** Requests to one batch and back: rows are put one after the other along the first axis, and taken apart again. */

export type Tensors = Readonly<Record<string, HostTensor>>;

/** Of a model: asked once, since every request needs it. */
export interface RowRules {
  readonly spec: TaskManifest;
  /** What `isBatchable` says of it. */
  readonly batchable: boolean;
}

/** Whether rows of different requests can be put together: every input and output has the batch first, and only there. */
export function isBatchable({ inputs, outputs }: TaskManifest): boolean {
  return inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape.lastIndexOf(-1) === 0);
}

/**
 * Rows of a request; 1 where rows cannot be told apart. The HTTP side has checked the request with better words; this
 * guards a batch against a tensor that would fail it for everybody in it, for instance after a reload changed the model.
 *
 * @throws UsageError when the tensors are not those of the model
 */
export function rowsOf(tensors: Tensors, { spec, batchable }: RowRules): number {
  let rows: number | undefined;
  for (const input of spec.inputs) {
    const tensor = tensors[input.name];
    if (tensor === undefined) throw misfit(input, "nothing");
    const fits =
      tensor.dtype === input.dtype &&
      tensor.shape.length === input.shape.length &&
      tensor.data.length === elementCount(tensor.shape) &&
      input.shape.every((size, axis) => {
        const actual = tensor.shape[axis]!;
        if (size !== -1) return size === actual;
        rows ??= actual;
        return rows === actual && rows >= 1;
      });
    if (!fits) throw misfit(input, `${tensor.dtype} [${tensor.shape.join(", ")}]`);
    const at = firstOutside(input, tensor.data);
    if (at !== undefined) {
      const message = `Cannot infer: ${outsideWords(input, tensor.data[at])} at [${at}]`;
      throw new UsageError(message, { code: "bad_inputs", path: ["inputs", input.name] });
    }
  }
  for (const name of Object.keys(tensors)) {
    if (!spec.inputs.some((input) => input.name === name)) {
      throw new UsageError(`Cannot infer: unknown input "${name}"`, { code: "bad_inputs", path: ["inputs", name] });
    }
  }
  return batchable ? rows! : 1;
}

function misfit({ name, dtype, shape }: TensorSpec, actual: string): UsageError {
  const wanted = `${dtype} [${shape.map((size) => (size === -1 ? "n" : size)).join(", ")}]`;
  return new UsageError(`Cannot infer: "${name}" must be ${wanted}, got ${actual}`, {
    code: "bad_inputs",
    path: ["inputs", name],
  });
}

/**
 * The inputs of several requests as one.
 *
 * @param rows of all of them together, and of zeros behind them
 */
export function joinRows(
  requests: readonly Tensors[],
  { spec, batchable, rows }: RowRules & { rows: number },
): Record<string, FrameTensor> {
  const joined: Record<string, FrameTensor> = {};
  for (const { name, dtype } of spec.inputs) {
    const { shape } = requests[0]![name]!;
    joined[name] = {
      dtype,
      shape: batchable ? [rows, ...shape.slice(1)] : shape,
      pieces: requests.map((tensors) => tensors[name]!.data),
    };
  }
  return joined;
}

/**
 * The outputs of a batch as those of its requests: views, nothing is copied.
 *
 * @param rows of each request
 */
export function splitRows(outputs: Tensors, rows: readonly number[], { batchable }: RowRules): Tensors[] {
  if (!batchable) return [outputs];
  const entries = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
    const rowShape = shape.slice(1);
    return { name, dtype, rowShape, rowSize: elementCount(rowShape), data };
  });
  let first = 0;
  return rows.map((count) => {
    const own: Record<string, HostTensor> = {};
    for (const { name, dtype, rowShape, rowSize, data } of entries) {
      own[name] = {
        dtype,
        shape: [count, ...rowShape],
        data: data.subarray(first * rowSize, (first + count) * rowSize),
      };
    }
    first += count;
    return own;
  });
}

/** The smallest of `buckets` that holds `rows`; `rows` itself when none does. */
export function bucketOf(rows: number, buckets: readonly number[]): number {
  let best = rows;
  let found = false;
  for (const bucket of buckets) {
    if (bucket < rows || (found && bucket >= best)) continue;
    best = bucket;
    found = true;
  }
  return best;
}
