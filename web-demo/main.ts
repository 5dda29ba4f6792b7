import { messageOf } from "./download.ts";
import { Engine, type Preference } from "./engine/engine.ts";
import { h, replaceControls, select } from "./element.ts";
import type { Catalogue } from "./model/catalogue.ts";
import { Library, nameOf } from "./model/library.ts";
import type { Model } from "./model/model.ts";
import { loadSample, loadTensors } from "./model/sample.ts";
import { showBadge } from "./badge.ts";
import { clearNotices, notice, progressBar } from "./status.ts";
import { PageState } from "./state.ts";
import { allViews, usualViews, viewsOf } from "./views/all-views.ts";
import { lockedPage } from "./views/locked.ts";
import type { Dispose, ModelView, View, ViewContext } from "./views/view.ts";

/** The page: a menu of views, a choice of models, one engine. What is shown follows the address. */

const state = new PageState();
const root = document.querySelector<HTMLElement>("#view")!;
const progress = progressBar(document.querySelector<HTMLElement>("#progress")!);
const engine = new Engine(preferenceOf(state.get("backend")), {
  onProgress: progress,
  onNotice: (text) => notice(text),
  onBackend: () => badge.update(),
});
const badge = showBadge(document.querySelector<HTMLElement>("#badge")!, { engine, state });
const library = new Library({ engine, onProgress: progress });
const nothing: Catalogue = { models: [], training: [] };
let dispose: Dispose = () => {};
/** Raised by each navigation: what an older one still loads is dropped. */
let visit = 0;

state.onNavigate(() => {
  const preference = preferenceOf(state.get("backend"));
  engine.prefer(preference);
  badge.choose(preference);
  void show();
});
void show();

async function show(): Promise<void> {
  const mine = ++visit;
  const isCurrent = (): boolean => mine === visit;
  const asked = allViews.find(({ id }) => id === state.get("view"));
  const chosen = asked === undefined ? await library.named(state.get("model")) : undefined;
  if (!isCurrent()) return;
  const view = asked ?? (chosen === undefined ? allViews : viewsOf(chosen))[0]!;
  showMenu(view, usualViews);
  clearNotices();
  root.setAttribute("aria-busy", "true");
  dispose();
  dispose = () => {};
  // The link that led here may be gone: the keyboard goes on in the view.
  if (mine > 1 && root.contains(document.activeElement)) root.focus({ preventScroll: true });
  if (document.title !== view.title) document.title = `${view.title} · cominfo`;
  try {
    if (!("fault" in view)) {
      badge.show(undefined);
      const list = view.needs === "nothing" ? nothing : await library.catalogue().catch(() => nothing);
      if (!isCurrent()) return;
      open(() => view.mount(root, context(list)));
      const model = await library.named(state.get("model"));
      if (model !== undefined && isCurrent()) showMenu(view, viewsOf(model));
    } else {
      await mount(view, isCurrent);
    }
  } catch (error) {
    if (!isCurrent()) return;
    root.removeAttribute("aria-busy");
    context(nothing).fail(error, () => void show());
  }
}

async function mount(view: ModelView, isCurrent: () => boolean): Promise<void> {
  const fits = (model: Model): boolean => view.fault(model) === undefined;
  const list = await library.catalogue();
  if (!isCurrent()) return;
  if (list.locked) {
    root.removeAttribute("aria-busy");
    root.replaceChildren(...lockedPage(view.title, { accepts: unlocked }));
    return;
  }
  const named = list.models.find((name) => nameOf(name) === state.get("model"));
  // A site may hold bundles of other families: a visitor who chooses none gets the first that this view can show.
  const folder = named ?? (await library.first(fits)) ?? list.models[0];
  if (folder === undefined) throw new Error("Cannot show a model: models.json must list one, got none");
  const model = await library.model(folder);
  if (!isCurrent()) return;
  showMenu(view, viewsOf(model));
  showModels(list, nameOf(folder), view);
  badge.show(model);
  const fault = view.fault(model);
  if (fault !== undefined) {
    const better = await library.first(fits);
    if (!isCurrent()) return;
    root.removeAttribute("aria-busy");
    root.replaceChildren(...faultPage(view, { model, fault, better }));
    return;
  }
  const tensors = await loadTensors(model);
  const sample = view.needs === "pairs" ? await loadSample(model, tensors) : undefined;
  if (!isCurrent()) return;
  const ready = { ...context(list), model, tensors };
  if (view.needs === "model") return open(() => view.mount(root, ready));
  if (sample === undefined) throw new Error(`Cannot show ${nameOf(folder)}: it brings no sample and draws none itself`);
  open(() => view.mount(root, { ...ready, sample }));
}

function open(mounted: () => Dispose): void {
  root.replaceChildren();
  root.removeAttribute("aria-busy"); // the view marks its own work
  dispose = mounted();
}

/** A model that the view cannot show, and two ways on: this model elsewhere, or another model here. */
function faultPage(
  view: ModelView,
  { model, fault, better }: { model: Model; fault: string; better: string | undefined },
): readonly HTMLElement[] {
  const elsewhere = viewsOf(model)[0]!;
  const link = (text: string, to: Readonly<Record<string, string>>): HTMLElement =>
    h("a", { href: state.link(to) }, text);
  return [
    h("h1", {}, view.title),
    h("p", { class: "lead" }, `"${model.manifest.title}" cannot be shown here: ${fault}.`),
    h(
      "p",
      { class: "row" },
      link(`See it in “${elsewhere.title}”`, { view: elsewhere.id }),
      better === undefined ? undefined : link(`Show ${nameOf(better)} instead`, { model: nameOf(better) }),
    ),
  ];
}

/** Whether the server now shows its models; then they are shown. */
async function unlocked(): Promise<boolean> {
  library.forgetCatalogue();
  if ((await library.catalogue()).locked) return false;
  badge.update();
  await show();
  return true;
}

function context(list: Catalogue): ViewContext {
  return {
    state: state.forView(),
    engine,
    catalogue: list,
    fail: (error, again) => notice(messageOf(error), { again }),
  };
}

function showMenu(current: View, shown: readonly View[]): void {
  const links = (shown.includes(current) ? shown : [current, ...shown]).map((view) =>
    h("a", { href: state.link({ view: view.id }), "aria-current": view === current ? "page" : undefined }, view.title),
  );
  const menu = document.querySelector("#views")!;
  const focused = menu.contains(document.activeElement);
  menu.replaceChildren(...links);
  if (focused) menu.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true });
}

/** Another model stays in the view that is open where that can show it, else it goes to the first that can. */
function showModels({ models: folders }: Catalogue, current: string, view: View): void {
  const change = async (name: string): Promise<void> => {
    const model = await library.named(name);
    const fitting = model === undefined ? [view] : viewsOf(model);
    state.go({ model: name, view: (fitting.includes(view) ? view : fitting[0]!).id });
  };
  const choice = select(
    "Model",
    folders.map(nameOf).map((name) => [name, name]),
    { value: current, change: (name) => void change(name) },
  );
  replaceControls(document.querySelector("#model-choice")!, choice);
}

function preferenceOf(text: string | undefined): Preference {
  return text === "wasm" || text === "webgpu" ? text : "auto";
}
