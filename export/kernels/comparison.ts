import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder, Value } from "../builder.ts";
import { type KernelInputs, type Lowering, need } from "../lowering.ts";
import { fromPlain, fromSplat, onnxDtype, type Traced } from "../traced.ts";
import { apply, mapBroadcast, mapElements, unary, where } from "./elementwise.ts";

/** Comparison, logic, selection, casts. */

function compare(graph: GraphBuilder, op: string, inputs: KernelInputs): Traced {
  return mapBroadcast(graph, [need(inputs, "a"), need(inputs, "b")], (values) => {
    // ONNX orders numbers only; equality also holds for bools.
    const operands = op === "Equal" ? values : values.map((x) => (x.dtype === "bool" ? graph.cast(x, "int32") : x));
    return apply(graph, op, operands, "bool");
  });
}

export const Equal: Lowering = (graph, inputs) => compare(graph, "Equal", inputs);
export const Greater: Lowering = (graph, inputs) => compare(graph, "Greater", inputs);
export const GreaterEqual: Lowering = (graph, inputs) => compare(graph, "GreaterOrEqual", inputs);
export const Less: Lowering = (graph, inputs) => compare(graph, "Less", inputs);
export const LessEqual: Lowering = (graph, inputs) => compare(graph, "LessOrEqual", inputs);
export const NotEqual: Lowering = (graph, inputs) => unary(graph, "Not", compare(graph, "Equal", inputs));

function logic(graph: GraphBuilder, op: string, inputs: KernelInputs): Traced {
  return mapBroadcast(graph, [need(inputs, "a"), need(inputs, "b")], (values) => apply(graph, op, values, "bool"));
}

export const LogicalAnd: Lowering = (graph, inputs) => logic(graph, "And", inputs);
export const LogicalOr: Lowering = (graph, inputs) => logic(graph, "Or", inputs);
export const LogicalNot: Lowering = (graph, inputs) => unary(graph, "Not", need(inputs, "x"));

/** A test that only a float can pass or fail; every int32 and bool has the answer `otherwise`. */
function testFloats(graph: GraphBuilder, x: Traced, otherwise: boolean, test: (x: Value) => Value): Traced {
  return x.dtype === "float32" ? mapElements(graph, x, test) : fromSplat("bool", x.shape, Number(otherwise));
}

const infinity = Number.POSITIVE_INFINITY;

export const IsNan: Lowering = (graph, inputs) =>
  testFloats(graph, need(inputs, "x"), false, (x) => apply(graph, "IsNaN", [x], "bool"));
export const IsInf: Lowering = (graph, inputs) =>
  testFloats(graph, need(inputs, "x"), false, (x) =>
    apply(graph, "Equal", [apply(graph, "Abs", [x]), graph.scalar(infinity)], "bool"),
  );
export const IsFinite: Lowering = (graph, inputs) =>
  testFloats(graph, need(inputs, "x"), true, (x) =>
    apply(graph, "Less", [apply(graph, "Abs", [x]), graph.scalar(infinity)], "bool"),
  );

/** tf.where has brought all three to one shape; a condition of rank 1 selects along the first axis of t and e. */
export const Select: Lowering = (graph, inputs) => {
  const [condition, t, e] = [need(inputs, "condition"), need(inputs, "t"), need(inputs, "e")];
  return mapBroadcast(graph, [alongFirstAxis(graph, condition, t.shape.length), t, e], ([test, yes, no]) =>
    where(graph, test!, yes!, no!),
  );
};

function alongFirstAxis(graph: GraphBuilder, condition: Traced, rank: number): Traced {
  if (condition.shape.length !== 1 || rank <= 1) return condition;
  const shape = [condition.shape[0]!, ...new Array<number>(rank - 1).fill(1)];
  return mapElements(graph, condition, (value) => graph.reshape(value, shape));
}

/** float32 to int32 truncates; anything but 0 is true. */
export const Cast: Lowering<tf.CastAttrs> = (graph, inputs, { dtype }) => {
  const x = need(inputs, "x");
  if (x.dtype === dtype) return x;
  const { raw } = x.forms;
  if (raw !== undefined) return fromPlain(graph.cast(raw, onnxDtype(dtype)), dtype);
  return mapElements(graph, x, (value) => graph.cast(value, onnxDtype(dtype)));
};
