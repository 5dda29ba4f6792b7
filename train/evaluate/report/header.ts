import type { Recipe } from "../../../schemas/recipe.ts";
import type { Results } from "../../../schemas/results.ts";
import type { RunStatus } from "../../../schemas/run-status.ts";
import { type Html, html } from "./html.ts";
import { count } from "./numbers.ts";

export interface HeaderContent {
  readonly recipe: Recipe;
  readonly results: Results;
  readonly status: RunStatus | undefined;
  readonly command: string;
}

/** What was run on what, by whom and when, and how to do it again. */
export function header({ recipe, results, status, command }: HeaderContent): Html {
  const { data, step, steps, pairs, seed, family, created, producer } = results;
  const exact = data.commonInformationBits;
  const isSingle = data.factors.some(({ role }) => role === "single");
  const examples = isSingle ? "images" : "pairs";
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["experiment", recipe.name],
    ["reproduces", recipe.source],
    ["model family", family],
    ["data", data.summary],
    [
      "exact common information",
      isSingle
        ? undefined
        : exact === undefined
          ? "not known for this source"
          : `${exact.toFixed(3)} bits (Gács-Körner)${mutual(data)}`,
    ],
    [
      "training",
      `${count(step)} of ${count(steps)} steps of ${recipe.training.batchSize} ${examples}, seed ${seed}${elapsed(status)}`,
    ],
    ["trained on", status === undefined ? undefined : `${status.device}, ${status.engine} engine`],
    ["evaluated on", `${count(pairs)} fresh ${examples}`],
    ["provenance", provenance(data.provenance)],
    ["written", `${created.slice(0, 16).replace("T", " ")} UTC by ${producer}`],
  ];
  const shown = rows.filter(([, value]) => value !== undefined && value !== "");
  return html`<header><h1>${recipe.title}</h1>
<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
<p>${step < steps ? "To train it to its end and measure that" : "To repeat it"}:</p><pre><code>${command}</code></pre></header>`;
}

function elapsed(status: RunStatus | undefined): string {
  if (status === undefined) return "";
  const { seconds } = status;
  if (seconds < 120) return `, ${Math.round(seconds)} s`;
  return seconds < 7200 ? `, ${Math.round(seconds / 60)} min` : `, ${(seconds / 3600).toFixed(1)} h`;
}

function provenance(parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}

/** The exact mutual information, where the source knows it to be another number. */
function mutual({ commonInformationBits, mutualInformationBits }: Results["data"]): string {
  if (mutualInformationBits === undefined || mutualInformationBits === commonInformationBits) return "";
  return `, mutual information ${mutualInformationBits.toFixed(3)} bits`;
}
