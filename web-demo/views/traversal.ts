import type { HostTensor } from "../../schemas/tensor.ts";
import { h, replaceControls } from "../element.ts";
import type { Block, ImageShape } from "../model/model.ts";
import { paint, picture, row } from "../pictures/paint.ts";

/** Values that a dimension takes from left to right: what a standard normal code does but for 3 in 1,000. */
const steps = [-3, -2, -1, 0, 1, 2, 3];
/** More lines take longer to decode than they are looked at. */
const mostLines = 12;

export interface TraversalContext {
  /** The code that is varied, by dimension. */
  readonly code: ReadonlyMap<string, number>;
  /** Dimensions below it on average are left out, and said to be. */
  readonly leastBits: number;
  decode(codes: readonly ReadonlyMap<string, number>[]): Promise<HostTensor>;
}

/** Latent traversals: one line of pictures a dimension. */
export function traversal(
  blocks: readonly Block[],
  { shape, onPick }: { shape: ImageShape; onPick: (dimension: string, value: number) => void },
) {
  const names = new Map(
    blocks.flatMap(({ title, dimensions }) =>
      dimensions.map((dimension, at) => [dimension, blocks.length === 1 ? `${at + 1}` : `${title} ${at + 1}`] as const),
    ),
  );
  const table = h("table", { class: "pictures-grid traversal" });
  const rest = h("p", { class: "hint" });
  return {
    root: h("div", { class: "panel" }, h("div", { class: "grid-wrap" }, table), rest),
    async show(
      order: readonly { dimension: string; bits: number }[],
      { code, leastBits, decode }: TraversalContext,
    ): Promise<void> {
      const telling = order.filter(({ bits }) => bits >= leastBits);
      const lines = telling.slice(0, mostLines);
      const codes = lines.flatMap(({ dimension }) => steps.map((value) => new Map([...code, [dimension, value]])));
      const made = codes.length === 0 ? undefined : await decode(codes);
      const head = h(
        "tr",
        {},
        h("th", { scope: "col" }, "number"),
        ...steps.map((value) => h("th", { scope: "col" }, String(value))),
      );
      const body = lines.map(({ dimension, bits }, line) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, names.get(dimension), h("small", {}, `${bits.toFixed(1)} bits`)),
          ...steps.map((value, at) => {
            const canvas = picture(shape, `Number ${names.get(dimension)} at ${value}`);
            paint(canvas, row(made!, line * steps.length + at));
            const press = h("button", { type: "button", class: "head", click: () => onPick(dimension, value) }, canvas);
            return h("td", {}, press);
          }),
        ),
      );
      replaceControls(table, head, ...body);
      rest.textContent = restText(order.length - telling.length, telling.length - lines.length, leastBits);
    },
  };
}

function restText(silent: number, more: number, leastBits: number): string {
  const parts = [
    ...(silent > 0
      ? [`${silent} other numbers carry less than ${leastBits} bits on average: moving them does next to nothing.`]
      : []),
    ...(more > 0 ? [`${more} more carry bits and are not shown.`] : []),
  ];
  return parts.join(" ");
}
