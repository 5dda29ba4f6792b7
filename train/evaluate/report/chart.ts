import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { type Html, html, markup } from "./html.ts";

/** Width in CSS pixels: one chart fills a narrow screen without being shrunk, several stand side by side on a wide one. */
const chartWidth = 336;

/** Colour and dashes of the series in order: told apart without colour too. Colours are set by the style sheet. */
export const seriesLooks = [
  { stroke: "var(--series-1)", dash: "none" },
  { stroke: "var(--series-2)", dash: "6 3" },
  { stroke: "var(--series-3)", dash: "2 3" },
  { stroke: "var(--series-4)", dash: "8 3 2 3" },
] as const;

/** Draws a chart as SVG that stands in the page by itself. `label` is what a screen reader says in its place. */
export function drawChart(options: Plot.PlotOptions, label: string): Html {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    width: chartWidth,
    style: { fontSize: "11px", background: "none" },
    ...options,
    document,
  });
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  // The name space is understood inside HTML, and a page without any address is easy to check.
  return markup(svg.outerHTML.replaceAll(' xmlns="http://www.w3.org/2000/svg"', ""));
}

/** What each series looks like; one series needs no legend. */
export function legend(names: readonly string[]): Html | undefined {
  if (names.length < 2) return undefined;
  const items = names.map((name, i) => {
    const { stroke, dash } = looks(i);
    const style = `stroke:${stroke};stroke-dasharray:${dash}`;
    return html`<li><svg width="28" height="10" aria-hidden="true"><path d="M0 5H28" stroke-width="2" style="${style}"/></svg> ${name}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}

export function looks(series: number): (typeof seriesLooks)[number] {
  return seriesLooks[series % seriesLooks.length]!;
}
