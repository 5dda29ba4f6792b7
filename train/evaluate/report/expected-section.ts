import type { Figure } from "../../../schemas/manifest.ts";
import type { Recipe } from "../../../schemas/recipe.ts";
import { type Html, html } from "./html.ts";
import { show, showInterval } from "./numbers.ts";

/** What the recipe expects beside what was measured, and how many of them are met. */
export function expectedSection(figures: readonly Figure[], expected: Recipe["expected"]): Html {
  const judged = figures.filter(({ paper, met }) => paper !== undefined || met !== undefined);
  const bounded = judged.filter(({ met }) => met !== undefined);
  if (judged.length === 0) {
    return html`<section><h2>Expected figures</h2><p>The recipe expects no figures.</p></section>`;
  }
  const sources = new Map(expected.map(({ quantity, source }) => [quantity, source]));
  const rows = judged.map((figure) => {
    const { quantity, value, unit, interval, paper } = figure;
    return html`<tr><th scope="row"><code>${quantity}</code></th><td>${show(value)} ${unit}</td><td>${showInterval(interval)}</td>
<td>${wanted(figure)}</td><td>${paper === undefined ? "" : show(paper)}</td><td>${verdict(figure)}</td><td class="text source">${sources.get(quantity)}</td></tr>\n`;
  });
  return html`<section><h2>Expected figures</h2>
<p>${bounded.filter(({ met }) => met).length} of ${bounded.length} bounds of the recipe are met. The value itself is judged, not its interval.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Expected and measured figures"><table>
<caption>Measured against the recipe</caption>
<thead><tr><th scope="col">quantity</th><th scope="col">measured</th><th scope="col">95 % interval</th><th scope="col">wanted</th><th scope="col">paper</th><th scope="col">verdict</th><th scope="col" class="text">source</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

function wanted({ minimum, maximum }: Figure): string {
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
  ];
  return bounds.join(", ");
}

function verdict({ met }: Figure): Html {
  if (met === undefined) return html`no bound`;
  return met ? html`<span class="met">✓ met</span>` : html`<span class="missed">✗ not met</span>`;
}
