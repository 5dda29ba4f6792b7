import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import { type CellLine, type Sweep, type SweepSummary, sweepSummarySchema } from "../../schemas/sweep.ts";
import { validate } from "../../schemas/validate.ts";
import { type Html, html, markup } from "../evaluate/report/html.ts";
import { count } from "../evaluate/report/numbers.ts";
import { style } from "../evaluate/report/style.ts";
import type { Cell } from "./cells.ts";
import { summarise } from "./summarise.ts";
import { chartSection } from "./sweep-charts.ts";
import { theoremSection } from "./theorem-section.ts";
import { trendSection } from "./trend-section.ts";
import { verdictOf } from "./verdict.ts";

/**
 * Writes `summary.json` and `report.html` of what a sweep has so far.
 *
 * @returns the summary
 * @throws FailureError if they cannot be written
 */
export async function writeSweepReport(
  outDir: string,
  plan: { sweep: Sweep; budget: string },
  { lines, planned }: { lines: readonly CellLine[]; planned: readonly Cell[] },
): Promise<SweepSummary> {
  const summary = validate(sweepSummarySchema, summarise(plan, lines, planned), "write summary.json");
  try {
    await replaceFile(realDisk, path.join(outDir, "summary.json"), utf8(`${JSON.stringify(summary, null, 2)}\n`));
    await replaceFile(realDisk, path.join(outDir, "report.html"), utf8(sweepPage(summary, plan.sweep)));
  } catch (error) {
    throw diskFailure("write the report of a sweep", outDir, error);
  }
  return summary;
}

/** The report as one HTML page that loads nothing. */
export function sweepPage(summary: SweepSummary, sweep: Sweep): string {
  const charts = sweep.charts.map((chart) => chartSection(chart, summary, sweep)).filter((one) => one !== undefined);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${summary.sweep}: ${summary.title}</title>
<style>${markup(style)}</style>
</head>
<body><main>
${head(summary)}
${comparisonSection(summary)}
${trendSection(summary.trends)}
${charts}
${medianSection(summary)}
${sweep.identity === true ? theoremSection() : undefined}
${failureSection(summary)}
</main></body>
</html>
`.text;
}

function head({
  title,
  source,
  budget,
  label,
  command,
  planned,
  finished,
  steps,
  batchSize,
  seconds,
  device,
  created,
  producer,
  sweep,
}: SweepSummary): Html {
  const rows = [
    ["sweep", sweep],
    ["reproduces", source],
    ["budget", label === "" ? budget : `${budget}: ${label}`],
    ["cells", `${finished} of ${planned} finished`],
    [
      "training",
      `${count(steps)} steps of ${batchSize} images each, ${(seconds / 3600).toFixed(1)} h in all, on ${device}`,
    ],
    ["measured", `${created.slice(0, 16).replace("T", " ")} UTC by ${producer}`],
  ];
  return html`<header><h1>${title}</h1>
<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
${label === "" ? undefined : html`<p><strong>A reduced budget:</strong> what follows says how these short trainings came out, not what the paper's would give.</p>`}
<p>To repeat it:</p><pre><code>${command}</code></pre></header>`;
}

function comparisonSection({ comparisons }: SweepSummary): Html | undefined {
  if (comparisons.length === 0) return undefined;
  const rows = comparisons.map(
    ({ of, against, quantity, unit, difference, interval, claim, source, agrees, isClear }) => {
      const { words, look } = verdictOf({ agrees, isClear });
      return html`<tr><th scope="row">${of} against ${against}</th><td class="text">${quantity}</td><td>${signed(difference)}${unit === "1" ? "" : ` ${unit}`}</td><td>${interval?.map(signed).join(" to ")}</td><td class="text">${claim}</td><td class="text"><span class="${look}">${words}</span></td><td class="source">${source}</td></tr>\n`;
    },
  );
  return html`<section><h2>Effects against the claims</h2>
<p>Difference of medians over seeds, with its 95 % bootstrap interval, both groups of seeds drawn again. With three seeds
an interval spans the values themselves, and one seed has none. “Not clear”: the interval holds 0, or there are fewer than three seeds.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Effects against the claims"><table>
<thead><tr><th scope="col">effect</th><th scope="col" class="text">of</th><th scope="col">difference</th><th scope="col">95 % interval</th><th scope="col" class="text">claim</th><th scope="col" class="text">here</th><th scope="col" class="text">source</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

function medianSection({ medians }: SweepSummary): Html {
  const rows = medians.map(
    ({ variant, quantity, unit, median, interval, values }) =>
      html`<tr><th scope="row">${variant}</th><td class="text">${quantity}</td><td>${median.toFixed(3)}${unit === "1" ? "" : ` ${unit}`}</td><td>${interval?.map((end) => end.toFixed(3)).join(" to ")}</td><td>${values.length}</td><td class="text">${values.map((value) => value.toFixed(3)).join(", ")}</td></tr>\n`,
  );
  return html`<section><h2>Medians over seeds</h2><div class="scroll" tabindex="0" role="region" aria-label="Medians over seeds"><table>
<thead><tr><th scope="col">variant</th><th scope="col" class="text">of</th><th scope="col">median</th><th scope="col">95 % interval</th><th scope="col">seeds</th><th scope="col" class="text">values</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

function failureSection({ failures }: SweepSummary): Html | undefined {
  if (failures.length === 0) return undefined;
  return html`<section><h2>Cells that failed</h2><dl>${failures.map(({ cell, error }) => html`<dt><code>${cell}</code></dt><dd>${error}</dd>\n`)}</dl></section>`;
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
