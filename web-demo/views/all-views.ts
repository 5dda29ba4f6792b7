import type { Model } from "../model/model.ts";
import { howMuch } from "./how-much.ts";
import { latentMap } from "./latent-map.ts";
import { modelCard } from "./model-card.ts";
import { oneView } from "./one-view.ts";
import { redundancy } from "./redundancy.ts";
import { styleTransfer } from "./style-transfer.ts";
import { theory } from "./theory.ts";
import { training } from "./training.ts";
import { twoViews } from "./two-views.ts";
import type { View } from "./view.ts";

/** In the order of the menu; a model opens in the first that can show it. */
export const allViews: readonly View[] = [
  ...[twoViews, styleTransfer, latentMap, howMuch],
  ...[oneView, redundancy],
  ...[modelCard, theory, training],
];

/** The menu until a model is known. */
export const usualViews = allViews.filter((view) => view !== oneView && view !== redundancy);

/** The views that can show the model, and those that need none. */
export function viewsOf(model: Model): readonly View[] {
  return allViews.filter((view) => !("fault" in view) || view.fault(model) === undefined);
}
