import * as Plot from "@observablehq/plot";
import type { Sweep, SweepSummary } from "../../schemas/sweep.ts";
import { drawChart, looks } from "../evaluate/report/chart.ts";
import { type Html, html } from "../evaluate/report/html.ts";
import { violinOf } from "./violin.ts";

type Chart = Sweep["charts"][number];
type Row = SweepSummary["medians"][number];

const chartHeight = 260;
/** Half the width of a violin, of the distance between two. */
const reach = 0.38;
const symbols = ["circle", "triangle", "square", "diamond"] as const;
const drawn = ["○", "△", "□", "◇"] as const;
/** Variants that fit beside each other, with their names, in a chart of usual width. */
const fitting = 5;
/** Width of a variant where there are more, for a chart over the whole page. */
const variantWidth = 84;

/** Colours and signs repeat after four; from the fifth variant on a colour comes with another sign. */
const signOf = (i: number): number => (i + Math.floor(i / symbols.length)) % symbols.length;

/** Violins of the first quantity, and a scatter of it against the second: figures 2 to 8 of the paper. */
export function chartSection(
  chart: Chart,
  { medians }: SweepSummary,
  { quantities }: Pick<Sweep, "quantities">,
): Html | undefined {
  const [first, second] = Object.keys(quantities);
  const rows = (quantity: string | undefined) =>
    chart.variants.flatMap((name) => medians.filter((row) => row.variant === name && row.quantity === quantity));
  const main = rows(first);
  if (first === undefined || main.length === 0) return undefined;
  const against = rows(second);
  return html`<section><h2>${chart.title}</h2><p>After ${chart.source}.</p><div class="charts">
<figure${main.length > fitting ? html` class="wide"` : undefined}><h3>${first} by variant</h3>${violins(main, first)}<figcaption>Shape: density of the seeds (where there are at least 4); thick line: quartiles; thin line: adjacent values; white dot: median; small dots: seeds</figcaption></figure>
${against.length === 0 ? undefined : html`<figure><h3>${first} against ${second!}</h3>${scatter(main, against, [first, second!])}${signs(main.map(({ variant }) => variant))}<figcaption>One sign a seed; ${against[0]!.unit} of ${second!} across</figcaption></figure>`}
</div></section>`;
}

function violins(rows: readonly Row[], quantity: string): Html {
  const marks = rows.flatMap((row, i): Plot.Markish[] => {
    const { outline, median, quartiles, adjacent } = violinOf(row.values);
    const { stroke } = looks(i);
    const line = (ends: readonly [number, number], strokeWidth: number) =>
      Plot.ruleX([{ x: i, y1: ends[0], y2: ends[1] }], {
        x: "x",
        y1: "y1",
        y2: "y2",
        stroke: "var(--text)",
        strokeWidth,
      });
    const sides = outline.map(({ value, width }) => ({ value, x1: i - reach * width, x2: i + reach * width }));
    return [
      ...(sides.length === 0
        ? []
        : [Plot.areaX(sides, { y: "value", x1: "x1", x2: "x2", fill: stroke, fillOpacity: 0.35, stroke })]),
      line(adjacent, 1),
      line(quartiles, 5),
      Plot.dot(
        row.values.map((value) => ({ value, x: i + 0.16 })),
        { x: "x", y: "value", r: 2, fill: stroke },
      ),
      Plot.dot([{ value: median, x: i }], { x: "x", y: "value", r: 4, fill: "white", stroke: "var(--text)" }),
    ];
  });
  const options: Plot.PlotOptions = {
    ...(rows.length > fitting ? { width: 44 + variantWidth * rows.length } : {}),
    height: chartHeight,
    marginLeft: 44,
    marginBottom: 44,
    x: {
      domain: [-0.5, rows.length - 0.5],
      ticks: rows.map((_, i) => i),
      tickFormat: (i: number) => (rows[i]?.variant ?? "").split(".").join("\n"),
      tickSize: 0,
      label: null,
    },
    y: { label: quantity, grid: true, ticks: 5, nice: true },
    marks,
  };
  const said = rows.map(({ variant, median }) => `${variant} ${median.toFixed(3)}`).join(", ");
  return drawChart(options, `${quantity}: medians ${said}`);
}

function scatter(main: readonly Row[], against: readonly Row[], [first, second]: readonly [string, string]): Html {
  const marks = main.flatMap((row, i) => {
    const other = against.find(({ variant }) => variant === row.variant);
    const points = row.seeds.flatMap((seed, k) => {
      const at = other?.seeds.indexOf(seed) ?? -1;
      return at < 0 ? [] : [{ x: other!.values[at]!, y: row.values[k]! }];
    });
    const { stroke } = looks(i);
    return [Plot.dot(points, { x: "x", y: "y", r: 4, symbol: symbols[signOf(i)]!, stroke, strokeWidth: 1.5 })];
  });
  const options: Plot.PlotOptions = {
    height: chartHeight,
    marginLeft: 44,
    x: { label: second, ticks: 5, nice: true, grid: true },
    y: { label: first, ticks: 5, nice: true, grid: true },
    marks,
  };
  return drawChart(options, `${first} against ${second}, one sign a seed`);
}

/** Which sign stands for which variant. */
function signs(names: readonly string[]): Html {
  return html`<ul class="legend">${names.map((name, i) => html`<li><span style="color:${looks(i).stroke}" aria-hidden="true">${drawn[signOf(i)]!}</span> ${name}</li>`)}</ul>`;
}
