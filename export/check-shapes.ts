import {
  axisOf,
  broadcast,
  dividedBy,
  Fault,
  mayEqual,
  plus,
  product,
  type Shape,
  type Size,
  show,
  times,
} from "./check-dims.ts";
import type { OperatorName } from "./check-operators.ts";
import { convShape, convTransposeShape, globalPoolShape, poolShape } from "./check-windows.ts";
import type { ShapeRule } from "./node-facts.ts";

const same: ShapeRule = ({ shapes }) => [shapes[0]];

const elementwise: ShapeRule = ({ shapes }) => [
  shapes.reduce<Shape | undefined>((a, b) => (a === undefined || b === undefined ? undefined : broadcast(a, b)), []),
];

/** The second input stretches to the first, never the other way. */
const towardsFirst: ShapeRule = ({ shapes: [x, y] }) => {
  if (x !== undefined && y !== undefined && !fits(broadcast(x, y), x)) {
    throw new Fault(`input 2 must broadcast to ${show(x)}, got ${show(y)}`);
  }
  return [x];
};

function fits(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => mayEqual(size, b[axis]));
}

const onAxis: ShapeRule = ({ shapes: [x], int }) => {
  if (x !== undefined) axisOf(int("axis", -1), x.length);
  return [x];
};

const Transpose: ShapeRule = ({ shapes: [x], ints }) => {
  const perm = ints("perm") ?? x?.map((_, axis) => x.length - 1 - axis);
  if (x === undefined || perm === undefined) return [undefined];
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.length) {
    throw new Fault(`perm must order the ${x.length} axes of ${show(x)}, got [${perm.join(", ")}]`);
  }
  return [perm.map((axis) => x[axis])];
};

const Reshape: ShapeRule = ({ shapes: [x, targetShape], values: [, target], int }) => {
  if (target === undefined) {
    const rank = targetShape?.[0];
    return [typeof rank === "number" ? new Array<Size>(rank).fill(undefined) : undefined];
  }
  if (x === undefined) return [target.map((size) => (size === -1 || size === 0 ? undefined : size))];
  const copied = target.map((size, axis) => (size === 0 && int("allowzero", 0) === 0 ? x[axis] : size));
  if (copied.filter((size) => size === -1).length > 1) throw new Fault(`only one size may be -1, got ${show(target)}`);
  const [from, known] = [product(x), product(copied.filter((size) => size !== -1))];
  if (copied.includes(-1)) {
    const rest = dividedBy(from, known);
    if (rest === undefined && typeof from === "number" && typeof known === "number" && known !== 0) {
      throw new Fault(`${show(x)} must divide into ${show(target)}, got ${from} elements`);
    }
    return [copied.map((size) => (size === -1 ? rest : size))];
  }
  if (!mayEqual(from, known)) {
    throw new Fault(`elements must stay as many, got ${show(x)} to ${show(copied)}`);
  }
  return [copied];
};

const Gemm: ShapeRule = ({ shapes: [a, b, c], int }) => {
  if (a === undefined || b === undefined) return [undefined];
  if (a.length !== 2 || b.length !== 2) throw new Fault(`inputs must be matrices, got ${show(a)} and ${show(b)}`);
  const [rows, left] = int("transA", 0) === 0 ? a : [a[1], a[0]];
  const [right, columns] = int("transB", 0) === 0 ? b : [b[1], b[0]];
  if (!mayEqual(left, right)) throw new Fault(`inner sizes must be equal, got ${left} and ${right}`);
  if (c !== undefined && !fits(broadcast([rows, columns], c), [rows, columns])) {
    throw new Fault(`input 3 must broadcast to ${show([rows, columns])}, got ${show(c)}`);
  }
  return [[rows, columns]];
};

const MatMul: ShapeRule = ({ shapes: [a, b] }) => {
  if (a === undefined || b === undefined) return [undefined];
  if (a.length === 0 || b.length === 0) throw new Fault(`inputs must have axes, got ${show(a)} and ${show(b)}`);
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  if (!mayEqual(left.at(-1), right.at(-2))) {
    throw new Fault(`inner sizes must be equal, got ${show(a)} and ${show(b)}`);
  }
  const batch = broadcast(left.slice(0, -2), right.slice(0, -2));
  return [[...batch, ...(a.length === 1 ? [] : [left.at(-2)]), ...(b.length === 1 ? [] : [right.at(-1)])]];
};

