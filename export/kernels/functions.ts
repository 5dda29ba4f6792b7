import { type Lowering, need } from "../lowering.ts";
import { apply, mapElements, unary, where } from "./elementwise.ts";

/** Functions of one tensor, element by element. Lowerings are named as the tfjs kernels. */

export const Neg: Lowering = (graph, inputs) => unary(graph, "Neg", need(inputs, "x"));
export const Abs: Lowering = (graph, inputs) => unary(graph, "Abs", need(inputs, "x"));
/** 0 at NaN, where ONNX's own operator has NaN. */
export const Sign: Lowering = (graph, inputs) => {
  const x = need(inputs, "x");
  if (x.dtype !== "float32") return unary(graph, "Sign", x);
  return mapElements(graph, x, (value) => {
    const [above, below] = ["Greater", "Less"].map((op) => apply(graph, op, [value, graph.scalar(0)], "bool"));
    return apply(graph, "Sub", [graph.cast(above!, "float32"), graph.cast(below!, "float32")]);
  });
};

export const Floor: Lowering = (graph, inputs) => unary(graph, "Floor", need(inputs, "x"));
export const Ceil: Lowering = (graph, inputs) => unary(graph, "Ceil", need(inputs, "x"));
/** Halves go to the even neighbour, in tfjs as in ONNX. */
export const Round: Lowering = (graph, inputs) => unary(graph, "Round", need(inputs, "x"));

export const Exp: Lowering = (graph, inputs) => unary(graph, "Exp", need(inputs, "x"));
export const Log: Lowering = (graph, inputs) => unary(graph, "Log", need(inputs, "x"));
export const Sqrt: Lowering = (graph, inputs) => unary(graph, "Sqrt", need(inputs, "x"));
export const Reciprocal: Lowering = (graph, inputs) => unary(graph, "Reciprocal", need(inputs, "x"));

export const Rsqrt: Lowering = (graph, inputs) =>
  mapElements(graph, need(inputs, "x"), (x) => apply(graph, "Reciprocal", [apply(graph, "Sqrt", [x])]));

export const Square: Lowering = (graph, inputs) =>
  mapElements(graph, need(inputs, "x"), (x) => apply(graph, "Mul", [x, x]));

/** exp(x) - 1 = tanh(x / 2) (exp(x) + 1): no cancellation near 0, -1 and infinity at the ends. */
export const Expm1: Lowering = (graph, inputs) =>
  mapElements(graph, need(inputs, "x"), (x) => {
    const half = apply(graph, "Tanh", [apply(graph, "Mul", [x, graph.scalar(0.5)])]);
    return apply(graph, "Mul", [half, apply(graph, "Add", [apply(graph, "Exp", [x]), graph.scalar(1)])]);
  });

/** log(1 + x). Below 1/2 with what rounding 1 + x lost put back: log u - ((u - 1) - x) / u, u = 1 + x. */
export const Log1p: Lowering = (graph, inputs) =>
  mapElements(graph, need(inputs, "x"), (x) => {
    const one = graph.scalar(1);
    const u = apply(graph, "Add", [x, one]);
    const log = apply(graph, "Log", [u]);
    const lost = apply(graph, "Div", [apply(graph, "Sub", [apply(graph, "Sub", [u, one]), x]), u]);
    const isSmall = apply(graph, "Less", [apply(graph, "Abs", [x]), graph.scalar(0.5)], "bool");
    return where(graph, isSmall, apply(graph, "Sub", [log, lost]), log);
  });

export const Sin: Lowering = (graph, inputs) => unary(graph, "Sin", need(inputs, "x"));
export const Cos: Lowering = (graph, inputs) => unary(graph, "Cos", need(inputs, "x"));
export const Tan: Lowering = (graph, inputs) => unary(graph, "Tan", need(inputs, "x"));
export const Asin: Lowering = (graph, inputs) => unary(graph, "Asin", need(inputs, "x"));
export const Acos: Lowering = (graph, inputs) => unary(graph, "Acos", need(inputs, "x"));
export const Atan: Lowering = (graph, inputs) => unary(graph, "Atan", need(inputs, "x"));
export const Sinh: Lowering = (graph, inputs) => unary(graph, "Sinh", need(inputs, "x"));
export const Cosh: Lowering = (graph, inputs) => unary(graph, "Cosh", need(inputs, "x"));
export const Tanh: Lowering = (graph, inputs) => unary(graph, "Tanh", need(inputs, "x"));
export const Asinh: Lowering = (graph, inputs) => unary(graph, "Asinh", need(inputs, "x"));
export const Acosh: Lowering = (graph, inputs) => unary(graph, "Acosh", need(inputs, "x"));
export const Atanh: Lowering = (graph, inputs) => unary(graph, "Atanh", need(inputs, "x"));
/** tfjs approximates erf with an error of 1.5e-7 (Abramowitz and Stegun 7.1.26); ONNX runtimes are closer. */
export const Erf: Lowering = (graph, inputs) => unary(graph, "Erf", need(inputs, "x"));
