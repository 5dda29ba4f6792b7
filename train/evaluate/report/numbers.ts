import type { Figure } from "../../../schemas/manifest.ts";

/** Two digits after the point, as in the paper's tables, and no minus before a zero. */
export function show(value: number): string {
  const text = value.toFixed(2).replace("-", "−");
  return text === "−0.00" ? "0.00" : text;
}

export function showInterval(interval: Figure["interval"]): string {
  return interval === undefined ? "" : `${show(interval[0])} to ${show(interval[1])}`;
}

export function count(n: number): string {
  return n.toLocaleString("en-US");
}

/** `unique_1` as `unique 1`, `position_x` as `position x`. */
export function words(name: string): string {
  return name.replaceAll("_", " ");
}
