import type { Figure } from "../../../schemas/manifest.ts";
import type { Results } from "../../../schemas/results.ts";
import type { Factor } from "../../data/pair-source.ts";
import { jointName } from "../asked-factors.ts";
import { trainingPairs } from "../training-pairs.ts";
import { type Html, html } from "./html.ts";
import { show, showInterval, words } from "./numbers.ts";

const allBlocks = ["common", "unique_1", "unique_2", "all"] as const;

/** The paper's Tables 1 and 2 with factors as rows, so that it fits a narrow screen. */
export function informationSection({ figures, data, pairs }: Results): Html {
  const byName = new Map(figures.map((figure) => [figure.quantity, figure]));
  const joint = byName.has(`entropy.${jointName}`) ? [{ name: jointName, size: 0, role: "common" as const }] : [];
  const factors = [...data.factors, ...joint].filter(({ name }) => byName.has(`entropy.${name}`));
  const blocks = allBlocks.filter((block) => figures.some(({ quantity }) => quantity.endsWith(`.${block}`)));
  const isLinear = figures.some(({ estimator }) => estimator.startsWith("linear probe"));
  const headsOf = (names: readonly string[]): Html[] =>
    ["entropy", ...names].map((name) => html`<th scope="col">${words(name)}</th>`);
  const drawn = blocks.filter((block) => figures.some(({ quantity }) => isDrawn(quantity, block)));
  const rowsOf = (prefix: string, shown: readonly (typeof allBlocks)[number][]): Html[] =>
    factors.map(({ name, size, role }) => {
      const entropy = byName.get(`entropy.${name}`)!;
      const cells = shown.map((block) =>
        cell(byName.get(`${prefix}.${name}.${block}`), { of: entropy.value, isHome: isHome(role, block) }),
      );
      const values = size > 0 ? ` (${size})` : "";
      return html`<tr><th scope="row">${words(name)}${values}</th><td class="text">${role}</td><td>${show(entropy.value)}</td>${cells}</tr>\n`;
    });
  const rates = blocks.map((block) => cell(byName.get(`rate.${block}`)));
  return html`<section><h2>Information in each block</h2>
<p>Bits that ${isLinear ? "a linear probe finds" : "a classifier finds"} about each factor in each block; ${pairs - trainingPairs(pairs)} pairs tested it. In bold the
block where the factor belongs, which should hold its entropy; the other one should hold 0. The number of values of a
factor is in parentheses. Hold the pointer over a number for its 95 % interval, or read it in the last table.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Information in bits by factor and block"><table class="heat">
<caption>Usable information in bits</caption>
<thead><tr><th scope="col">factor</th><th scope="col" class="text">is</th>${headsOf(blocks)}</tr></thead>
<tbody>${rowsOf("usable", blocks)}</tbody>
<tfoot><tr><th scope="row">rate of the block</th><td></td><td></td>${rates}</tr></tfoot></table></div>
${
  drawn.length === 0
    ? undefined
    : html`<p>The same in one draw from each posterior. Means can differ by less than the posterior's own noise: what shows above
and not here is in the means alone, and no code that is sent carries it.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Information in drawn codes in bits by factor and block"><table class="heat">
<caption>Usable information of drawn codes in bits</caption>
<thead><tr><th scope="col">factor</th><th scope="col" class="text">is</th>${headsOf(drawn)}</tr></thead>
<tbody>${rowsOf("usable_drawn", drawn)}</tbody></table></div>`
}
${joint.length === 0 || !isLinear ? undefined : html`<p class="note">“${words(jointName)}” are all common factors asked for at once: a linear probe can tell them together and miss one alone.</p>`}
</section>`;
}

function isDrawn(quantity: string, block: string): boolean {
  return quantity.startsWith("usable_drawn.") && quantity.endsWith(`.${block}`);
}

/** Where the factor should be found; `all` has everything and proves nothing. */
function isHome(role: Factor["role"], block: (typeof allBlocks)[number]): boolean {
  return role === "common" ? block === "common" : block.startsWith("unique");
}

function cell(figure: Figure | undefined, { of, isHome }: { of?: number; isHome?: boolean } = {}): Html {
  if (figure === undefined) return html`<td></td>`;
  const interval = figure.interval === undefined ? "" : `, 95 % interval ${showInterval(figure.interval)}`;
  const title = `${figure.quantity}: ${figure.value.toFixed(4)} ${figure.unit}${interval}`;
  if (of === undefined) return html`<td title="${title}">${show(figure.value)}</td>`;
  const share = Math.min(1, Math.max(0, of > 0 ? figure.value / of : 0)).toFixed(3);
  const value = isHome === true ? html`<strong>${show(figure.value)}</strong>` : show(figure.value);
  return html`<td title="${title}" style="--share:${share}">${value}</td>`;
}
