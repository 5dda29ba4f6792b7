import type { HostTensor } from "../../../schemas/tensor.ts";
import type { PairSource } from "../../data/pair-source.ts";
import { stream } from "../../random.ts";
import type { CompiledTasks } from "../compile-tasks.ts";
import { pick } from "../generated-rows.ts";
import { type Html, html } from "./html.ts";
import { pictureOf } from "./image-sections.ts";
import { type Tile, tilesOf } from "./tiles.ts";

/** Pictures laid out as the W-VAE paper's figures 4 and 5. */

interface Shown {
  readonly tasks: CompiledTasks;
  readonly source: PairSource;
  readonly seed: number;
}

/** Draws beside each image; the paper shows about as many. */
const draws = 12;
const searched = 400;

export async function generationSections(shown: Shown): Promise<Html[]> {
  const { source, seed } = shown;
  const { tensors, labels } = source.draw(searched, stream(seed, "report", "sheets"));
  const digits = labels[0].label;
  if (digits === undefined) return [];
  const one = [...new Set(digits)].sort((a, b) => a - b).map((digit) => digits.indexOf(digit));
  const views = Object.fromEntries(
    Object.entries(tensors).map(([name, view]) => [name, pick(view, one.length, (i) => one[i]!)]),
  );
  const sheets = [await conditionalSheet(shown, views, 1), await conditionalSheet(shown, views, 2)];
  const styles = [await styleSheet(shown, views, 1), await styleSheet(shown, views, 2)];
  const joint = await jointSheet(shown);
  const present = (figures: readonly (Html | undefined)[]): Html[] => figures.filter((figure) => figure !== undefined);
  return [
    section(
      "Conditional generation",
      "Leftmost the image given, then draws of the other view: the common code from the image's posterior, the rest from its prior (paper, figures 4a and 5). Every row should show one digit in many styles.",
      present(sheets),
    ),
    section(
      "Style transfer, every style with every content",
      "Leftmost the image that gives the style, on top the image that gives the content (paper, figure 4b). Style should stay along a row, the digit along a column.",
      present(styles),
    ),
    section("Pairs from the prior", "Above view 1, below view 2 of the same pair.", present([joint])),
  ].filter((made) => made !== undefined);
}

function section(title: string, explained: string, figures: readonly Html[]): Html | undefined {
  if (figures.length === 0) return undefined;
  return html`<section><h2>${title}</h2><p>${explained}</p><div class="pictures">${figures}</div></section>`;
}

type Views = Readonly<Record<string, HostTensor>>;

async function conditionalSheet({ tasks, seed }: Shown, views: Views, given: 1 | 2): Promise<Html | undefined> {
  const wanted = given === 1 ? 2 : 1;
  const task = `conditional_${given}to${wanted}`;
  if (tasks.specs[task] === undefined) return undefined;
  const images = tilesOf(views[`view_${given}`]!)!;
  const rows = images.length * draws;
  const view = pick(views[`view_${given}`]!, rows, (i) => Math.floor(i / draws));
  const drawn = await tasks.run(task, { [`view_${given}`]: view, ...noiseOf(tasks, task, { rows, seed }) });
  const tiles = tilesOf(drawn[`view_${wanted}`]!)!;
  const lines = images.map((tile, i) => [tile, ...tiles.slice(i * draws, (i + 1) * draws)]);
  return figure(lines, `View ${wanted} from view ${given}`);
}

async function styleSheet({ tasks }: Shown, views: Views, style: 1 | 2): Promise<Html | undefined> {
  const task = `style_transfer_${style}`;
  if (tasks.specs[task] === undefined) return undefined;
  const content = style === 1 ? 2 : 1;
  const [styles, contents] = [tilesOf(views[`view_${style}`]!)!, tilesOf(views[`view_${content}`]!)!];
  const n = styles.length;
  const styled = await tasks.run(task, {
    [`view_${style}`]: pick(views[`view_${style}`]!, n * n, (i) => Math.floor(i / n)),
    [`view_${content}`]: pick(views[`view_${content}`]!, n * n, (i) => i % n),
  });
  const tiles = tilesOf(styled[`styled_view_${style}`]!)!;
  const corner: Tile = { ...styles[0]!, data: new Uint8Array(styles[0]!.data.length).fill(128) };
  const lines = [[corner, ...contents], ...styles.map((tile, i) => [tile, ...tiles.slice(i * n, (i + 1) * n)])];
  return figure(lines, `Style of view ${style}, content of view ${content}`);
}

async function jointSheet({ tasks, seed }: Shown): Promise<Html | undefined> {
  if (tasks.specs.joint === undefined) return undefined;
  const drawn = await tasks.run("joint", noiseOf(tasks, "joint", { rows: draws, seed }));
  return figure([tilesOf(drawn.view_1!)!, tilesOf(drawn.view_2!)!], "Pairs from the prior");
}

function figure(lines: readonly (readonly Tile[])[], title: string): Html {
  return html`<figure><h3>${title}</h3>${pictureOf(lines, title)}</figure>`;
}

function noiseOf(
  tasks: CompiledTasks,
  task: string,
  { rows, seed }: { rows: number; seed: number },
): Record<string, HostTensor> {
  const inputs = Object.entries(tasks.specs[task]!.inputs).filter(([name]) => name.startsWith("noise_"));
  return Object.fromEntries(
    inputs.map(([name, { shape }]) => {
      const random = stream(seed, "report", task, name);
      const columns = Number(shape[1]);
      const data = Float32Array.from({ length: rows * columns }, () => random.normal());
      return [name, { dtype: "float32", shape: [rows, columns], data }];
    }),
  );
}
