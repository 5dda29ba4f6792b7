import { h } from "../element.ts";

export interface ValueBar {
  readonly name: string;
  readonly value: number;
  /** Said of it and shown bold: the true class, for instance. */
  readonly remark?: string;
}

/** Horizontal bars of values on one scale, each with its number; bars below 0 are hollow. */
export function valueBars(bars: readonly ValueBar[], { most, block = "" }: { most?: number; block?: string } = {}) {
  const largest = most ?? Math.max(1e-12, ...bars.map(({ value }) => Math.abs(value)));
  return h(
    "dl",
    { class: `value-bars ${block}` },
    ...bars.flatMap(({ name, value, remark }) => {
      const bar = h("i", { class: value < 0 ? "bar negative" : "bar" });
      bar.style.width = `${Math.min(100, (100 * Math.abs(value)) / largest)}%`;
      return [
        h("dt", { class: remark === undefined ? "" : "marked" }, name, remark && h("small", {}, ` ${remark}`)),
        h(
          "dd",
          { "data-name": name, "data-value": value },
          h("span", { class: "bar-track" }, bar),
          h("b", {}, shown(value)),
        ),
      ];
    }),
  );
}

function shown(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) >= 0.001 && Math.abs(value) < 1e5 ? value.toFixed(3) : value.toExponential(1);
}
