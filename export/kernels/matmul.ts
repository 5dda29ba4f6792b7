import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { int, string } from "../graph.ts";
import { type Lowering, list, need } from "../lowering.ts";
import { fromPlain, plain } from "../traced.ts";

/** Matrix products. tf.matMul hands over rank 3 and above: [.., rows, inner] times [.., inner, columns]. */

/** A product of two matrices is one Gemm, which transposes for free; batches of matrices are a MatMul. */
export const BatchMatMul: Lowering<tf.BatchMatMulAttrs> = (graph, inputs, { transposeA, transposeB }) => {
  const [a, b] = [plain(graph, need(inputs, "a")), plain(graph, need(inputs, "b"))];
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const outer = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (a.dtype === "float32" && outer.every((size) => size === 1)) {
    const matrices = [a, b].map((value) => graph.reshape(value, value.shape.slice(-2)));
    const product = graph.node(
      "Gemm",
      matrices,
      { dtype: a.dtype, shape: [rows, columns] },
      { transA: int(transposeA ? 1 : 0), transB: int(transposeB ? 1 : 0) },
    );
    return fromPlain(graph.reshape(product, [...outer, rows, columns]));
  }
  const operands = [transposeA ? swapped(graph, a) : a, transposeB ? swapped(graph, b) : b];
  return fromPlain(graph.node("MatMul", operands, { dtype: a.dtype, shape: [...outer, rows, columns] }));
};

/** The last two axes change places. */
function swapped(graph: GraphBuilder, value: Value): Value {
  const axes = value.shape.map((_, axis) => axis);
  return graph.transpose(value, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

/** Every index of tfjs's equations is one letter, and the result is always named: ONNX's form. */
export const Einsum: Lowering<tf.EinsumAttrs> = (graph, inputs, { equation }) => {
  const values = list(inputs).map((x) => plain(graph, x));
  const compact = equation.replace(/\s/g, "");
  const [terms, result] = compact.split("->") as [string, string];
  const sizes = new Map<string, number>();
  for (const [i, term] of terms.split(",").entries()) {
    for (const [axis, letter] of [...term].entries()) sizes.set(letter, values[i]!.shape[axis]!);
  }
  const shape = [...result].map((letter) => sizes.get(letter)!);
  return fromPlain(graph.node("Einsum", values, { dtype: values[0]!.dtype, shape }, { equation: string(compact) }));
};
