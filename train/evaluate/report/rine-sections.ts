import * as Plot from "@observablehq/plot";
import type { Results } from "../../../schemas/results.ts";
import type { RineConfig } from "../../../schemas/rine-config.ts";
import { betaName, redundantBeta } from "../../models/rine-networks.ts";
import { drawChart } from "./chart.ts";
import { type Html, html } from "./html.ts";
import { show, showInterval } from "./numbers.ts";

type Figures = ReadonlyMap<string, Results["figures"][number]>;

/** Redundant information by problem and weight, its decomposition, and single classes: tables first, then figures. */
export function rineSections(results: Results, config: RineConfig): Html[] {
  const figures: Figures = new Map(results.figures.map((figure) => [figure.quantity, figure]));
  return [
    redundancySection(figures, config),
    decompositionSection(figures, config),
    classSection(figures, config),
  ].filter((section) => section !== undefined);
}

function redundancySection(figures: Figures, { problems, betas }: RineConfig): Html {
  const isKnown = problems.some(({ name }) => figures.has(`exact.${name}.I_and`));
  const columns = betas.flatMap((beta) => {
    const measured = { head: `β = ${beta}`, of: (name: string) => `redundant.${name}.${betaName(beta)}` };
    return isKnown
      ? [measured, { head: "optimum", of: (name: string) => `optimum.${name}.${betaName(beta)}` }]
      : [measured];
  });
  const known = isKnown ? ["I_and", "I_GH"] : [];
  const rows = problems.map(({ name }) => {
    const exact = known.map((measure) => cell(figures, `exact.${name}.${measure}`));
    const cells = columns.map(({ of }) => cell(figures, of(name)));
    return html`<tr><th scope="row">${name}</th>${cell(figures, `entropy.${name}`)}${exact}${cells}</tr>\n`;
  });
  const heads = ["H(Y)", ...known, ...columns.map(({ head }) => head)].map(
    (head) => html`<th scope="col">${head}</th>`,
  );
  return html`<section><h2>Redundant information</h2>
<p>What the sources' networks still tell of the target when their predictions have to agree, in bits: H(Y) of the test
labels minus the mean test cross-entropy. With β = 0 nothing binds them, and it is the mean of what each source tells alone.${
    isKnown
      ? " “Optimum” is the exact optimum of the objective at the weights of the checkpoints averaged over: how far the figure beside it is from it is the networks' and the samples' doing. I_and and I_GH are exact, of the table."
      : ""
  } Hold the pointer over a number for its 95 % interval.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Redundant information in bits"><table>
<caption>Bits about the target</caption><thead><tr><th scope="col">problem</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>
</section>`;
}

const parts = [
  { key: "unique of x1", of: (name: string) => `unique.${name}.x1`, fill: "var(--series-1)" },
  { key: "redundant", of: undefined, fill: "var(--series-2)" },
  { key: "unique of x2", of: (name: string) => `unique.${name}.x2`, fill: "var(--series-3)" },
  { key: "synergistic", of: (name: string) => `synergistic.${name}`, fill: "var(--series-4)" },
] as const;

