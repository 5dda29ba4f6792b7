import type { GraphBuilder, Value } from "../builder.ts";
import { fromNchw, fromPlain, nchw, plain, type Traced } from "../traced.ts";

/** Axes of [batch, height, width, channels] in the order of [batch, channels, height, width]. */
export const nchwOrder = [0, 3, 1, 2] as const;
/** Where each axis of [batch, height, width, channels] is in [batch, channels, height, width]. */
const nchwAxis = [0, 2, 3, 1] as const;

/** A tensor in the layout that it lives in, for kernels that keep the rank and treat every axis by itself. */
export interface Resident {
  readonly value: Value;
  /** Axis of `value` that holds the tfjs axis. */
  axis(tfjsAxis: number): number;
  /** One entry for each tfjs axis, in the order of the axes of `value`. */
  order<T>(perAxis: readonly T[]): T[];
  /** A result in the layout of `value`. */
  wrap(result: Value): Traced;
}

/** `x` where it lives; `layout` brings it elsewhere (to the layout of its neighbours in a Concat). */
export function resident(graph: GraphBuilder, x: Traced, layout: Traced["home"] = x.home): Resident {
  if (layout === "nchw") {
    return {
      value: nchw(graph, x),
      axis: (axis) => nchwAxis[axis]!,
      order: (perAxis) => nchwOrder.map((axis) => perAxis[axis]!),
      wrap: (result) => fromNchw(result),
    };
  }
  return {
    value: plain(graph, x),
    axis: (axis) => axis,
    order: (perAxis) => [...perAxis],
    wrap: (result) => fromPlain(result),
  };
}
