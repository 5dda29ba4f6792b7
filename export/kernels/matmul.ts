import type { BatchMatMulAttrs } from "@tensorflow/tfjs-core";
import { type Lowering, need } from "../lowering.ts";
import { plain, fromPlain } from "../traced.ts";
import type { GraphBuilder, Value } from "../builder.ts";
import { int } from "../graph.ts";

/** Swaps the last two axes. */
function transposed(graph: GraphBuilder, value: Value): Value {
  const rank = value.shape.length;
  const perm = value.shape.map((_, axis) => axis);
  [perm[rank - 1], perm[rank - 2]] = [rank - 2, rank - 1];
  return graph.transpose(value, perm);
}

/** tf.matMul; rank 2 arrives as rank 3 with a leading 1 and becomes one Gemm, which transposes for free. */
export const BatchMatMul: Lowering<BatchMatMulAttrs> = (graph, inputs, { transposeA, transposeB }) => {
  const a = plain(graph, need(inputs, "a"));
  const b = plain(graph, need(inputs, "b"));
  const rank = a.shape.length;
  const rows = a.shape[rank - (transposeA ? 1 : 2)]!;
  const columns = b.shape[b.shape.length - (transposeB ? 2 : 1)]!;
  const isSingle = (value: Value): boolean => value.shape.slice(0, -2).every((size) => size === 1);
  if (isSingle(a) && isSingle(b)) {
    const [a2, b2] = [a, b].map((value) => graph.reshape(value, value.shape.slice(-2)));
    const product = graph.node(
      "Gemm",
      [a2, b2],
      { dtype: a.dtype, shape: [rows, columns] },
      { transA: int(transposeA ? 1 : 0), transB: int(transposeB ? 1 : 0) },
    );
    return fromPlain(graph.reshape(product, [...(rank >= b.shape.length ? a : b).shape.slice(0, -2), rows, columns]));
  }
  const left = transposeA ? transposed(graph, a) : a;
  const right = transposeB ? transposed(graph, b) : b;
  const batch = broadcastBatch(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return fromPlain(graph.node("MatMul", [left, right], { dtype: a.dtype, shape: [...batch, rows, columns] }));
};

function broadcastBatch(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    return x === 1 ? y : x;
  });
}
