import type { Reconstruction, Traversal, Traversals } from "./code-pictures.ts";
import type { DimensionRate } from "./dimension-rates.ts";
import { type Html, html } from "./html.ts";
import { show, words } from "./numbers.ts";
import type { Pictures } from "./pictures.ts";
import { drawTiles, meanChange, type Tile, thumbnail } from "./tiles.ts";
import type { CrossView, StyleTransfer } from "./view-pictures.ts";

/** The pictures as sections, PNG inside. */
export function imageSections(pictures: Pictures, rates: readonly DimensionRate[]): Html[] {
  const { reconstructions, traversals, crossViews, styleTransfers } = pictures;
  return [
    ...(reconstructions === undefined ? [] : [reconstructionSection(reconstructions)]),
    ...(traversals === undefined ? [] : [traversalSection(traversals, rates)]),
    ...(crossViews.length === 0 ? [] : [crossViewSection(crossViews)]),
    ...(styleTransfers.length === 0 ? [] : [styleSection(styleTransfers)]),
  ];
}

/** Tiles are shown at a whole multiple of their size where there is room. */
export function pictureOf(rows: readonly (readonly Tile[])[], alt: string): Html {
  const { png, width, height } = drawTiles(rows);
  const zoom = Math.max(1, Math.round(48 / rows[0]![0]!.width));
  const source = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  return html`<img alt="${alt}" width="${width * zoom}" height="${height * zoom}" src="${source}">`;
}

function reconstructionSection(pairs: readonly Reconstruction[]): Html {
  const views = ([0, 1] as const).map((view) => {
    const rows = [pairs.map((pair) => pair.views[view]), pairs.map((pair) => pair.rebuilt[view])];
    const off = pairs.reduce((sum, pair) => sum + meanChange(pair.views[view], pair.rebuilt[view]), 0) / pairs.length;
    return html`<figure><h3>View ${view + 1}</h3>
${pictureOf(rows, `View ${view + 1} of ${pairs.length} pairs, and below each its reconstruction`)}
<figcaption>Above as drawn, below rebuilt: ${percent(off)} off in the mean over pixels</figcaption></figure>`;
  });
  const { width } = pairs[0]!.views[0];
  const { width: shown } = thumbnail(pairs[0]!.views[0]);
  const small = shown === width ? "" : ` Later pictures are shown at ${shown} of ${width} pixels a side.`;
  return html`<section><h2>Pairs and their reconstructions</h2>
<p>The same ${pairs.length} pairs, in the same order, in both pictures. Codes are posterior means; each view is rebuilt
with the common code of its own encoder.${small}</p><div class="pictures">${views}</div></section>`;
}

function traversalSection(traversals: Traversals, rates: readonly DimensionRate[]): Html {
  const { range, prior, posterior, leftOut } = traversals;
  const blocks = [...new Set(prior.map(({ block }) => block))];
  const group = (title: string, explained: string, walks: readonly Traversal[]) =>
    html`<h3>${title}</h3><p>${explained}</p>${blocks.map(
      (block) =>
        html`<h4>${words(block)}</h4>${walks.filter((walk) => walk.block === block).map((walk) => row(walk, rates))}`,
    )}`;
  return html`<section><h2>Traversals</h2>
<p>One dimension goes through its prior in ${range.length} steps from −${range.at(-1)} to ${range.at(-1)} standard deviations;
all others stay. Both views are drawn: a common dimension should change both, a unique one its own view only. The
percentage says how far the view moves: the largest mean difference over pixels from the middle step, of full intensity.</p>
${leftOut.length === 0 ? undefined : html`<p class="note">Left out, for they carry least: ${leftOut.join(", ")}.</p>`}
${group("From the prior", "All other dimensions stay at the mean of the prior.", prior)}
${group("From the posterior of one pair", "All other dimensions stay at the posterior means of the first pair above.", posterior)}
</section>`;
}

function row({ dimension, steps }: Traversal, rates: readonly DimensionRate[]): Html {
  const rate = rates.find((one) => one.dimension === dimension);
  const middle = steps[Math.floor(steps.length / 2)]!;
  const views = ([0, 1] as const).map((view) => {
    const moved = Math.max(...steps.map((step) => meanChange(step[view], middle[view])));
    return html`<figure>${pictureOf([steps.map((step) => thumbnail(step[view]))], `View ${view + 1} as ${dimension} goes from low to high`)}
<figcaption>view ${view + 1}: ${percent(moved)}</figcaption></figure>`;
  });
  const bits = rate === undefined ? "" : `${show(rate.bits)} bits`;
  return html`<div class="traversal"><p><code>${dimension}</code><br>${bits}</p>${views}</div>`;
}

function crossViewSection(crossViews: readonly CrossView[]): Html {
  const directions = crossViews.map(({ given, wanted, rows }) => {
    const body = rows.map(
      (
        one,
        i,
      ) => html`<tr><td>${pictureOf([[thumbnail(one.given)]], `View ${given} of pair ${i + 1}`)}</td><td>${pictureOf([[thumbnail(one.truth)]], `True view ${wanted} of pair ${i + 1}`)}</td>
<td>${pictureOf([one.generated.map(thumbnail)], `${one.generated.length} views ${wanted} generated from view ${given} of pair ${i + 1}`)}</td></tr>\n`,
    );
    return html`<figure><h3>View ${wanted} from view ${given}</h3>
<table class="images"><thead><tr><th scope="col">view ${given}</th><th scope="col">true view ${wanted}</th><th scope="col">generated view ${wanted}</th></tr></thead>
<tbody>${body}</tbody></table></figure>`;
  });
  return html`<section><h2>One view from the other</h2>
<p>Given one view: its common code is kept, and what is the other view's own is drawn from the prior, once for each
picture. The generated views should share with the given one what the true view shares with it, and differ in the rest.</p>
<div class="pictures">${directions}</div></section>`;
}

function styleSection(styleTransfers: readonly StyleTransfer[]): Html {
  const grids = styleTransfers.map(({ style, content, styles, rows }) => {
    const blank = { ...styles[0]!, data: new Uint8Array(styles[0]!.data.length).fill(128) };
    const tiles = [[blank, ...styles], ...rows.map((one) => [one.content, ...one.styled])];
    return html`<figure><h3>Style of view ${style}</h3>
${pictureOf(
  tiles.map((line) => line.map(thumbnail)),
  `Grid: contents from view ${content} down the side, styles from view ${style} across the top`,
)}
<figcaption>Across the top: views ${style} that give the style. Down the side: views ${content} that give the content. Inside: both together, as view ${style}</figcaption></figure>`;
  });
  return html`<section><h2>Style transfer</h2>
<p>What is common is taken from one image and what is the view's own from another, whether or not they are a pair. Along a
row what is common should stay, along a column what is unique.</p><div class="pictures">${grids}</div></section>`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
