import type { HostTensor } from "../../../schemas/tensor.ts";
import type { CompiledTasks } from "../compile-tasks.ts";
import type { DimensionRate } from "./dimension-rates.ts";
import { type Html, html } from "./html.ts";
import { pictureOf } from "./image-sections.ts";
import { show } from "./numbers.ts";
import { meanChange, type Tile, thumbnail, tilesOf } from "./tiles.ts";

/** Pictures of an auto-encoder of one view: reconstructions, and every latent moved alone. */
export interface SinglePictures {
  readonly images: readonly Tile[];
  readonly rebuilt: readonly Tile[];
  /** Prior standard deviations at each step. */
  readonly range: readonly number[];
  /** By latent, from its row: the first image's code with the latent moved. */
  readonly traversals: readonly (readonly Tile[])[];
}

const range = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];

/** @param image uint8 [images, height, width, channels] @returns undefined if they are not images */
export async function drawSinglePictures(
  tasks: CompiledTasks,
  image: HostTensor,
  latents: number,
): Promise<SinglePictures | undefined> {
  const images = tilesOf(image);
  const { latent_mean: mean } = await tasks.run("encode", { image });
  const rebuilt = tilesOf((await tasks.run("decode", { latent: mean! })).image!);
  if (images === undefined || rebuilt === undefined) return undefined;
  const first = (mean!.data as Float32Array).slice(0, latents);
  const moved = new Float32Array(latents * range.length * latents);
  for (let j = 0; j < latents; j++) {
    for (const [step, at] of range.entries()) {
      const row = (j * range.length + step) * latents;
      moved.set(first, row);
      moved[row + j] = at;
    }
  }
  const latent = { dtype: "float32" as const, shape: [latents * range.length, latents], data: moved };
  const walked = tilesOf((await tasks.run("decode", { latent })).image!)!;
  const traversals = Array.from({ length: latents }, (_, j) => walked.slice(j * range.length, (j + 1) * range.length));
  return { images, rebuilt, range, traversals };
}

export function singleImageSections(
  { images, rebuilt, range, traversals }: SinglePictures,
  rates: readonly DimensionRate[],
): Html[] {
  const off = images.reduce((sum, image, i) => sum + meanChange(image, rebuilt[i]!), 0) / images.length;
  const rows = traversals.map((steps, j) => {
    const bits = rates[j] === undefined ? "" : `${show(rates[j].bits)} bits`;
    const most = Math.max(...steps.map((step) => meanChange(step, steps[Math.floor(steps.length / 2)]!)));
    return html`<div class="traversal single"><p><code>latent_${j}</code><br>${bits}</p><figure>${pictureOf([steps.map(thumbnail)], `The image as latent ${j} goes from low to high`)}
<figcaption>moves the image by ${percent(most)}</figcaption></figure></div>`;
  });
  return [
    html`<section><h2>Images and their reconstructions</h2><div class="pictures"><figure>
${pictureOf([images, rebuilt], `${images.length} images, and below each its reconstruction`)}
<figcaption>Above as drawn, below rebuilt from the posterior mean: ${percent(off)} off in the mean over pixels</figcaption></figure></div></section>`,
    html`<section><h2>Traversals</h2>
<p>The code of the first image above, with one latent moved in ${range.length} steps from ${show(range[0]!)} to ${show(range.at(-1)!)}
standard deviations of the prior; the others stay. In a disentangled code a row changes one thing. The percentage is the
largest mean difference over pixels from the middle step.</p>${rows}</section>`,
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