const Concat: ShapeRule = ({ shapes, int }) => {
  const known = shapes.filter((shape) => shape !== undefined);
  const [first] = known;
  if (first === undefined || known.length < shapes.length) return [undefined];
  const at = axisOf(int("axis", 0), first.length);
  for (const shape of known) {
    if (shape.length !== first.length || shape.some((size, axis) => axis !== at && !mayEqual(size, first[axis]))) {
      throw new Fault(`inputs must be equal but for axis ${at}, got ${show(first)} and ${show(shape)}`);
    }
  }
  return [first.map((size, axis) => (axis === at ? known.reduce<Size>((sum, s) => plus(sum, s[at]), 0) : size))];
};

const Slice: ShapeRule = ({ shapes: [x], values: [, starts, ends, axes, steps] }) => {
  if (x === undefined || starts === undefined || ends === undefined) return [x?.map(() => undefined)];
  const out = [...x];
  for (const [i, start] of starts.entries()) {
    const axis = axes === undefined ? i : Number(axes[i]);
    const at = axisOf(axis, x.length);
    out[at] = cut(x[at], { start, end: ends[i], step: steps === undefined ? 1 : Number(steps[i]) });
  }
  return [out];
};

function cut(size: Size, { start, end, step }: { start: Size; end: Size; step: number }): Size {
  if (step === 0) throw new Fault("steps must not be 0");
  if (start === 0 && step === 1 && end !== undefined && end === size) return size;
  if (typeof size !== "number" || typeof start !== "number" || typeof end !== "number") return undefined;
  const clamp = (x: number): number =>
    Math.min(Math.max(x < 0 ? x + size : x, step > 0 ? 0 : -1), step > 0 ? size : size - 1);
  // Far below -size means "to the front" for a negative step.
  const last = step < 0 && end < -size ? -1 : clamp(end);
  return Math.max(0, Math.ceil((last - clamp(start)) / step));
}

const Split: ShapeRule = ({ shapes: [x], values: [, sizes], int, outputs }) => {
  if (x === undefined) return new Array<undefined>(outputs).fill(undefined);
  const at = axisOf(int("axis", 0), x.length);
  if (sizes !== undefined && sizes.length !== outputs) {
    throw new Fault(`split must have ${outputs} sizes, got ${show(sizes)}`);
  }
  if (sizes !== undefined && !mayEqual(sizes.reduce<Size>(plus, 0), x[at])) {
    throw new Fault(`split must sum to ${x[at]}, got ${show(sizes)}`);
  }
  const each = sizes ?? new Array<Size>(outputs).fill(dividedBy(x[at], outputs));
  return each.map((part) => x.map((size, axis) => (axis === at ? part : size)));
};

const Pad: ShapeRule = ({ shapes: [x], values: [, pads, , axes] }) => {
  if (x === undefined || pads === undefined || axes !== undefined) return [x?.map(() => undefined)];
  if (pads.length !== 2 * x.length) throw new Fault(`pads must have ${2 * x.length} sizes, got ${show(pads)}`);
  return [x.map((size, axis) => plus(size, plus(pads[axis], pads[axis + x.length])))];
};

const Tile: ShapeRule = ({ shapes: [x], values: [, repeats] }) => {
  if (x === undefined || repeats === undefined) return [x?.map(() => undefined)];
  if (repeats.length !== x.length) throw new Fault(`repeats must have ${x.length} counts, got ${show(repeats)}`);
  return [x.map((size, axis) => times(size, repeats[axis]))];
};

const Expand: ShapeRule = ({ shapes: [x], values: [, target] }) => [
  x === undefined || target === undefined ? undefined : broadcast(x, target),
];

const Gather: ShapeRule = ({ shapes: [x, index], int }) => {
  if (x === undefined || index === undefined) return [undefined];
  const at = axisOf(int("axis", 0), x.length);
  return [[...x.slice(0, at), ...index, ...x.slice(at + 1)]];
};

