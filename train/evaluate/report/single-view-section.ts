import { labelEntropy } from "../../../information/label-entropy.ts";
import { histogramInformation } from "../../../information/disentanglement/mig-hist20-means.ts";
import type { Figure } from "../../../schemas/manifest.ts";
import type { Factor } from "../../data/pair-source.ts";
import type { EncodedImages } from "../encode-images.ts";
import { type Html, html } from "./html.ts";
import { show, words } from "./numbers.ts";

/** What the mutual information gap is made of: what each latent tells of each factor, as a share of its entropy. */
export function singleViewSection(
  { latent, labels }: EncodedImages,
  factors: readonly Factor[],
  figures: readonly Figure[],
): Html {
  const labelled = factors.map(({ name, size }) => ({ name, labels: labels[name]!, classes: size }));
  const shares = histogramInformation(latent.mean, labelled);
  const value = (quantity: string) => figures.find((figure) => figure.quantity === quantity)?.value ?? 0;
  const heads = factors.map(({ name, size }) => html`<th scope="col">${words(name)} (${size})</th>`);
  const rows = Array.from({ length: latent.mean.columns }, (_, j) => {
    const cells = factors.map((_, k) => {
      const share = Math.max(0, shares.values[j * factors.length + k]!);
      return html`<td style="--share:${share.toFixed(3)}">${show(share)}</td>`;
    });
    return html`<tr><th scope="row">latent ${j}</th>${cells}</tr>\n`;
  });
  const gaps = factors.map(({ name }) => html`<td>${show(value(`mig-hist20-means.${name}`))}</td>`);
  const entropies = labelled.map(({ labels, classes }) => html`<td>${show(labelEntropy(labels, classes))}</td>`);
  return html`<section><h2>What each latent tells of each factor</h2>
<p>Mutual information of latent and factor as a share of the factor's entropy. A disentangled code has one full cell in
each column. The gap is the difference of the two largest in a column; its mean over factors is the MIG,
<strong>${show(value("mig-hist20-means"))}</strong>. Reconstruction error ${show(value("reconstruction"))} nats an image, rate
${show(value("rate"))} bits, ${value("informative_latents")} of ${latent.mean.columns} latents in use.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Share of each factor's entropy that each latent tells"><table class="heat">
<caption>Share of the factor's entropy; values of the factor in parentheses</caption>
<thead><tr><th scope="col"></th>${heads}</tr></thead>
<tbody>${rows}</tbody>
<tfoot><tr><th scope="row">gap</th>${gaps}</tr><tr><th scope="row">entropy, bits</th>${entropies}</tr></tfoot></table></div></section>`;
}
