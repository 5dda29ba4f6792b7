import type { Figure } from "../../schemas/manifest.ts";
import { h } from "../element.ts";
import { fixed } from "../number-text.ts";
import { wideTable } from "../wide-table.ts";

/** What a bundle's evaluation measured, as its manifest says. */
export function figureTable(figures: readonly Figure[]): HTMLElement {
  const head = ["quantity", "value", "95 % interval", "paper", "goal", "n", "estimator"];
  const body = figures.map(({ quantity, value, unit, interval, paper, minimum, maximum, met, n, estimator }) => {
    const cells = [
      `${fixed(value, 3)}${unit === "1" ? "" : ` ${unit}`}`,
      interval === undefined ? "" : interval.map((bound) => fixed(bound, 3)).join(" to "),
      paper === undefined ? "" : String(paper),
      met === undefined ? "" : `${goalText(minimum, maximum)}: ${met ? "met" : "missed"}`,
      n.toLocaleString("en"),
    ];
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, quantity)),
      ...cells.map((text) => h("td", { class: "number" }, text)),
      h("td", {}, estimator),
    );
  });
  const words = ["quantity", "estimator"];
  const titles = head.map((text) => h("th", { scope: "col", class: words.includes(text) ? "" : "number" }, text));
  return wideTable("Figures of the evaluation", h("table", {}, h("tr", {}, ...titles), ...body));
}

function goalText(minimum: number | undefined, maximum: number | undefined): string {
  if (maximum === undefined) return `at least ${minimum}`;
  return minimum === undefined ? `at most ${maximum}` : `${minimum} to ${maximum}`;
}
