import { h } from "./element.ts";

/**
 * A table that may be wider than the page: it scrolls sideways by finger, wheel or arrow keys, and a shadow at the edge
 * says that there is more (styles/tables.css).
 */
export function wideTable(label: string, table: HTMLTableElement): HTMLElement {
  return h("div", { class: "wide", role: "region", "aria-label": label, tabindex: 0 }, table);
}
