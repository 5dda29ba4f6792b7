import type { HostTensor } from "../../schemas/tensor.ts";
import type { Engine } from "../engine/engine.ts";
import type { Catalogue } from "../model/catalogue.ts";
import type { Model } from "../model/model.ts";
import type { Sample } from "../model/sample.ts";
import type { ViewState } from "../state.ts";

export interface ViewContext {
  readonly state: ViewState;
  readonly engine: Engine;
  readonly catalogue: Catalogue;
  /** Says in one line what went wrong, and offers to try again. */
  readonly fail: (error: unknown, again: () => void) => void;
}

export interface ModelContext extends ViewContext {
  readonly model: Model;
  /** The bundle's sample of its data by name, as it is in the file; empty where it brings none. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

export interface PairContext extends ModelContext {
  readonly sample: Sample;
}

/** Ends what a view has begun: timers, listeners outside its own elements, training. */
export type Dispose = () => void;

interface ViewBase {
  /** In the address. */
  readonly id: string;
  /** In the menu. */
  readonly title: string;
}

interface ModelViewBase extends ViewBase {
  /** Why this model cannot be shown here; undefined where it can. */
  fault(model: Model): string | undefined;
}

/** A page of the demo that shows a model of any kind. */
export interface AnyModelView extends ModelViewBase {
  readonly needs: "model";
  mount(root: HTMLElement, context: ModelContext): Dispose;
}

/** A page that shows a model of two views, with pairs of them. */
export interface PairView extends ModelViewBase {
  readonly needs: "pairs";
  mount(root: HTMLElement, context: PairContext): Dispose;
}

export type ModelView = AnyModelView | PairView;

/** A page that needs no bundle: nothing at all, or the site's list, where training steps are named. */
export interface FreeView extends ViewBase {
  readonly needs: "nothing" | "list";
  mount(root: HTMLElement, context: ViewContext): Dispose;
}

export type View = ModelView | FreeView;

/** For `fault`: what the model reads instead of two pictures, or which tasks its bundle lacks. */
export function lackOf(model: Model, tasks: readonly string[]): string | undefined {
  if (model.image(1) === undefined || model.image(2) === undefined) {
    return `this view compares two pictures of one thing, and the model reads ${model.inputs.join(", ")}`;
  }
  const missing = model.lacks(...tasks);
  return missing.length > 0 ? `its bundle has no task ${missing.join(", ")}` : undefined;
}
