import * as tf from "@tensorflow/tfjs-core";

type Named = Readonly<Record<string, tf.Tensor>>;

/**
 * `fn` over blocks of `rows` rows of its batch inputs, results joined along axis 0: the same values and gradients as
 * `fn(tensors)` for any function that treats rows independently (every network without batch statistics), with
 * intermediate results small enough for the processor's cache. A loss computed on the joined outputs stays exact,
 * terms that look across the batch included.
 *
 * @param tensors each [batch, ...], all with the same batch
 * @param rows rows per pass; 0, or at least the batch, makes one pass. The last block may be smaller.
 * @throws RangeError if the batches differ or `rows` is not a whole number of at least 0
 */
export function inChunks<Out extends Record<string, tf.Tensor>>(
  fn: (tensors: Record<string, tf.Tensor>) => Out,
  tensors: Named,
  rows: number,
): Out {
  const batch = commonBatch(tensors);
  if (!Number.isInteger(rows) || rows < 0) {
    throw new RangeError(`Cannot run in chunks: rows must be a whole number of at least 0, got ${rows}`);
  }
  if (rows === 0 || rows >= batch) return fn({ ...tensors });
  const parts: Out[] = [];
  for (let first = 0; first < batch; first += rows) {
    parts.push(fn(sliceRows(tensors, first, Math.min(rows, batch - first))));
  }
  const names = Object.keys(parts[0]!);
  return Object.fromEntries(
    names.map((name) => [
      name,
      tf.concat(
        parts.map((part) => part[name]!),
        0,
      ),
    ]),
  ) as Out;
}

function sliceRows(tensors: Named, first: number, count: number): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const rest = tensor.shape.slice(1);
      return [name, tf.slice(tensor, [first, ...rest.map(() => 0)], [count, ...rest])];
    }),
  );
}

function commonBatch(tensors: Named): number {
  const sizes = Object.entries(tensors).map(([name, tensor]) => ({ name, size: tensor.shape[0] }));
  const first = sizes[0];
  const odd = sizes.find(({ size }) => size === undefined || size !== first!.size);
  if (first?.size === undefined || odd !== undefined) {
    const seen = sizes.map(({ name, size }) => `${name}: ${size ?? "scalar"}`).join(", ");
    throw new RangeError(`Cannot run in chunks: tensors must share their first dimension, got ${seen || "none"}`);
  }
  return first.size;
}
