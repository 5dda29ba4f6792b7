import type { HostTensor } from "../../../schemas/tensor.ts";
import { stream } from "../../random.ts";
import { pick } from "../generated-rows.ts";
import type { Subject } from "./code-pictures.ts";
import { type Tile, tilesOf } from "./tiles.ts";

/** Pictures that are made from views by the tasks `conditional_AtoB` and `style_transfer_A`. */

export interface CrossView {
  readonly given: 1 | 2;
  readonly wanted: 1 | 2;
  readonly rows: readonly { readonly given: Tile; readonly truth: Tile; readonly generated: readonly Tile[] }[];
}

export interface StyleTransfer {
  /** The view that is drawn, and whose own style it takes. */
  readonly style: 1 | 2;
  readonly content: 1 | 2;
  /** Across the top. */
  readonly styles: readonly Tile[];
  /** Down the side; `styled` has one tile a style. */
  readonly rows: readonly { readonly content: Tile; readonly styled: readonly Tile[] }[];
}

const crossPairs = 4;
const draws = 5;
const stylePairs = 5;

/** For some pairs: one view given, the true other one, and others drawn from the prior of its own block. */
export async function crossView({ tasks, views, seed }: Subject, given: 1 | 2): Promise<CrossView | undefined> {
  const wanted = given === 1 ? 2 : 1;
  const name = `conditional_${given}to${wanted}`;
  const spec = tasks.specs[name];
  const truth = [tilesOf(views.view_1!), tilesOf(views.view_2!)] as const;
  const [from, to] = [truth[given - 1], truth[wanted - 1]];
  if (spec === undefined || from === undefined || to === undefined) return undefined;
  const inputs: Record<string, HostTensor> = {};
  for (const [input, { shape }] of Object.entries(spec.inputs)) {
    const random = stream(seed, "report", name, input);
    const rows = crossPairs * draws;
    if (input === `view_${given}`) {
      inputs[input] = pick(views[input]!, rows, (i) => Math.floor(i / draws));
    } else if (input.startsWith("noise_") && shape.length === 2) {
      const columns = Number(shape[1]);
      const data = Float32Array.from({ length: rows * columns }, () => random.normal());
      inputs[input] = { dtype: "float32", shape: [rows, columns], data };
    } else return undefined;
  }
  const got = (await tasks.run(name, inputs))[`view_${wanted}`];
  const generated = got && tilesOf(got);
  if (generated === undefined) return undefined;
  const rows = Array.from({ length: crossPairs }, (_, i) => ({
    given: from[i]!,
    truth: to[i]!,
    generated: generated.slice(i * draws, (i + 1) * draws),
  }));
  return { given, wanted, rows };
}

/** Every content with every style among some pairs. */
export async function styleTransfer({ tasks, views }: Subject, style: 1 | 2): Promise<StyleTransfer | undefined> {
  const content = style === 1 ? 2 : 1;
  const name = `style_transfer_${style}`;
  const inputs = Object.keys(tasks.specs[name]?.inputs ?? {});
  if (inputs.length !== 2 || !inputs.includes("view_1") || !inputs.includes("view_2")) return undefined;
  const rows = stylePairs * stylePairs;
  const got = await tasks.run(name, {
    [`view_${content}`]: pick(views[`view_${content}`]!, rows, (i) => Math.floor(i / stylePairs)),
    [`view_${style}`]: pick(views[`view_${style}`]!, rows, (i) => i % stylePairs),
  });
  const output = got[`styled_view_${style}`];
  const styled = output && tilesOf(output);
  const styles = tilesOf(views[`view_${style}`]!);
  const contents = tilesOf(views[`view_${content}`]!);
  if (styled === undefined || styles === undefined || contents === undefined) return undefined;
  return {
    style,
    content,
    styles: styles.slice(0, stylePairs),
    rows: Array.from({ length: stylePairs }, (_, i) => ({
      content: contents[i]!,
      styled: styled.slice(i * stylePairs, (i + 1) * stylePairs),
    })),
  };
}
