import type { Figure } from "../../../schemas/manifest.ts";
import type { NotComputed } from "../../../schemas/results.ts";
import { type Html, html } from "./html.ts";
import { count, show, showInterval } from "./numbers.ts";

/** What a kind of quantity is, and what it bounds. Quantities of other kinds say it in their estimator alone. */
const meanings: Readonly<Record<string, string>> = {
  entropy:
    "Entropy of a factor's labels: the most that any code can tell of it. The plug-in estimate is low by about (values − 1) / (2 n ln 2) bits.",
  usable:
    "Usable information: what a probe of a stated kind finds about a factor in the means of a block. Up to sampling error a lower bound on the mutual information of code and factor: what stands in the code in a form that the probe cannot read is not counted. Negative values say that the probe learnt chance: boosted trees on codes that know nothing come to about −0.1 bits for a factor of 10 values and −0.3 for one of 40, and hide so small a leak. It is no upper bound: a 0 does not prove that a block is free of a factor.",
  usable_drawn:
    "Usable information of drawn codes: the same in one draw from each posterior, a lower bound on the mutual information of a drawn code and the factor, up to sampling error. Boosted trees tell means apart that lie much closer to each other than the posterior is wide; drawn codes do not have such differences. Where it is far below the figure for means, the block is cleaner than the means suggest.",
  rate: "Rate: mean divergence of the posterior from the prior. An upper bound on the mutual information of the code and its view, reached when the prior is the average posterior. It bounds the common information of the data from neither side (Kleinman et al., section 3.1).",
  rate_aggregate:
    "Rate against the aggregate posterior: the mutual information of a view and its drawn code, between a lower bound (which cannot exceed the logarithm of the number of pairs) and an upper bound. The rate exceeds it by how far the prior is from the average posterior.",
  mutual_information:
    "Lower bounds on the mutual information of the two views, each from the common code alone and each with its own ceiling and spread; the highest one holds, up to sampling error. Donsker and Varadhan's sample figure is an estimate and bounds nothing. Mutual information is at least the common information in the sense of Gács and Körner, so none of them bounds that one from above.",
  total_correlation:
    "Total correlation of the drawn code's dimensions, between a lower and an upper bound in expectation: 0 where they are independent, and never less, so that a lower bound below 0 says nothing. Where the code holds more than the logarithm of the number of pairs, each pair is alone in its place: the bounds are then far apart, and the upper one is high even for independent dimensions. It bounds no information.",
  redundant:
    "Redundant information: what sources still tell of the target when their predictions have to agree. It can lie on either side of the objective's optimum (optimum, below): networks that have not learnt enough tell less, those that disagree more than the optimum does tell more. Disagreement that the weight tolerates makes it larger than redundancy in the strict sense. redundant_final is of the newest checkpoint, redundant_authors with the constants of the authors' code.",
  unique:
    "Unique information: a source's usable information minus the redundant one. Each is a difference of estimates and bounds nothing; negative where the networks of the larger weight learnt more.",
  synergistic:
    "Synergistic information: what only all sources together tell. As unique information, a difference of estimates.",
  optimum:
    "What the objective's exact optimum over all conditional distributions has, with the weights of these checkpoints.",
  class: "A class's part of the redundant information: the mean over its examples.",
  purity:
    "Block purity: share of a factor's importance that lies in the block where it belongs. 1 is right, and a share bounds no information. It rests on the trees of the training part and has no interval.",
  dci: "Disentanglement, completeness and informativeness of single dimensions (Eastwood and Williams 2018). A block can hold a factor whole and be entangled inside. They bound no information.",
  disagreement:
    "Disagreement: mean divergence between the two encoders' common codes of a pair. The common block speaks of common information in the sense of Gács and Körner only as far as it is small. It bounds nothing.",
};

const testedRine =
  "Test examples are those that the source holds out, or fresh draws where it has none; nothing is fitted on them.";

/** Every figure with its interval and its estimator by number, the estimators in full, and what each kind bounds. */
export function estimatesSection(
  figures: readonly Figure[],
  {
    seed,
    family,
    notComputed = [],
  }: { readonly seed: number; readonly family?: string; readonly notComputed?: readonly NotComputed[] },
): Html {
  const estimators = [...new Set(figures.map(({ estimator }) => estimator))];
  const kinds = [...new Set(figures.map(({ quantity }) => quantity.split(".")[0]!))];
  const rows = figures.map(({ quantity, value, unit, interval, n, estimator }) => {
    const number = estimators.indexOf(estimator) + 1;
    return html`<tr><th scope="row"><code>${quantity}</code></th><td title="${value}">${show(value)}</td><td>${unit}</td><td>${showInterval(interval)}</td><td>${count(n)}</td><td><a href="#estimator-${number}">${number}</a></td></tr>\n`;
  });
  return html`<section><h2>How the numbers were estimated</h2>
<p>${family === "rine" ? testedRine : `Pairs were drawn afresh from the generator that training drew from, by the stream (${seed}, “evaluation”): other draws, not held-out images. The first four fifths fitted the probes, the rest tested them.`} Intervals are 95 % bootstrap intervals
over the n pairs of a figure; they say nothing of other seeds or other trainings.</p>
<h3>What they are bounds of</h3>
<dl>${kinds.filter((kind) => Object.hasOwn(meanings, kind)).map((kind) => html`<dt><code>${kind}</code></dt><dd>${meanings[kind]}</dd>\n`)}</dl>
${missing(notComputed)}<h3>Estimators</h3>
<ol>${estimators.map((estimator, i) => html`<li id="estimator-${i + 1}">${estimator}</li>\n`)}</ol>
<h3>All figures</h3>
<div class="scroll" tabindex="0" role="region" aria-label="All figures"><table>
<caption>Every figure of results.json</caption>
<thead><tr><th scope="col">quantity</th><th scope="col">value</th><th scope="col">unit</th><th scope="col">95 % interval</th><th scope="col">n</th><th scope="col">estimator</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}

/** Figures that a reader of the table below would miss. */
function missing(notComputed: readonly NotComputed[]): Html | undefined {
  if (notComputed.length === 0) return undefined;
  const entries = notComputed.map(
    ({ quantity, reason, estimator }) => html`<dt><code>${quantity}</code></dt><dd>${reason} (${estimator})</dd>\n`,
  );
  return html`<h3>Not computed</h3>
<dl>${entries}</dl>
`;
}