/** The paper's figure 2 as bars: what the two sources tell together, taken apart. */
function decompositionSection(figures: Figures, config: RineConfig): Html | undefined {
  const beta = redundantBeta(config);
  const shown = config.problems.filter(({ name }) => figures.has(`synergistic.${name}`));
  if (shown.length === 0) return undefined;
  const quantityOf = (name: string, part: (typeof parts)[number]) =>
    part.of?.(name) ?? `redundant.${name}.${betaName(beta)}`;
  const bars = shown.flatMap(({ name }) => stacked(name, figures, (part) => quantityOf(name, part)));
  const chart = drawChart(
    {
      width: 672,
      height: 60 + 44 * shown.length,
      marginLeft: 110,
      x: { label: "bits", grid: true, nice: true },
      y: { label: null, domain: shown.map(({ name }) => name) },
      marks: [
        Plot.barX(bars, {
          x1: "from",
          x2: "to",
          y: "problem",
          fill: "fill",
          insetTop: 6,
          insetBottom: 6,
          insetLeft: 1,
          title: "title",
        }),
        Plot.ruleX([0]),
      ],
    },
    bars.map(({ title }) => title).join("; "),
  );
  const totals = ["x1", "x2", "joint"];
  const rows = shown.map(({ name }) => {
    const alone = totals.map((source) => cell(figures, `usable.${name}.${source}`));
    return html`<tr><th scope="row">${name}</th>${alone}${parts.map((part) => cell(figures, quantityOf(name, part)))}</tr>\n`;
  });
  const heads = ["I(X1; Y)", "I(X2; Y)", "I(X1, X2; Y)", ...parts.map(({ key }) => key)];
  return html`<section><h2>Decomposition</h2>
<p>I(X1, X2; Y) = unique of X1 + redundant + unique of X2 + synergistic, of usable information: single sources from the
networks of β = 0, both together from one network that sees them, the redundant part from β = ${beta}. Networks that learn
less than there is move every part; a negative one is possible and is drawn to the left of 0.</p>
<figure>${chart}
<ul class="legend">${parts.map(({ key, fill }) => html`<li><svg width="14" height="10" aria-hidden="true"><rect width="14" height="10" style="fill:${fill}"/></svg> ${key}</li>`)}</ul></figure>
<div class="scroll" tabindex="0" role="region" aria-label="Decomposition in bits"><table>
<caption>Bits about the target</caption>
<thead><tr><th scope="col">problem</th>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

/** Positive parts to the right of 0, one after the other, negative ones to the left. */
function stacked(problem: string, figures: Figures, quantityOf: (part: (typeof parts)[number]) => string) {
  const ends = { right: 0, left: 0 };
  return parts.flatMap((part) => {
    const figure = figures.get(quantityOf(part));
    if (figure === undefined) return [];
    const side = figure.value >= 0 ? "right" : "left";
    const from = ends[side];
    ends[side] += figure.value;
    const title = `${problem}, ${part.key}: ${show(figure.value)} bits`;
    return [{ problem, from, to: ends[side], fill: part.fill, title }];
  });
}

/** Figure 1 right of the paper: how much of the redundant information each class has. */
function classSection(figures: Figures, config: RineConfig): Html | undefined {
  const beta = redundantBeta(config);
  const shown = config.problems.filter(({ classNames }) => classNames !== undefined);
  if (shown.length === 0) return undefined;
  const charts = shown.map(({ name, classNames }) => {
    const bars = classNames!.map((className) => ({
      className,
      bits: figures.get(`class.${name}.${className}.${betaName(beta)}`)?.value ?? 0,
    }));
    const chart = drawChart(
      {
        height: 24 * bars.length + 50,
        marginLeft: 80,
        x: { label: "bits", grid: true },
        y: { label: null, domain: bars.map(({ className }) => className) },
        marks: [Plot.barX(bars, { x: "bits", y: "className", fill: "var(--series-1)" }), Plot.ruleX([0])],
      },
      bars.map(({ className, bits }) => `${className} ${show(bits)}`).join(", "),
    );
    return html`<figure><h3>${name}</h3>${chart}</figure>`;
  });
  return html`<section><h2>Redundant information of each class</h2>
<p>A class's −log2 frequency minus its mean test cross-entropy under β = ${beta}, newest checkpoint, in bits. Averaged over
the classes by frequency it is the redundant information. A class that the networks get wrong costs more than it brings: it is negative.</p>
<div class="charts">${charts}</div></section>`;
}

function cell(figures: Figures, quantity: string): Html {
  const figure = figures.get(quantity);
  if (figure === undefined) return html`<td></td>`;
  const interval = figure.interval === undefined ? "" : `, 95 % interval ${showInterval(figure.interval)}`;
  return html`<td title="${quantity}: ${figure.value.toFixed(4)} ${figure.unit}${interval}">${show(figure.value)}</td>`;
}
