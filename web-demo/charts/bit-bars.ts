import { h } from "../element.ts";
import { fixed } from "../number-text.ts";

export interface BitBar {
  readonly id: string;
  readonly label: string;
  readonly bits: number;
  readonly interval?: readonly [number, number];
  /** Block of the representation whose colour it has. */
  readonly block?: string;
  readonly note?: string;
}

/** Horizontal bars of bits on one scale, each with its number, and its interval where it has one. */
export function bitBars(bars: readonly BitBar[]): HTMLElement {
  const most = Math.max(0.5, ...bars.map(({ bits, interval }) => Math.max(bits, interval?.[1] ?? 0)));
  const share = (bits: number): string => `${(100 * Math.max(0, bits)) / most}%`;
  return h(
    "dl",
    { class: "bit-bars" },
    ...bars.flatMap(({ id, label, bits, interval, block, note }) => {
      const bar = h("i", { class: "bar" });
      bar.style.width = share(bits);
      const track = h("span", { class: "bar-track" }, bar);
      if (interval !== undefined) {
        const whisker = h("i", { class: "whisker" });
        whisker.style.left = share(interval[0]);
        whisker.style.width = `calc(${share(interval[1])} - ${share(interval[0])})`;
        track.append(whisker);
      }
      const range = interval === undefined ? "" : ` [${interval.map((value) => fixed(value, 2)).join(", ")}]`;
      return [
        h("dt", {}, label, note === undefined ? undefined : h("small", {}, note)),
        h(
          "dd",
          { class: block ?? "", "data-id": id, "data-bits": bits },
          track,
          h("b", {}, `${fixed(bits, 2)} bits`),
          h("small", {}, range),
        ),
      ];
    }),
  );
}
