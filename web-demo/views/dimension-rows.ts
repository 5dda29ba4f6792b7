import { gaussianKl } from "../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../information/units.ts";
import { h } from "../element.ts";
import type { Block, Gaussians } from "../model/model.ts";
import { fixed } from "../number-text.ts";

/** Widest value that a code takes on its slider; standard normal codes stay inside but for 1 in 15,000. */
const range = 4;
/** Bits of a full bar where no dimension has more: next to nothing should not fill a bar. */
const leastScale = 4;

export interface DimensionRows {
  readonly root: HTMLElement;
  /**
   * @param codes posteriors that are shown as marks, one for the block of a view, two for the common block of both
   * @param options.edits values set by hand, by dimension; the slider stands there, else at the mean of the marks
   * @param options.scale bits of a full bar, `scaleOf` all blocks that are shown
   */
  show(
    codes: readonly Gaussians[],
    options: { readonly edits: ReadonlyMap<string, number>; readonly scale: number },
  ): void;
  enable(enabled: boolean): void;
}

/** One slider for each dimension of a block, with what the encoders say and the bits that it carries. */
export function dimensionRows(
  block: Block,
  { hint, onDrag }: { hint: string; onDrag: (dimension: string, value: number) => void },
): DimensionRows {
  const total = h("span", { class: "total" });
  const rows = block.dimensions.map((dimension, at) => {
    const slider = h("input", {
      type: "range",
      min: -range,
      max: range,
      step: 0.02,
      value: 0,
      "aria-label": `${block.title}, dimension ${at + 1}`,
      "data-dimension": dimension,
      input: () => onDrag(dimension, Number(slider.value)),
    });
    const marks = [h("i", { class: "mark", hidden: true }), h("i", { class: "mark", hidden: true })];
    const bar = h("i", { class: "bar" });
    const bits = h("span", { class: "bits" });
    const row = h(
      "div",
      { class: "dimension" },
      h("span", { class: "name" }, String(at + 1)),
      h("div", { class: "track" }, ...marks, slider),
      h("div", { class: "rate" }, h("span", { class: "bar-track" }, bar), bits),
    );
    return { dimension, slider, marks, bar, bits, row };
  });
  const root = h(
    "section",
    { class: `codes ${block.name}` },
    h("h3", {}, block.title, total),
    h("p", { class: "hint" }, hint),
    ...rows.map(({ row }) => row),
  );
  return {
    root,
    show(codes, { edits, scale }) {
      let sum = 0;
      for (const [at, { dimension, slider, marks, bar, bits }] of rows.entries()) {
        const means = codes.map(({ mean }) => mean[at]!);
        const rate = bitsOf(codes, at);
        sum += rate;
        for (const [i, mark] of marks.entries()) {
          const mean = means[i];
          mark.hidden = mean === undefined;
          if (mean !== undefined) mark.style.left = `calc(50% + ${clamp(mean) / range} * (50% - 0.5rem))`; // a thumb's width
        }
        const value = edits.get(dimension) ?? means.reduce((a, b) => a + b, 0) / Math.max(1, means.length);
        if (document.activeElement !== slider || !edits.has(dimension)) slider.value = String(value);
        slider.classList.toggle("edited", edits.has(dimension));
        slider.setAttribute("aria-valuetext", `${value.toFixed(2)}, ${fixed(rate, 1)} bits`);
        bar.style.width = `${(100 * Math.max(0, rate)) / scale}%`;
        bits.textContent = codes.length === 0 ? "" : fixed(rate, 1); // nothing is known of a hidden view's own code
      }
      total.textContent = codes.length === 0 ? "" : `${fixed(sum, 1)} bits`;
    },
    enable(enabled) {
      for (const { slider } of rows) slider.disabled = !enabled;
      root.classList.toggle("disabled", !enabled);
    },
  };
}

/** Bits of a full bar: the most that a dimension of any block has, so that bars of all blocks compare. */
export function scaleOf(blocks: readonly (readonly Gaussians[])[]): number {
  const rates = blocks.flatMap((codes) => Array.from({ length: codes[0]?.dims ?? 0 }, (_, at) => bitsOf(codes, at)));
  return Math.max(leastScale, ...rates);
}

/**
 * Rate of one dimension, bits, averaged over the encoders that speak of it: by the model, where it tells, else against
 * a standard normal prior.
 */
export function bitsOf(codes: readonly Gaussians[], at: number): number {
  if (codes.length === 0) return 0;
  const nats = codes.map(({ mean, logvar, rate }) => rate?.[at] ?? gaussianKl(mean[at]!, logvar[at]!, 0, 0));
  return (nats.reduce((a, b) => a + b, 0) / nats.length) * bitsPerNat;
}

function clamp(value: number): number {
  return Math.min(range, Math.max(-range, value));
}
