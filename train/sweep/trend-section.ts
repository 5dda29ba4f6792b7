import * as Plot from "@observablehq/plot";
import { median } from "../../information/median.ts";
import type { SweepTrend } from "../../schemas/sweep.ts";
import { drawChart, looks } from "../evaluate/report/chart.ts";
import { type Html, html } from "../evaluate/report/html.ts";
import { pText, verdictOf } from "./verdict.ts";

/** The curves of a sweep: each quantity against the number that its variants stand for. */
export function trendSection(trends: readonly SweepTrend[]): Html | undefined {
  if (trends.length === 0) return undefined;
  return html`<section><h2>Curves</h2>
<p>Line: medians over seeds; dots: seeds. The rank correlation says whether the quantity rises or falls along the axis;
its p-value is the share of random orders that do so as much.</p>
<div class="charts">${trends.map(figure)}</div></section>`;
}

function figure(trend: SweepTrend): Html {
  const { title, correlation, pValue, claim, source } = trend;
  const said = `Rank correlation ${correlation.toFixed(2).replace("-", "−")}, ${pText(pValue)}.`;
  const { words, look } = verdictOf(trend);
  const judged = html` Claimed ${claim ?? ""} (${source}): <span class="${look}">${words}</span>.`;
  return html`<figure><h3>${title}</h3>${curve(trend)}<figcaption>${said}${claim === undefined ? html` After ${source}.` : judged}</figcaption></figure>`;
}

function curve({ title, quantity, unit, axis, points }: SweepTrend): Html {
  const middle = points.map(({ at, values }) => ({ at, value: median(values) }));
  const seeds = points.flatMap(({ at, values }) => values.map((value) => ({ at, value })));
  const { stroke } = looks(0);
  const places = { x: "at", y: "value" } as const;
  const options: Plot.PlotOptions = {
    height: 260,
    marginLeft: 44,
    marginBottom: 38,
    x: { label: axis, ticks: 5, nice: true },
    y: { label: unit === "1" ? quantity : `${quantity} (${unit})`, grid: true, ticks: 5, nice: true },
    marks: [
      Plot.line(middle, { ...places, stroke, strokeWidth: 2 }),
      Plot.dot(seeds, { ...places, r: 3, fill: stroke }),
    ],
  };
  return drawChart(options, `${title}: ${middle.map(({ at, value }) => `${value.toFixed(3)} at ${at}`).join(", ")}`);
}
