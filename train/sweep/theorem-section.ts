import * as Plot from "@observablehq/plot";
import { encoderInformation } from "../../information/gaussian-encoder.ts";
import { bitsPerNat } from "../../information/units.ts";
import { drawChart } from "../evaluate/report/chart.ts";
import { type Html, html } from "../evaluate/report/html.ts";
import { stream } from "../random.ts";

const latents = 4;
const values = 32;
const samples = 2000;
const correlations = [0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9];

/**
 * Theorems 1 and 2 of the paper on Gaussian encoders: what TC + I exceeds the sum of the latents' information by, with
 * every term estimated from its own sample, against the exact total correlation of the noise.
 */
export function theoremSection(): Html {
  const points = correlations.map((correlation) => {
    const random = stream(0, "theorem", correlation);
    const means = {
      rows: values,
      columns: latents,
      values: Float64Array.from({ length: values * latents }, random.normal),
    };
    const found = encoderInformation({ means, deviation: 0.6, correlation }, { samples, draw: random });
    const { totalCorrelation: tc, information, informationSum: sum } = found;
    const gap = bitsPerNat * (tc.nats + information.nats - sum.nats);
    const error = bitsPerNat * Math.hypot(tc.standardError, information.standardError, sum.standardError);
    return {
      correlation,
      gap,
      low: gap - 2 * error,
      high: gap + 2 * error,
      exact: bitsPerNat * found.conditionalTotalCorrelation,
    };
  });
  const options: Plot.PlotOptions = {
    height: 220,
    marginLeft: 44,
    x: { label: "correlation of the noise", ticks: 5 },
    y: { label: "bits", grid: true, ticks: 5, nice: true },
    marks: [
      Plot.line(points, {
        x: "correlation",
        y: "exact",
        stroke: "var(--series-2)",
        strokeDasharray: "6 3",
        strokeWidth: 1.5,
      }),
      Plot.ruleX(points, { x: "correlation", y1: "low", y2: "high", stroke: "var(--series-1)" }),
      Plot.dot(points, { x: "correlation", y: "gap", r: 3, fill: "var(--series-1)" }),
    ],
  };
  const none = points[0]!;
  return html`<section><h2>Theorem 2 on Gaussian encoders</h2>
<p>With factorised noise total correlation and information add up to the latents' own information, TC + I(z; x) = Σ
I(z<sub>j</sub>; x). Estimated on encoders of ${latents} latents, each term from ${samples} codes of its own, the two sides differ by
${none.gap.toFixed(3)} bits (two standard errors: ${((none.high - none.low) / 2).toFixed(3)}). With correlated noise the difference is the total
correlation of the noise.</p>
<div class="charts"><figure><h3>TC + I − Σ I<sub>j</sub></h3>${drawChart(options, "TC plus I minus the sum of the latents' information, by correlation of the noise")}
<figcaption>Dots: estimated, with two standard errors; dashed: exact, −½ log det of the noise's correlation matrix</figcaption></figure></div></section>`;
}
