import type { MetricsLine } from "../../../schemas/run-status.ts";
import { estimatesSection } from "./estimates-section.ts";
import { expectedSection } from "./expected-section.ts";
import { type HeaderContent, header } from "./header.ts";
import { type Html, html, markup } from "./html.ts";
import { style } from "./style.ts";
import { trainingSection } from "./training-section.ts";

export interface ReportContent extends HeaderContent {
  readonly metrics: readonly MetricsLine[];
  /** What the family's protocol shows before the recipe's bounds, and after the training curves. */
  readonly tables: readonly Html[];
  readonly pictures: readonly Html[];
}

/** The report as one HTML page that loads nothing: charts are SVG, images PNG inside it, and there is no script. */
export function renderReport(content: ReportContent): string {
  const { recipe, results, metrics, tables, pictures } = content;
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
${tables}
${expectedSection(results.figures, recipe.expected)}
${trainingSection(metrics)}
${pictures}
${estimatesSection(results.figures, results)}
</main></body>
</html>
`.text;
}
