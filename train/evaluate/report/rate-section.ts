import * as Plot from "@observablehq/plot";
import { drawChart, looks } from "./chart.ts";
import type { DimensionRate } from "./dimension-rates.ts";
import { type Html, html } from "./html.ts";
import { show, words } from "./numbers.ts";

/** One bar a dimension, a chart a block on one scale; two bars where two encoders tell the block. */
export function rateSection(rates: readonly DimensionRate[]): Html {
  const blocks = [...new Set(rates.map(({ block }) => block))];
  const most = Math.max(...rates.map(({ bits }) => bits), 1);
  return html`<section><h2>Rate of each dimension</h2>
<p>Mean divergence of the posterior from the prior, in bits a pair, over all pairs drawn. A dimension near 0 carries
nothing. Both encoders tell the common block, and should tell it alike.</p>
<div class="charts">${blocks.map((block) =>
    blockChart(
      rates.filter((rate) => rate.block === block),
      most,
    ),
  )}</div></section>`;
}

function blockChart(rates: readonly DimensionRate[], most: number): Html {
  const { block } = rates[0]!;
  const encoders = [...new Set(rates.map(({ encoder }) => encoder ?? 1))];
  const totals = encoders.map((encoder) => {
    const own = rates.filter((rate) => (rate.encoder ?? 1) === encoder);
    const bits = show(own.reduce((sum, rate) => sum + rate.bits, 0));
    return encoders.length === 1 ? `${bits} bits in all` : `${bits} bits by encoder ${encoder}`;
  });
  const bars = rates.map(({ dimension, encoder, bits }) => ({
    dimension,
    encoder: encoder ?? 1,
    bits,
    text: show(bits),
  }));
  const dimensions = [...new Set(bars.map(({ dimension }) => dimension))];
  const options: Plot.PlotOptions = {
    height: 52 + dimensions.length * (encoders.length * 17 + 8),
    marginLeft: 74,
    marginRight: 34,
    x: { label: "bits", domain: [0, most], ticks: 5, grid: true },
    y: { axis: null, domain: encoders, padding: 0.12 },
    fy: { label: null, domain: dimensions, padding: 0.25 },
    marks: [
      ...encoders.map((encoder, i) => {
        const own = bars.filter((bar) => bar.encoder === encoder);
        const look = {
          fill: looks(i).stroke,
          fillOpacity: i === 0 ? 1 : 0.25,
          stroke: looks(i).stroke,
          insetRight: 0.5,
        };
        return Plot.barX(own, { x: "bits", y: "encoder", fy: "dimension", ...look });
      }),
      Plot.text(bars, { x: "bits", y: "encoder", fy: "dimension", text: "text", textAnchor: "start", dx: 4 }),
      Plot.ruleX([0]),
    ],
  };
  const said = bars.map(({ dimension, encoder, text }) =>
    encoders.length === 1 ? `${dimension} ${text}` : `${dimension} by encoder ${encoder} ${text}`,
  );
  const key = encoders.length > 1 ? barKey(encoders) : undefined;
  return html`<figure><h3>${words(block)}</h3>${drawChart(options, `Bits by dimension: ${said.join(", ")}`)}
${key}<figcaption>${totals.join(", ")}</figcaption></figure>`;
}

function barKey(encoders: readonly number[]): Html {
  const items = encoders.map((encoder, i) => {
    const style = `fill:${looks(i).stroke};fill-opacity:${i === 0 ? 1 : 0.25};stroke:${looks(i).stroke}`;
    return html`<li><svg width="28" height="10" aria-hidden="true"><rect x="1" y="1" width="26" height="8" style="${style}"/></svg> encoder ${encoder}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}
