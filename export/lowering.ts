import type { GraphBuilder } from "./builder.ts";
import type { Traced } from "./traced.ts";

/** Inputs of a kernel by tfjs's own names (`x`, `filter`, `dy`, ...; a list is `0`, `1`, ...). Left-out ones are absent. */
export type KernelInputs = Readonly<Record<string, Traced>>;

/**
 * Records what a tfjs kernel computes. Named exactly as the kernel, so that the way from a kernel to its code is a
 * name look-up (`kernels/registry.ts`).
 */
export type Lowering<Attrs = Record<string, never>> = (
  graph: GraphBuilder,
  inputs: KernelInputs,
  attrs: Attrs,
) => Traced | readonly Traced[];

/** The kernel's input `name`, which tfjs guarantees. */
export function need(inputs: KernelInputs, name: string): Traced {
  const symbol = inputs[name];
  if (symbol === undefined) throw new Error(`Cannot lower the kernel: input "${name}" is missing`);
  return symbol;
}

/** Inputs of a kernel that takes a list (Concat, Pack, AddN, Einsum). */
export function list(inputs: KernelInputs): readonly Traced[] {
  return Object.keys(inputs)
    .map(Number)
    .sort((a, b) => a - b)
    .map((i) => need(inputs, String(i)));
}
