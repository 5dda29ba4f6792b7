import type { MetricsLine } from "../../../schemas/run-status.ts";
import type { DimensionRate } from "./dimension-rates.ts";
import { estimatesSection } from "./estimates-section.ts";
import { expectedSection } from "./expected-section.ts";
import { type HeaderContent, header } from "./header.ts";
import { html, markup } from "./html.ts";
import { imageSections } from "./image-sections.ts";
import { importanceSection } from "./importance-section.ts";
import { informationSection } from "./information-section.ts";
import type { Pictures } from "./pictures.ts";
import { rateSection } from "./rate-section.ts";
import { style } from "./style.ts";
import { trainingSection } from "./training-section.ts";

export interface ReportContent extends HeaderContent {
  readonly metrics: readonly MetricsLine[];
  readonly rates: readonly DimensionRate[];
  /** Left out where the views are not images. */
  readonly pictures: Pictures | undefined;
}

/** The report as one HTML page that loads nothing: charts are SVG, images PNG inside it, and there is no script. */
export function renderReport(content: ReportContent): string {
  const { recipe, results, metrics, rates, pictures } = content;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${recipe.name}, seed ${results.seed}: information in bits</title>
<style>${markup(style)}</style>
</head>
<body><main>
${header(content)}
${informationSection(results)}
${importanceSection(results)}
${expectedSection(results.figures, recipe.expected)}
${rates.length === 0 ? undefined : rateSection(rates)}
${trainingSection(metrics)}
${pictures === undefined ? undefined : imageSections(pictures, rates)}
${estimatesSection(results.figures, results)}
</main></body>
</html>
`.text;
}
