import * as Plot from "@observablehq/plot";
import { bitsPerNat } from "../../../information/units.ts";
import type { MetricsLine } from "../../../schemas/run-status.ts";
import { drawChart, legend, looks } from "./chart.ts";
import { type Html, html } from "./html.ts";
import { count, words } from "./numbers.ts";

/** One chart a kind of term: `rate_common_1` and `rate_unique_1` share one, `loss` has its own. */
export function trainingSection(metrics: readonly MetricsLine[]): Html | undefined {
  if (metrics.length < 2) return undefined;
  const names = [...new Set(metrics.flatMap(({ terms }) => Object.keys(terms)))].filter(isShown);
  const kinds = [...new Set(names.map(kindOf))];
  const phases = [...new Set(metrics.map(({ phase }) => phase))];
  return html`<section><h2>Training</h2>
<p>Terms of single steps, in bits a pair${phases.length > 1 ? `, over the phases ${phases.join(", ")}` : ""}. Rates are
those of the batch, before free bits. The scale of a term that falls far is logarithmic.</p>
<div class="charts">${kinds.map((kind) =>
    termChart(
      kind,
      names.filter((name) => kindOf(name) === kind),
      metrics,
    ),
  )}</div></section>`;
}

interface Point {
  readonly step: number;
  readonly value: number;
}

function termChart(kind: string, names: readonly string[], metrics: readonly MetricsLine[]): Html {
  const series = names.map((name) =>
    metrics.flatMap(({ step, terms }): Point[] => {
      const value = terms[name];
      return value === undefined ? [] : [{ step, value: value * (isNats(name) ? bitsPerNat : 1) }];
    }),
  );
  const isLog = series.every(fallsFar);
  const unit = names.every(isNats) ? "bits" : "";
  const options: Plot.PlotOptions = {
    height: 200,
    marginLeft: 52,
    marginRight: 16,
    x: { label: "step", ticks: 5, tickFormat: count },
    y: {
      label: unit,
      grid: true,
      ticks: 5,
      ...(isLog ? { type: "log", tickFormat: ",~g" } : { zero: true, nice: true }),
    },
    marks: series.map((points, i) => {
      const { stroke, dash } = looks(i);
      return Plot.line(points, { x: "step", y: "value", stroke, strokeDasharray: dash, strokeWidth: 1.5 });
    }),
  };
  const ends = series.map((points, i) => `${words(names[i]!)} from ${short(points[0])} to ${short(points.at(-1))}`);
  const caption = `${isLog ? "Logarithmic. " : ""}${ends.length === 1 ? `From ${short(series[0]![0])} to ${short(series[0]!.at(-1))} ${unit}` : ""}`;
  return html`<figure><h3>${words(kind)}</h3>${drawChart(options, `${unit} by step: ${ends.join(", ")}`)}
${legend(names.map(words))}<figcaption>${caption}</figcaption></figure>`;
}

/** What the loss makes of a rate with free bits is the rate again, but for a floor. */
function isShown(name: string): boolean {
  return !name.startsWith("clamped_");
}

function kindOf(name: string): string {
  return name.split("_")[0]!;
}

/** The contract of `Phase.losses`: nats unless the name ends in another unit. */
function isNats(name: string): boolean {
  return !/_(bits|accuracy|share)$/.test(name);
}

/** What falls by orders of magnitude shows its end on a logarithmic scale only; what rises shows its start there only. */
function fallsFar(points: readonly Point[]): boolean {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return false;
  return points.every(({ value }) => value > 0) && first.value > 5 * last.value;
}

function short(point: Point | undefined): string {
  return point === undefined ? "nothing" : Number(point.value.toPrecision(3)).toString();
}
