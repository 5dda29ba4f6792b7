import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { resident } from "./layout.ts";
import { cut } from "./slices.ts";

/** Running sums and products along an axis. bool counts as int32, as in tfjs. */

const countable = (graph: GraphBuilder, value: Value): Value =>
  value.dtype === "bool" ? graph.cast(value, "int32") : value;

export const Cumsum: Lowering<tf.CumsumAttrs> = (graph, inputs, { axis, exclusive, reverse }) => {
  const x = need(inputs, "x");
  if (x.shape.length === 0) return x;
  const { value, axis: at, wrap } = resident(graph, x);
  const operand = countable(graph, value);
  const attributes = { exclusive: int(exclusive ? 1 : 0), reverse: int(reverse ? 1 : 0) };
  const along = graph.scalar(at(axis), "int64");
  return wrap(graph.node("CumSum", [operand, along], { dtype: operand.dtype, shape: operand.shape }, attributes));
};

/**
 * ONNX has no running product: log2(n) rounds, each of which multiplies by the products that end 1, 2, 4, ... places
 * earlier (Hillis and Steele 1986).
 */
export const Cumprod: Lowering<tf.CumprodAttrs> = (graph, inputs, { axis, exclusive, reverse }) => {
  const x = need(inputs, "x");
  if (x.shape.length === 0) return x;
  const { value, axis: at, wrap } = resident(graph, x);
  const along = at(axis);
  const size = value.shape[along]!;
  const shift = (v: Value, places: number): Value => shifted(graph, v, along, reverse ? -places : places);
  let product = countable(graph, value);
  if (exclusive) product = shift(product, 1);
  for (let places = 1; places < size; places *= 2) {
    const { dtype, shape } = product;
    product = graph.node("Mul", [product, shift(product, places)], { dtype, shape });
  }
  return wrap(product);
};

/** The value moved by `places` along an axis; ones move in. */
function shifted(graph: GraphBuilder, value: Value, axis: number, places: number): Value {
  const size = value.shape[axis]!;
  const kept = Math.max(0, size - Math.abs(places));
  const rest = cut(graph, value, [{ axis, start: places < 0 ? size - kept : 0, size: kept }]);
  const pads = new Array<number>(2 * value.shape.length).fill(0);
  pads[places < 0 ? value.shape.length + axis : axis] = size - kept;
  const { dtype, shape } = value;
  return graph.node("Pad", [rest, graph.int64s(pads), graph.scalar(1, dtype)], { dtype, shape });
}
