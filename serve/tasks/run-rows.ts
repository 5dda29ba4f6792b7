import type { HostTensor, TensorData } from "../../schemas/tensor.ts";
import type { PinnedBundle, ServedModel } from "../engine/inference-engine.ts";

/**
 * Runs any number of rows: as many at a time as one request may carry, one after the other, so that others get their
 * turn in between. Of a pinned bundle, since a reload in between would mix the answers of two models.
 *
 * @param onRows is told how many rows are done
 * @throws as `InferenceEngine.infer`
 */
export async function runRows(
  bundle: Pick<PinnedBundle, "infer">,
  model: ServedModel,
  {
    inputs,
    outputs,
    rows,
    signal,
    onRows = () => undefined,
  }: {
    inputs: Readonly<Record<string, HostTensor>>;
    outputs?: readonly string[] | undefined;
    rows: number;
    signal: AbortSignal;
    onRows?: (done: number) => void;
  },
): Promise<Record<string, HostTensor>> {
  const atOnce = Math.min(rows, model.limits.maxBatchRows ?? rows);
  const parts: Readonly<Record<string, HostTensor>>[] = [];
  for (let start = 0; start < rows; start += atOnce) {
    const end = Math.min(rows, start + atOnce);
    const answer = await bundle.infer({
      model: model.name,
      version: model.version,
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, slice(tensor, start, end)])),
      ...(outputs === undefined ? {} : { outputs }),
      signal,
    });
    parts.push(answer.outputs);
    onRows(end);
  }
  const names = Object.keys(parts[0]!);
  return Object.fromEntries(names.map((name) => [name, join(parts.map((part) => part[name]!))]));
}

function slice({ dtype, shape, data }: HostTensor, start: number, end: number): HostTensor {
  const size = data.length / shape[0]!;
  return { dtype, shape: [end - start, ...shape.slice(1)], data: data.subarray(start * size, end * size) };
}

function join(parts: readonly HostTensor[]): HostTensor {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  const length = parts.reduce((sum, { data }) => sum + data.length, 0);
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const ArrayClass = first.data.constructor as new (length: number) => TensorData;
  const data = new ArrayClass(length);
  let at = 0;
  for (const part of parts) {
    // Both are of one class, which the union does not tell the compiler.
    (data as Float32Array).set(part.data as Float32Array, at);
    at += part.data.length;
  }
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], data };
}
