import type { Results } from "../../../schemas/results.ts";
import { type Html, html } from "./html.ts";
import { show, words } from "./numbers.ts";

/** The DCI matrix of the paper's figures 2 and 5: which latents a factor is predicted from. Left out where not measured. */
export function importanceSection({ importance, data }: Results): Html | undefined {
  if (importance === undefined) return undefined;
  const { latents, factors, values } = importance;
  const roles = new Map(data.factors.map(({ name, role }) => [name, role]));
  const heads = factors.map((name) => html`<th scope="col">${words(name)}</th>`);
  const rows = latents.map((latent, j) => {
    const cells = factors.map((factor, k) => {
      const value = values[j * factors.length + k]!;
      const isHome = latent.startsWith(roles.get(factor) === "common" ? "common" : "unique_1");
      const shown = isHome ? html`<strong>${show(value)}</strong>` : show(value);
      const title = `importance of ${latent} for ${factor}: ${value.toFixed(4)}`;
      return html`<td title="${title}" style="--share:${Math.min(1, value).toFixed(3)}">${shown}</td>`;
    });
    return html`<tr><th scope="row"><code>${latent}</code></th>${cells}</tr>\n`;
  });
  return html`<section><h2>Which latents hold a factor</h2>
<p>Share of each latent in what boosted trees predict a factor of view 1 from; a column adds up to 1. In bold the block
where the factor belongs: all of a column should lie there.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Importance of latents for factors"><table class="heat">
<caption>Importance, dimensionless (DCI matrix)</caption>
<thead><tr><th scope="col">latent</th>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div>
</section>`;
}
