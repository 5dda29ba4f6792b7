import type { TensorSpec } from "./manifest.ts";
import type { TensorData } from "./tensor.ts";

/** Where a tensor first leaves the range of its input; undefined where it does not, or where there is no range. */
export function firstOutside({ range }: Pick<TensorSpec, "range">, data: TensorData): number | undefined {
  if (range === undefined) return undefined;
  const [low, high] = range;
  const at = data.findIndex((value: number | bigint) => !(value >= low && value <= high));
  return at < 0 ? undefined : at;
}

/** What a value outside the range is told. */
export function outsideWords({ name, range }: Pick<TensorSpec, "name" | "range">, value: unknown): string {
  return `"${name}" must be ${range?.join(" .. ")}, got ${String(value)}`;
}
