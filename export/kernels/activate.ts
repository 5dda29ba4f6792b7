import type { GraphBuilder, Value } from "../builder.ts";
import type { Traced } from "../traced.ts";
import { apply, mapBroadcast, mapElements, unary, where } from "./elementwise.ts";

/** Activations as functions, for the kernels of `activations.ts` and for fused kernels. */

export function relu(graph: GraphBuilder, x: Traced): Traced {
  if (x.dtype === "float32") return unary(graph, "Relu", x);
  return mapElements(graph, x, (value) => apply(graph, "Max", [value, graph.scalar(0, value.dtype)]));
}

/** Values below `low` or above `high` are set to it; an infinite bound is no bound (and does not exist in int32). */
export function clip(graph: GraphBuilder, x: Traced, low: number, high: number): Traced {
  return mapElements(graph, x, (value) => {
    const bound = (limit: number): Value | undefined =>
      Number.isFinite(limit) ? graph.scalar(limit, value.dtype) : undefined;
    return graph.node("Clip", [value, bound(low), bound(high)], { dtype: value.dtype, shape: value.shape });
  });
}

export function prelu(graph: GraphBuilder, x: Traced, alpha: Traced): Traced {
  return mapBroadcast(graph, [x, alpha], ([value, slope]) => {
    const isNegative = apply(graph, "Less", [value!, graph.scalar(0, value!.dtype)], "bool");
    return where(graph, isNegative, apply(graph, "Mul", [value!, slope!]), value!);
  });
}
