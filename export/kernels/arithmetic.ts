import type { GraphBuilder, Value } from "../builder.ts";
import { sameShape } from "../builder.ts";
import { int } from "../graph.ts";
import { type Lowering, list, need } from "../lowering.ts";
import type { Traced } from "../traced.ts";
import { apply, binary, broadcastShape, mapBroadcast, where } from "./elementwise.ts";

/** Arithmetic of two tensors that broadcast against each other. Lowerings are named as the tfjs kernels. */

/** `x op neutral` is x: tfjs's gradients multiply by ones and add zeros a lot. */
function isNeutral(symbol: Traced, neutral: number, other: Traced): boolean {
  const single = symbol.known !== undefined && symbol.known.data.length === 1;
  const value = symbol.splat ?? (single ? Number(symbol.known?.data[0]) : undefined);
  return value === neutral && symbol.dtype === other.dtype && sameShape(broadcastShape([symbol, other]), other.shape);
}

/** tfjs stores the sum of two bools (2) into a bool tensor; ONNX has no such value, so it is refused. */
function refuseBools(kernel: string, ...operands: readonly Traced[]): void {
  if (operands.every(({ dtype }) => dtype === "bool")) {
    throw new TypeError(
      `Cannot trace the kernel ${kernel}: at least one operand must be a number, got bool tensors; tf.cast them to int32, or use tf.logicalOr`,
    );
  }
}

export const Add: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  refuseBools("Add", a, b);
  if (isNeutral(a, 0, b)) return b;
  if (isNeutral(b, 0, a)) return a;
  return binary(graph, "Add", a, b);
};

export const AddN: Lowering = (graph, inputs) => {
  const parts = list(inputs);
  refuseBools("AddN", ...parts);
  return parts.reduce((sum, part) => binary(graph, "Add", sum, part));
};

export const Sub: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  refuseBools("Sub", a, b);
  return isNeutral(b, 0, a) ? a : binary(graph, "Sub", a, b);
};

export const Multiply: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (isNeutral(a, 1, b)) return b;
  if (isNeutral(b, 1, a)) return a;
  return binary(graph, a.dtype === "bool" && b.dtype === "bool" ? "And" : "Mul", a, b);
};

/** int32 operands give the truncated quotient (tfjs stores into an Int32Array); tf.div itself never asks for it. */
export const RealDiv: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (isNeutral(b, 1, a)) return a;
  if (a.dtype === "float32") return binary(graph, "Div", a, b);
  return divideInts(graph, a, b, (quotient) => quotient);
};

/** floor(a / b), always int32: what tf.div of int32 tensors is too. A quotient by zero is 0, as in tfjs. */
export const FloorDiv: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (a.dtype !== "int32") {
    return mapBroadcast(graph, [a, b], ([x, y]) => {
      const [dividend, divisor] = [graph.cast(x!, "float32"), graph.cast(y!, "float32")];
      return graph.cast(apply(graph, "Floor", [apply(graph, "Div", [dividend, divisor])]), "int32");
    });
  }
  if (isNeutral(b, 1, a)) return a;
  return divideInts(graph, a, b, (quotient, x, y) => {
    const rest = apply(graph, "Sub", [x, apply(graph, "Mul", [quotient, y])]);
    const inexact = apply(graph, "Not", [apply(graph, "Equal", [rest, graph.scalar(0, "int32")], "bool")]);
    const towardsZero = apply(graph, "And", [inexact, signsDiffer(graph, rest, y)]);
    return apply(graph, "Sub", [quotient, graph.cast(towardsZero, "int32")]);
  });
};

/** The remainder with the sign of the divisor. int32 by zero is 0, as in tfjs. */
export const Mod: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (a.dtype === "int32") {
    return mapBroadcast(graph, [a, b], ([x, y]) =>
      guardZero(graph, y!, (divisor) => apply(graph, "Mod", [x!, divisor])),
    );
  }
  return mapBroadcast(graph, [a, b], ([x, y]) => {
    const fmod = { fmod: int(1) };
    const rest = apply(graph, "Mod", [x!, y!], "float32", fmod);
    const shifted = apply(graph, "Mod", [apply(graph, "Add", [rest, y!]), y!], "float32", fmod);
    return where(graph, signsDiffer(graph, x!, y!), shifted, rest);
  });
};

export const Pow: Lowering = (graph, inputs) => {
  const [a, b] = [need(inputs, "a"), need(inputs, "b")];
  if (isNeutral(b, 1, a)) return a;
  if (isNeutral(b, 2, a)) return binary(graph, "Mul", a, a);
  return binary(graph, "Pow", a, b);
};

export const Maximum: Lowering = (graph, inputs) => extreme(graph, "Max", need(inputs, "a"), need(inputs, "b"));
export const Minimum: Lowering = (graph, inputs) => extreme(graph, "Min", need(inputs, "a"), need(inputs, "b"));

export const SquaredDifference: Lowering = (graph, inputs) =>
  mapBroadcast(graph, [need(inputs, "a"), need(inputs, "b")], (values) => {
    const difference = apply(graph, "Sub", values);
    return apply(graph, "Mul", [difference, difference]);
  });

/** The angle of (b, a). ONNX has no Atan2: arctangent of the quotient, half a turn further where b is negative. */
export const Atan2: Lowering = (graph, inputs) =>
  mapBroadcast(graph, [need(inputs, "a"), need(inputs, "b")], ([a, b]) => {
    const zero = graph.scalar(0);
    const halfTurn = where(
      graph,
      apply(graph, "Less", [a!, zero], "bool"),
      graph.scalar(-Math.PI),
      graph.scalar(Math.PI),
    );
    const turn = where(graph, apply(graph, "Less", [b!, zero], "bool"), halfTurn, zero);
    const angle = apply(graph, "Add", [apply(graph, "Atan", [apply(graph, "Div", [a!, b!])]), turn]);
    const upright = apply(graph, "Mul", [apply(graph, "Sign", [a!]), graph.scalar(Math.PI / 2)]);
    return where(graph, apply(graph, "Equal", [b!, zero], "bool"), upright, angle);
  });

function extreme(graph: GraphBuilder, op: string, a: Traced, b: Traced): Traced {
  if (a.dtype === "bool") return binary(graph, op === "Max" ? "Or" : "And", a, b);
  return binary(graph, op, a, b);
}

function signsDiffer(graph: GraphBuilder, a: Value, b: Value): Value {
  const isNegative = (x: Value): Value => apply(graph, "Less", [x, graph.scalar(0, x.dtype)], "bool");
  return apply(graph, "Xor", [isNegative(a), isNegative(b)]);
}

function divideInts(
  graph: GraphBuilder,
  a: Traced,
  b: Traced,
  correct: (quotient: Value, dividend: Value, divisor: Value) => Value,
): Traced {
  return mapBroadcast(graph, [a, b], ([x, y]) =>
    guardZero(graph, y!, (divisor) => correct(apply(graph, "Div", [x!, divisor]), x!, divisor)),
  );
}

/** Integer division by zero ends the process in ONNX Runtime; where the divisor may be zero, the result is 0. */
function guardZero(graph: GraphBuilder, divisor: Value, divide: (divisor: Value) => Value): Value {
  if (divisor.constant !== undefined && !(divisor.constant.data as ArrayLike<unknown> as number[]).includes(0)) {
    return divide(divisor);
  }
  const isZero = apply(graph, "Equal", [divisor, graph.scalar(0, "int32")], "bool");
  const safe = where(graph, isZero, graph.scalar(1, "int32"), divisor);
  return where(graph, isZero, graph.scalar(0, "int32"), divide(safe));
}
