import type { Dim } from "./graph.ts";

/**
 * Sizes in the checker: numbers, names such as `batch`, and multiples of a name such as `2*batch`. What cannot be said
 * so is undefined: unknown, and equal to anything.
 */
export type Size = Dim | undefined;
export type Shape = readonly Size[];

/** A breach of a rule by one node; the checker adds which. */
export class Fault extends Error {}

/** A size as count times name; a plain number has the name "". */
function parts(size: Dim): { count: number; name: string } {
  if (typeof size === "number") return { count: size, name: "" };
  const [, count, name] = /^(\d+)\*(.+)$/.exec(size) ?? [];
  return { count: Number(count ?? 1), name: name ?? size };
}

function sizeOf(count: number, name: string): Size {
  if (name === "" || count === 0) return count;
  return count === 1 ? name : `${count}*${name}`;
}

export function times(a: Size, b: Size): Size {
  if (a === 0 || b === 0) return 0;
  if (a === undefined || b === undefined || a === "" || b === "") return undefined;
  const [p, q] = [parts(a), parts(b)];
  if (p.name !== "" && q.name !== "") return undefined;
  return sizeOf(p.count * q.count, p.name + q.name);
}

export function plus(a: Size, b: Size): Size {
  if (a === 0) return b;
  if (b === 0) return a;
  if (a === undefined || b === undefined || a === "" || b === "") return undefined;
  const [p, q] = [parts(a), parts(b)];
  return p.name === q.name ? sizeOf(p.count + q.count, p.name) : undefined;
}

/** a / b where it is a whole size, undefined where that is not known; a fault where it is surely none. */
export function dividedBy(a: Size, b: Size): Size {
  if (a === undefined || b === undefined || a === "" || b === "" || b === 0) return undefined;
  const [p, q] = [parts(a), parts(b)];
  if (q.name !== "" && q.name !== p.name) return undefined;
  const count = p.count / q.count;
  if (!Number.isInteger(count)) return undefined;
  return sizeOf(count, q.name === "" ? p.name : "");
}

export function product(shape: Shape): Size {
  return shape.reduce<Size>((total, size) => times(total, size), 1);
}

/** Whether the two may be the same size. A number is never a name: a graph that is fixed there cannot promise a symbol. */
export function mayEqual(a: Size, b: Size): boolean {
  return a === undefined || b === undefined || a === "" || b === "" || a === b;
}

/** NumPy's rules. @throws Fault if two known sizes do not fit */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [size(a, i + a.length - rank), size(b, i + b.length - rank)];
    if (x === 1) return y;
    if (y === 1) return x;
    if (x === undefined || y === undefined) return typeof x === "number" ? x : typeof y === "number" ? y : undefined;
    if (mayEqual(x, y)) return x === "" ? y : x;
    if (typeof x === "string" && typeof y === "string") return undefined; // two names may stand for one size
    throw new Fault(`inputs must broadcast, got ${show(a)} and ${show(b)}`);
  });
}

function size(shape: Shape, at: number): Size {
  return at < 0 ? 1 : shape[at];
}

/** An axis of -rank .. rank - 1 as one of 0 .. rank - 1. @throws Fault if it is out of range */
export function axisOf(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) throw new Fault(`axis must be from ${-rank} to ${rank - 1}, got ${axis}`);
  return axis < 0 ? axis + rank : axis;
}

export function show(shape: Shape): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}
