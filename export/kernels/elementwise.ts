import * as tf from "@tensorflow/tfjs-core";
import type { Dtype } from "../../schemas/tensor.ts";
import { type GraphBuilder, sameShape, type Value } from "../builder.ts";
import type { Attributes } from "../graph.ts";
import { nchw, fromNchw, onnxDtype, plain, fromPlain, type Traced } from "../traced.ts";

/** Helpers of all kernels that work element by element: they choose the layout and broadcast as tfjs does. */

/** Applies `record` to the value of `x` in the layout that it has already. */
export function mapElements(graph: GraphBuilder, x: Traced, record: (value: Value) => Value): Traced {
  if (x.home === "nchw") return fromNchw(record(nchw(graph, x)));
  return fromPlain(record(plain(graph, x)));
}

export function unary(graph: GraphBuilder, op: string, x: Traced, attributes: Attributes = {}, dtype?: Dtype): Traced {
  return mapElements(graph, x, (value) =>
    graph.node(op, [value], { dtype: dtype ?? value.dtype, shape: value.shape }, attributes),
  );
}

/**
 * Applies `record` to values that broadcast against each other (NumPy rules, aligned at the last axis). If one of them
 * lives in NCHW and has the full shape, all are brought there; scalars stay scalars.
 */
export function mapBroadcast(
  graph: GraphBuilder,
  traced: readonly Traced[],
  record: (values: readonly Value[], shape: readonly number[]) => Value,
): Traced {
  const shape = traced.map((s) => [...s.shape]).reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b));
  const inNchw = shape.length === 4 && traced.some((s) => s.home === "nchw" && sameShape(s.shape, shape));
  const scalarsSuffice = traced.some((s) => s.splat === undefined && sameShape(s.shape, shape));
  const values = traced.map((s) => {
    if (s.splat !== undefined && scalarsSuffice) return graph.scalar(s.splat, onnxDtype(s.dtype));
    if (s.shape.length === 0) return plain(graph, s);
    return inNchw ? nchwAligned(graph, s) : plain(graph, s);
  });
  return inNchw ? fromNchw(record(values, nchwShape(shape))) : fromPlain(record(values, shape));
}

/** [.., channels] aligned to rank 4 and brought to NCHW, for instance a bias [32] as [1, 32, 1, 1]. */
function nchwAligned(graph: GraphBuilder, symbol: Traced): Value {
  if (symbol.shape.length === 4) return nchw(graph, symbol);
  const padded = [...new Array<number>(4 - symbol.shape.length).fill(1), ...symbol.shape];
  return graph.transpose(graph.reshape(plain(graph, symbol), padded), [0, 3, 1, 2]);
}

function nchwShape(shape: readonly number[]): readonly number[] {
  return [shape[0]!, shape[3]!, shape[1]!, shape[2]!];
}

export function binary(graph: GraphBuilder, op: string, a: Traced, b: Traced, dtype?: Dtype): Traced {
  return mapBroadcast(graph, [a, b], (values, shape) =>
    graph.node(op, values, { dtype: dtype ?? values[0]!.dtype, shape }),
  );
}
