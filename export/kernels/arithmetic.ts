import type { Lowering } from "../lowering.ts";
import { need } from "../lowering.ts";
import { onnxDtype, fromPlain, type Traced } from "../traced.ts";
import { sameShape } from "../builder.ts";
import { binary, mapBroadcast, mapElements, unary } from "./elementwise.ts";

/** Arithmetic, comparison, selection. Lowerings are named as the tfjs kernels. */

/** `x op n` is x: tfjs's gradients multiply by ones and add zeros a lot. */
function isNeutral(symbol: Traced, neutral: number, other: Traced): boolean {
  const value =
    symbol.splat ??
    (symbol.known !== undefined && symbol.known.data.length === 1 ? Number(symbol.known.data[0]) : undefined);
  return (
    value === neutral &&
    symbol.dtype === other.dtype &&
    (symbol.shape.length === 0 || sameShape(symbol.shape, other.shape))
  );
}

export const Add: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (isNeutral(a, 0, b)) return b;
  if (isNeutral(b, 0, a)) return a;
  return binary(graph, "Add", a, b);
};

export const Sub: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  return isNeutral(b, 0, a) ? a : binary(graph, "Sub", a, b);
};

export const Multiply: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (isNeutral(a, 1, b)) return b;
  if (isNeutral(b, 1, a)) return a;
  return binary(graph, "Mul", a, b);
};

export const RealDiv: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  return isNeutral(b, 1, a) ? a : binary(graph, "Div", a, b);
};

export const Neg: Lowering = (graph, inputs) => unary(graph, "Neg", need(inputs, "x"));
export const Exp: Lowering = (graph, inputs) => unary(graph, "Exp", need(inputs, "x"));
export const Log: Lowering = (graph, inputs) => unary(graph, "Log", need(inputs, "x"));
export const Abs: Lowering = (graph, inputs) => unary(graph, "Abs", need(inputs, "x"));
export const Sqrt: Lowering = (graph, inputs) => unary(graph, "Sqrt", need(inputs, "x"));
export const Sigmoid: Lowering = (graph, inputs) => unary(graph, "Sigmoid", need(inputs, "x"));
export const Softplus: Lowering = (graph, inputs) => unary(graph, "Softplus", need(inputs, "x"));
export const Relu: Lowering = (graph, inputs) => unary(graph, "Relu", need(inputs, "x"));

export const Square: Lowering = (graph, inputs) =>
  mapElements(graph, need(inputs, "x"), (x) => graph.node("Mul", [x, x], { dtype: x.dtype, shape: x.shape }));

export const Maximum: Lowering = (graph, inputs) => binary(graph, "Max", need(inputs, "a"), need(inputs, "b"));
export const Minimum: Lowering = (graph, inputs) => binary(graph, "Min", need(inputs, "a"), need(inputs, "b"));

export const Greater: Lowering = (graph, inputs) =>
  binary(graph, "Greater", need(inputs, "a"), need(inputs, "b"), "bool");
export const GreaterEqual: Lowering = (graph, inputs) =>
  binary(graph, "GreaterOrEqual", need(inputs, "a"), need(inputs, "b"), "bool");
export const Less: Lowering = (graph, inputs) => binary(graph, "Less", need(inputs, "a"), need(inputs, "b"), "bool");

/** tfjs: 1 for x > 0, alpha otherwise (NaN stays NaN, which no gradient relies on). */
export const Step: Lowering<{ alpha: number }> = (graph, inputs, { alpha }) =>
  mapElements(graph, need(inputs, "x"), (x) => {
    const positive = graph.node("Greater", [x, graph.scalar(0)], { dtype: "bool", shape: x.shape });
    if (alpha === 0 || alpha === undefined)
      return graph.node("Cast", [positive], { dtype: "float32", shape: x.shape }, { to: { kind: "int", value: 1 } });
    return graph.node("Where", [positive, graph.scalar(1), graph.scalar(alpha)], { dtype: "float32", shape: x.shape });
  });

export const Select: Lowering = (graph, inputs) =>
  mapBroadcast(graph, [need(inputs, "condition"), need(inputs, "t"), need(inputs, "e")], (values, shape) =>
    graph.node("Where", values, { dtype: values[1]!.dtype, shape }),
  );

export const Cast: Lowering<{ dtype: "float32" | "int32" | "bool" }> = (graph, inputs, { dtype }) => {
  const x = need(inputs, "x");
  if (x.dtype === dtype) return x;
  const { raw } = x.forms;
  if (raw !== undefined) return fromPlain(graph.cast(raw, onnxDtype(dtype)), dtype);
  return mapElements(graph, x, (value) => graph.cast(value, onnxDtype(dtype)));
};
