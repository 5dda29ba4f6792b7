import { messageOf } from "./download.ts";
import { Engine, type Preference } from "./engine/engine.ts";
import { h, select } from "./element.ts";
import { type Catalogue, readCatalogue, readManifest } from "./model/catalogue.ts";
import { Model } from "./model/model.ts";
import { loadSample } from "./model/sample.ts";
import { showBadge } from "./badge.ts";
import { clearNotices, notice, progressBar } from "./status.ts";
import { PageState } from "./state.ts";
import { howMuch } from "./views/how-much.ts";
import { latentMap } from "./views/latent-map.ts";
import { lockedPage } from "./views/locked.ts";
import { styleTransfer } from "./views/style-transfer.ts";
import { theory } from "./views/theory.ts";
import { training } from "./views/training.ts";
import { twoViews } from "./views/two-views.ts";
import type { Dispose, ModelView, View, ViewContext } from "./views/view.ts";

/** The page: a menu of views, a choice of models, one engine. What is shown follows the address. */

const views: readonly View[] = [twoViews, styleTransfer, latentMap, howMuch, theory, training];

const state = new PageState();
const root = document.querySelector<HTMLElement>("#view")!;
const progress = progressBar(document.querySelector<HTMLElement>("#progress")!);
const engine = new Engine(preferenceOf(state.get("backend")), {
  onProgress: progress,
  onNotice: (text) => notice(text),
  onBackend: () => badge.update(),
});
const badge = showBadge(document.querySelector<HTMLElement>("#badge")!, { engine, state });
const models = new Map<string, Promise<Model>>();
let catalogue: Promise<Catalogue> | undefined;
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
  const view = views.find(({ id }) => id === state.get("view")) ?? views[0]!;
  showMenu(view);
  clearNotices();
  root.setAttribute("aria-busy", "true");
  dispose();
  dispose = () => {};
  if (document.title !== view.title) document.title = `${view.title} · cominfo`;
  try {
    await mount(view, () => mine === visit);
  } catch (error) {
    if (mine !== visit) return;
    root.removeAttribute("aria-busy");
    context(await emptyCatalogue()).fail(error, () => void show());
  }
}

async function mount(view: View, isCurrent: () => boolean): Promise<void> {
  catalogue ??= readCatalogue();
  catalogue.catch(() => {
    catalogue = undefined;
  });
  if (view.needs === "nothing") {
    const list = await catalogue.catch(emptyCatalogue);
    if (!isCurrent()) return;
    root.replaceChildren();
    root.removeAttribute("aria-busy");
    dispose = view.mount(root, context(list));
    return;
  }
  const list = await catalogue;
  if (list.locked) {
    root.removeAttribute("aria-busy");
    root.replaceChildren(...lockedPage(view.title, { accepts: unlocked }));
    return;
  }
  const folder = list.models.find((name) => nameOf(name) === state.get("model")) ?? (await firstShownBy(view, list));
  if (folder === undefined) throw new Error("Cannot show a model: models.json must list one, got none");
  const model = await modelOf(folder);
  if (!isCurrent()) return;
  showModels(list, nameOf(folder));
  badge.show(model);
  const fault = view.fault(model);
  if (fault !== undefined) {
    const better = await firstShownBy(view, list);
    if (!isCurrent()) return;
    root.removeAttribute("aria-busy");
    root.replaceChildren(
      h("h1", {}, view.title),
      h(
        "p",
        { class: "lead" },
        `"${model.manifest.title}" cannot be shown here: ${fault}. `,
        better === undefined || better === folder
          ? "No model of this site can."
          : h("a", { href: state.link({ model: nameOf(better) }) }, `Show ${nameOf(better)} instead`),
      ),
    );
    return;
  }
  const sample = await loadSample(model);
  if (!isCurrent()) return;
  if (sample === undefined) throw new Error(`Cannot show ${nameOf(folder)}: it brings no sample and draws none itself`);
  root.replaceChildren();
  root.removeAttribute("aria-busy"); // the view marks its own work
  dispose = view.mount(root, { ...context(list), model, sample });
}

/** Whether the server now shows its models; then they are shown. */
async function unlocked(): Promise<boolean> {
  const list = await readCatalogue();
  if (list.locked) return false;
  catalogue = Promise.resolve(list);
  badge.update();
  await show();
  return true;
}

function context(list: Catalogue): ViewContext {
  return {
    state,
    engine,
    catalogue: list,
    fail: (error, again) => notice(messageOf(error), { again }),
  };
}

/** A site may hold bundles of other families: a visitor who chooses none gets the first that this view can show. */
async function firstShownBy(view: ModelView, { models: folders }: Catalogue): Promise<string | undefined> {
  const known = await Promise.all(folders.map((folder) => modelOf(folder).catch(() => undefined)));
  const at = known.findIndex((model) => model !== undefined && view.fault(model) === undefined);
  return folders[Math.max(0, at)];
}

function modelOf(folder: string): Promise<Model> {
  let model = models.get(folder);
  if (model === undefined) {
    model = readManifest(folder).then(
      (manifest) => new Model(manifest, { base: `${folder}/`, engine, onProgress: progress }),
    );
    models.set(folder, model);
    model.catch(() => models.delete(folder));
  }
  return model;
}

function showMenu(current: View): void {
  const links = views.map((view) =>
    h("a", { href: state.link({ view: view.id }), "aria-current": view === current ? "page" : undefined }, view.title),
  );
  document.querySelector("#views")!.replaceChildren(...links);
}

function showModels({ models: folders }: Catalogue, current: string): void {
  const names = folders.map(nameOf);
  const choice = select(
    "Model",
    names.map((name) => [name, name]),
    { value: current, change: (model) => state.go({ model }) },
  );
  document.querySelector("#model-choice")!.replaceChildren(choice);
}

async function emptyCatalogue(): Promise<Catalogue> {
  return { models: [], training: [] };
}

function nameOf(folder: string): string {
  return folder.split("/").at(-1)!;
}

function preferenceOf(text: string | undefined): Preference {
  return text === "wasm" || text === "webgpu" ? text : "auto";
}
