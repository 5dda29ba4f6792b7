import * as tf from "@tensorflow/tfjs-core";
import type { Dtype } from "../../schemas/tensor.ts";
import { type GraphBuilder, sameShape, type Value } from "../builder.ts";
import type { Attributes } from "../graph.ts";
import { fromNchw, fromPlain, nchw, onnxDtype, plain, type Traced } from "../traced.ts";
import { nchwOrder } from "./layout.ts";

/** Helpers of all kernels that work element by element: they choose the layout and broadcast as tfjs does. */

/** Applies `record` to the value of `x` in the layout that it has already. */
export function mapElements(graph: GraphBuilder, x: Traced, record: (value: Value) => Value): Traced {
  if (x.home === "nchw") return fromNchw(record(nchw(graph, x)));
  return fromPlain(record(plain(graph, x)));
}

/** Records an operator of one input; the result has the input's dtype unless `dtype` says otherwise. */
export function unary(graph: GraphBuilder, op: string, x: Traced, attributes: Attributes = {}, dtype?: Dtype): Traced {
  return mapElements(graph, x, (value) => apply(graph, op, [value], dtype ?? value.dtype, attributes));
}

/** One node over values that broadcast against each other; the shape follows from theirs. */
export function apply(
  graph: GraphBuilder,
  op: string,
  values: readonly Value[],
  dtype: Dtype = values[0]!.dtype,
  attributes: Attributes = {},
): Value {
  return graph.node(op, values, { dtype, shape: broadcastShape(values) }, attributes);
}

/** Element by element: `yes` where `condition`, else `no`. ONNX Runtime has no Where for bool, hence the logic. */
export function where(graph: GraphBuilder, condition: Value, yes: Value, no: Value): Value {
  if (yes.dtype !== "bool") return apply(graph, "Where", [condition, yes, no], yes.dtype);
  const not = apply(graph, "Not", [condition]);
  return apply(graph, "Or", [apply(graph, "And", [condition, yes]), apply(graph, "And", [not, no])]);
}

/**
 * Applies `record` to values that broadcast against each other (NumPy rules, aligned at the last axis). If one of them
 * lives in NCHW and has the full shape, all are brought there; scalars stay scalars.
 */
export function mapBroadcast(
  graph: GraphBuilder,
  traced: readonly Traced[],
  record: (values: readonly Value[]) => Value,
): Traced {
  const shape = broadcastShape(traced);
  const inNchw = shape.length === 4 && traced.some((s) => s.home === "nchw" && sameShape(s.shape, shape));
  const scalarsSuffice = traced.some((s) => s.splat === undefined && sameShape(s.shape, shape));
  const values = traced.map((s) => {
    if (s.splat !== undefined && scalarsSuffice) return graph.scalar(s.splat, onnxDtype(s.dtype));
    if (s.shape.length === 0) return plain(graph, s);
    return inNchw ? nchwAligned(graph, s) : plain(graph, s);
  });
  return inNchw ? fromNchw(record(values)) : fromPlain(record(values));
}

/** Records an operator of two inputs of the same dtype. */
export function binary(graph: GraphBuilder, op: string, a: Traced, b: Traced, dtype?: Dtype): Traced {
  return mapBroadcast(graph, [a, b], (values) => apply(graph, op, values, dtype));
}

export function broadcastShape(parts: readonly { readonly shape: readonly number[] }[]): number[] {
  return parts.map(({ shape }) => [...shape]).reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b));
}

/** [.., channels] aligned to rank 4 and brought to NCHW, for instance a bias [32] as [1, 32, 1, 1]. */
function nchwAligned(graph: GraphBuilder, symbol: Traced): Value {
  if (symbol.shape.length === 4) return nchw(graph, symbol);
  const padded = [...new Array<number>(4 - symbol.shape.length).fill(1), ...symbol.shape];
  return graph.transpose(graph.reshape(plain(graph, symbol), padded), nchwOrder);
}