const GatherND: ShapeRule = ({ shapes: [x, index], int }) => {
  const depth = index?.at(-1);
  if (x === undefined || index === undefined || typeof depth !== "number") return [undefined];
  const batch = int("batch_dims", 0);
  if (depth + batch > x.length) throw new Fault(`indices of depth ${depth} must fit ${show(x)}, got ${show(index)}`);
  return [[...index.slice(0, -1), ...x.slice(batch + depth)]];
};

const GatherElements: ShapeRule = ({ shapes: [x, index] }) => {
  if (x !== undefined && index !== undefined && x.length !== index.length) {
    throw new Fault(`inputs must have one rank, got ${show(x)} and ${show(index)}`);
  }
  return [index];
};

const OneHot: ShapeRule = ({ shapes: [index], values: [, depth], int }) => {
  if (index === undefined) return [undefined];
  const at = axisOf(int("axis", -1), index.length + 1);
  return [[...index.slice(0, at), depth?.[0], ...index.slice(at)]];
};

const TopK: ShapeRule = ({ shapes: [x], values: [, k], int }) => {
  if (x === undefined) return [undefined, undefined];
  const at = axisOf(int("axis", -1), x.length);
  const out = x.map((size, axis) => (axis === at ? k?.[0] : size));
  return [out, out];
};

/** @param axes undefined: all */
function reduced(x: Shape, axes: readonly number[] | undefined, keep: boolean): Shape {
  const gone = new Set(axes?.map((axis) => axisOf(axis, x.length)) ?? x.keys());
  return keep ? x.map((size, axis) => (gone.has(axis) ? 1 : size)) : x.filter((_, axis) => !gone.has(axis));
}

const reduce: ShapeRule = ({ shapes: [x, axesShape], values: [, axesInput], int, ints }) => {
  const keep = int("keepdims", 1) === 1;
  if (x === undefined) return [undefined];
  if (axesShape !== undefined && axesInput === undefined) return [keep ? x.map(() => undefined) : undefined];
  const axes = axesInput?.map(Number) ?? ints("axes");
  if ((axes === undefined || axes.length === 0) && int("noop_with_empty_axes", 0) === 1) return [x];
  return [reduced(x, axes?.length === 0 ? undefined : axes, keep)];
};

const argReduce: ShapeRule = ({ shapes: [x], int }) => [
  x === undefined ? undefined : reduced(x, [int("axis", 0)], int("keepdims", 1) === 1),
];

const Squeeze: ShapeRule = ({ shapes: [x], values: [, axes] }) => {
  if (x === undefined || axes === undefined) return [undefined];
  const gone = axes.map((axis) => axisOf(Number(axis), x.length));
  const wide = gone.find((axis) => !mayEqual(x[axis], 1));
  if (wide !== undefined) throw new Fault(`axis ${wide} must have size 1, got ${show(x)}`);
  return [x.filter((_, axis) => !gone.includes(axis))];
};

const Unsqueeze: ShapeRule = ({ shapes: [x], values: [, axes] }) => {
  if (x === undefined || axes === undefined) return [undefined];
  const rank = x.length + axes.length;
  const added = axes.map((axis) => axisOf(Number(axis), rank));
  const rest = [...x];
  return [Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.shift()))];
};

const Flatten: ShapeRule = ({ shapes: [x], int }) => {
  if (x === undefined) return [undefined];
  const axis = int("axis", 1);
  const at = axis === x.length ? axis : axisOf(axis, x.length);
  return [[product(x.slice(0, at)), product(x.slice(at))]];
};

const ConstantOfShape: ShapeRule = ({ shapes: [length], values: [target] }) => {
  const rank = length?.[0];
  return [target ?? (typeof rank === "number" ? new Array<Size>(rank).fill(undefined) : undefined)];
};

const ShapeOf: ShapeRule = ({ shapes: [x], int }) => [
  [x === undefined ? undefined : x.slice(int("start", 0), int("end", x.length)).length],
];

const BatchNormalization: ShapeRule = ({ shapes: [x, ...rest], outputs }) => {
  const channels = x?.[1];
  for (const [i, shape] of rest.entries()) {
    if (shape !== undefined && (shape.length !== 1 || !mayEqual(shape[0], channels))) {
      throw new Fault(`input ${i + 2} must be [${channels}], the channels of ${show(x ?? [])}, got ${show(shape)}`);
    }
  }
  return [x, ...new Array<Shape>(outputs - 1).fill([channels])];
};

