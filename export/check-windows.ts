import { Fault, mayEqual, type Shape, type Size, show, times } from "./check-dims.ts";
import type { NodeFacts, Shapes } from "./node-facts.ts";

/** Shape rules of convolutions and pools: [batch, channels, ...spatial]. */

interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Sum of both sides, by axis; undefined with auto_pad, which decides at run time. */
  readonly pads: readonly number[] | undefined;
}

/** @throws Fault if an attribute has another length than the spatial axes */
function windowOf({ ints, string }: NodeFacts, kernel: readonly number[]): Window {
  const rank = kernel.length;
  const list = (name: string, length: number, absent: number): readonly number[] => {
    const given = ints(name) ?? new Array<number>(length).fill(absent);
    if (given.length !== length) throw new Fault(`${name} must have ${length} entries, got [${given.join(", ")}]`);
    return given;
  };
  const declared = list("kernel_shape", rank, 0);
  if (ints("kernel_shape") !== undefined && declared.some((size, axis) => size !== kernel[axis])) {
    throw new Fault(`kernel_shape must be [${kernel.join(", ")}], got [${declared.join(", ")}]`);
  }
  const pads = list("pads", 2 * rank, 0);
  const strides = list("strides", rank, 1);
  const dilations = list("dilations", rank, 1);
  if ([...strides, ...dilations].some((step) => step < 1) || pads.some((pad) => pad < 0)) {
    throw new Fault("strides and dilations must be at least 1 and pads at least 0");
  }
  const isExplicit = string("auto_pad", "NOTSET") === "NOTSET";
  return {
    kernel,
    strides,
    dilations,
    pads: isExplicit ? kernel.map((_, i) => pads[i]! + pads[i + rank]!) : undefined,
  };
}

function slide(size: Size, axis: number, window: Window, isCeil = false): Size {
  const { kernel, strides, dilations, pads } = window;
  if (typeof size !== "number" || pads === undefined) return undefined;
  const room = size + pads[axis]! - (dilations[axis]! * (kernel[axis]! - 1) + 1);
  if (room < 0) throw new Fault(`the window must fit its input, got ${size} along spatial axis ${axis}`);
  return (isCeil ? Math.ceil : Math.floor)(room / strides[axis]!) + 1;
}

function requireImages(x: Shape, filter: Shape): readonly number[] {
  if (x.length < 3 || filter.length !== x.length) {
    throw new Fault(`input and filter must have the same 3 or more axes, got ${show(x)} and ${show(filter)}`);
  }
  return filter.slice(2).map(Number);
}

function requireBias(bias: Shape | undefined, channels: Size): void {
  if (bias !== undefined && (bias.length !== 1 || !mayEqual(bias[0], channels))) {
    throw new Fault(`bias must be [${channels}], got ${show(bias)}`);
  }
}

export function convShape(node: NodeFacts): Shapes {
  const [x, filter, bias] = node.shapes;
  if (x === undefined || filter === undefined) return [undefined];
  const kernel = requireImages(x, filter);
  const group = node.int("group", 1);
  if (!mayEqual(x[1], times(filter[1], group))) {
    throw new Fault(`filter must have ${x[1]} channels over ${group} groups, got ${show(filter)}`);
  }
  requireBias(bias, filter[0]);
  if (kernel.some(Number.isNaN)) return [[x[0], filter[0], ...kernel.map(() => undefined)]];
  const window = windowOf(node, kernel);
  return [[x[0], filter[0], ...x.slice(2).map((size, axis) => slide(size, axis, window))]];
}

export function convTransposeShape(node: NodeFacts): Shapes {
  const [x, filter, bias] = node.shapes;
  if (x === undefined || filter === undefined) return [undefined];
  const kernel = requireImages(x, filter);
  if (!mayEqual(x[1], filter[0])) throw new Fault(`filter must begin with ${x[1]} channels, got ${show(filter)}`);
  const channels = times(filter[1], node.int("group", 1));
  requireBias(bias, channels);
  if (kernel.some(Number.isNaN) || node.ints("output_shape") !== undefined) {
    return [[x[0], channels, ...kernel.map(() => undefined)]];
  }
  const { strides, dilations, pads } = windowOf(node, kernel);
  const extra = node.ints("output_padding") ?? kernel.map(() => 0);
  const grow = (size: Size, axis: number): Size => {
    if (typeof size !== "number" || pads === undefined) return undefined;
    const { [axis]: stride = 1 } = strides;
    return stride * (size - 1) + extra[axis]! + dilations[axis]! * (kernel[axis]! - 1) + 1 - pads[axis]!;
  };
  return [[x[0], channels, ...x.slice(2).map(grow)]];
}

export function poolShape(node: NodeFacts): Shapes {
  const [x] = node.shapes;
  if (x === undefined) return new Array<undefined>(node.outputs).fill(undefined);
  const kernel = node.ints("kernel_shape") ?? [];
  if (kernel.length !== x.length - 2) throw new Fault(`kernel_shape must have ${x.length - 2} entries, got ${show(x)}`);
  const window = windowOf(node, kernel);
  const isCeil = node.int("ceil_mode", 0) === 1;
  const out = [x[0], x[1], ...x.slice(2).map((size, axis) => slide(size, axis, window, isCeil))];
  return new Array<Shape>(node.outputs).fill(out);
}

export function globalPoolShape({ shapes: [x] }: NodeFacts): Shapes {
  return [x?.map((size, axis) => (axis < 2 ? size : 1))];
}
