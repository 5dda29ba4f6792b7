import type { GraphBuilder, Value } from "../builder.ts";

export interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** The part of a value that starts at `start` and has `size` entries, along the named axes. */
export function cut(graph: GraphBuilder, value: Value, cuts: readonly Cut[]): Value {
  if (cuts.length === 0) return value;
  const shape = [...value.shape];
  for (const { axis, size } of cuts) shape[axis] = size;
  const starts = graph.int64s(cuts.map(({ start }) => start));
  const ends = graph.int64s(cuts.map(({ start, size }) => start + size));
  const axes = graph.int64s(cuts.map(({ axis }) => axis));
  return graph.node("Slice", [value, starts, ends, axes], { dtype: value.dtype, shape });
}