const Resize: ShapeRule = ({ shapes: [x], floats: [, , scales], values: [, , , sizes] }) => {
  if (x === undefined) return [undefined];
  const wanted = sizes ?? scales;
  if (wanted !== undefined && wanted.length !== 0 && wanted.length !== x.length) {
    throw new Fault(`scales or sizes must have ${x.length} entries, got ${wanted.length}`);
  }
  if (sizes !== undefined) return [sizes];
  return [
    x.map((size, axis) => {
      const scale = scales?.[axis];
      if (scale === 1) return size;
      return scale === undefined || typeof size !== "number" ? undefined : Math.floor(size * scale);
    }),
  ];
};

/** @param inwards DepthToSpace; the other way is SpaceToDepth */
function blocks(inwards: boolean): ShapeRule {
  return ({ shapes: [x], int }) => {
    if (x === undefined) return [undefined];
    if (x.length !== 4) throw new Fault(`input must have 4 axes, got ${show(x)}`);
    const block = int("blocksize", 1);
    const [batch, channels, height, width] = x;
    return [
      inwards
        ? [batch, dividedBy(channels, block * block), times(height, block), times(width, block)]
        : [batch, times(channels, block * block), dividedBy(height, block), dividedBy(width, block)],
    ];
  };
}

const Einsum: ShapeRule = ({ shapes, string }) => {
  const [left = "", right] = string("equation", "").replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (terms.length !== shapes.length) {
    throw new Fault(`equation must name ${shapes.length} inputs, got "${left}"`);
  }
  if (right === undefined || left.includes(".")) return [undefined];
  const sizes = new Map<string, Size>();
  for (const [i, term] of terms.entries()) {
    const shape = shapes[i];
    if (shape === undefined) continue;
    if (shape.length !== term.length)
      throw new Fault(`input ${i + 1} must have the axes "${term}", got ${show(shape)}`);
    for (const [axis, letter] of [...term].entries()) {
      const before = sizes.get(letter);
      if (before !== 1 && shape[axis] !== 1 && !mayEqual(before, shape[axis])) {
        throw new Fault(`axis "${letter}" must have one size, got ${before} and ${shape[axis]}`);
      }
      if (before === undefined || before === 1) sizes.set(letter, shape[axis]);
    }
  }
  return [[...right].map((letter) => sizes.get(letter))];
};

const clip: ShapeRule = ({ shapes }) => {
  const bound = shapes.slice(1).find((shape) => shape !== undefined && shape.length > 0);
  if (bound !== undefined) throw new Fault(`bounds must be scalars, got ${show(bound)}`);
  return [shapes[0]];
};

const special = {
  Transpose,
  Reshape,
  Gemm,
  MatMul,
  Concat,
  Slice,
  Split,
  Pad,
  Tile,
  Expand,
  Gather,
  GatherND,
  GatherElements,
  OneHot,
  TopK,
  Squeeze,
  Unsqueeze,
  Flatten,
  ConstantOfShape,
  BatchNormalization,
  Resize,
  Einsum,
  Shape: ShapeOf,
  Size: () => [[]],
  Range: () => [[undefined]],
  PRelu: towardsFirst,
  Clip: clip,
  Softmax: onAxis,
  LogSoftmax: onAxis,
  ArgMax: argReduce,
  ArgMin: argReduce,
  Conv: convShape,
  ConvTranspose: convTransposeShape,
  MaxPool: poolShape,
  AveragePool: poolShape,
  GlobalAveragePool: globalPoolShape,
  DepthToSpace: blocks(true),
  SpaceToDepth: blocks(false),
} as const satisfies Partial<Record<OperatorName, ShapeRule>>;

const broadcasting = new Set<string>(
  "Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Or Pow Sub Where Xor".split(" "),
);

/** The rule of an operator of the table; those without a rule of their own keep the shape of their first input. */
export function shapeRule(op: string): ShapeRule {
  if (Object.hasOwn(special, op)) return special[op as keyof typeof special];
  if (broadcasting.has(op)) return elementwise;
  return op.startsWith("Reduce") ? reduce : same;
}
