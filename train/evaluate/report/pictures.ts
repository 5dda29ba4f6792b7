import type { PairSource } from "../../data/pair-source.ts";
import { stream } from "../../random.ts";
import { type Reconstruction, reconstructions, type Subject, type Traversals, traversals } from "./code-pictures.ts";
import { tilesOf } from "./tiles.ts";
import { type CrossView, crossView, type StyleTransfer, styleTransfer } from "./view-pictures.ts";

/** What a model shows of itself. A part that its family has no task for is left out. */
export interface Pictures {
  readonly reconstructions?: readonly Reconstruction[];
  readonly traversals?: Traversals;
  readonly crossViews: readonly CrossView[];
  readonly styleTransfers: readonly StyleTransfer[];
}

/** Pairs drawn for the report. */
const pairs = 6;

/**
 * Pairs and noise come from streams of the seed: the same checkpoint gives the same pictures.
 *
 * @returns undefined if the two views are not images
 */
export async function drawPictures(source: PairSource, model: Omit<Subject, "views">): Promise<Pictures | undefined> {
  const views = source.draw(pairs, stream(model.seed, "report", "pairs")).tensors;
  const { view_1, view_2 } = views;
  const isImages = [view_1, view_2].every((view) => view?.data instanceof Uint8Array && tilesOf(view) !== undefined);
  if (source.description.views.length < 2 || !isImages) return undefined;
  const subject: Subject = { ...model, views };
  const rebuilt = await reconstructions(subject);
  const walked = await traversals(subject);
  const crossViews = [await crossView(subject, 1), await crossView(subject, 2)];
  const styleTransfers = [await styleTransfer(subject, 1), await styleTransfer(subject, 2)];
  return {
    ...(rebuilt === undefined ? {} : { reconstructions: rebuilt }),
    ...(walked === undefined ? {} : { traversals: walked }),
    crossViews: crossViews.filter((drawn) => drawn !== undefined),
    styleTransfers: styleTransfers.filter((drawn) => drawn !== undefined),
  };
}
