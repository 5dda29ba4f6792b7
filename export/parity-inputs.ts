import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { elementCount, type HostTensor, type TensorData } from "../schemas/tensor.ts";
import { toTypedArray } from "./builder.ts";
import type { TraceInput } from "./traced-function.ts";

/** Seeded inputs on which an exported file is compared with the function it came from. */

export interface ParityInput extends TraceInput {
  /** Whole numbers are drawn from 0 .. below - 1, for instance rows of an embedding; default: 256 for uint8, else 2. */
  readonly below?: number;
}

/** What one row holds; `structured` is a picture with edges and a slope, the same in no two directions. */
export type RowKind = "random" | "structured" | "zeros" | "large";

/** Uniform in [0, 1). */
export type Uniform = () => number;

export function seededUniform(seed: number): Uniform {
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 4294967296;
}

/**
 * @param rows kind of each row; an input without a leading batch dimension is filled as the first row is
 * @returns the input with as many rows as there are kinds
 */
export function parityTensor(input: ParityInput, rows: readonly RowKind[], uniform: Uniform): HostTensor {
  const shape = input.shape.map((size) => (size === "batch" ? rows.length : size));
  const kinds = input.shape[0] === "batch" ? rows : rows.slice(0, 1);
  const row = input.shape[0] === "batch" ? shape.slice(1) : shape;
  const values = new Float64Array(elementCount(shape));
  const size = elementCount(row);
  for (const [index, kind] of kinds.entries()) {
    const draw = drawer(input, kind, uniform);
    for (let i = 0; i < size; i++) values[index * size + i] = draw(row, i);
  }
  return { dtype: input.dtype, shape, data: toTypedArray(input.dtype, values) as TensorData };
}

function drawer(
  { dtype, below }: ParityInput,
  kind: RowKind,
  uniform: Uniform,
): (row: readonly number[], i: number) => number {
  const edge = 0.25 + uniform() / 2; // where the step of a structured row stands
  const slope = 0.5 + uniform();
  const structure = (row: readonly number[], i: number): number => structured(row, i, { edge, slope });
  if (dtype === "float32" && below === undefined) {
    // Ten standard deviations: beyond any code or noise, and not so large that a saturated sigmoid's few values near
    // its turning point carry the rounding of huge logits.
    return {
      random: () => normal(uniform),
      structured: (row: readonly number[], i: number) => 2 * structure(row, i) - 1,
      zeros: () => 0,
      large: () => 10 * normal(uniform),
    }[kind];
  }
  const count = dtype === "bool" ? 2 : (below ?? (dtype === "uint8" ? 256 : 2));
  const integer = (x: number): number => Math.min(count - 1, Math.floor(x * count));
  return {
    random: () => integer(uniform()),
    structured: (row: readonly number[], i: number) => integer(structure(row, i)),
    zeros: () => 0,
    large: () => count - 1,
  }[kind];
}

/** In [0, 1]: a slope along the first axis, a step along the second, an offset along the last. */
function structured(row: readonly number[], i: number, { edge, slope }: { edge: number; slope: number }): number {
  const at: number[] = [];
  for (let axis = row.length - 1, rest = i; axis >= 0; axis--) {
    at.unshift((rest % row[axis]!) / row[axis]!);
    rest = Math.floor(rest / row[axis]!);
  }
  const [first = 0, second = 0] = at;
  const last = at.length > 2 ? at.at(-1)! : 0;
  return ((0.4 * first * slope + (second > edge ? 0.4 : 0) + 0.3 * last) % 1.0001) / 1.0001;
}

/** Box and Muller. */
function normal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
